"""What is to be measured."""

from dataclasses import dataclass, field

from edge_mnist.batches import count_cores
from edge_mnist.bench.protocol import Protocol
from edge_mnist.engines import (
    AUTO,
    ENGINE_MODULES,
    EngineSetting,
    check_threads,
    installed_engines,
    resolve_engine,
)
from edge_mnist.errors import InvalidInputError

ALL_ENGINES = "all"


@dataclass(frozen=True)
class BenchRequest:
    """Models, each to be measured in each setting.

    Raises:
        InvalidInputError: If there is no model, no such engine, or a number out of its range.
    """

    models: tuple[str, ...]  # shipped models' names or paths
    engines: tuple[str, ...] = (ALL_ENGINES,)  # names, "auto" or "all" that are installed
    threads: tuple[int, ...] = (1,)  # of one inference
    delegates: tuple[bool, ...] = (True, False)  # with the engine's default one, without
    protocol: Protocol = field(default_factory=Protocol)

    def __post_init__(self) -> None:
        if not self.models:
            raise InvalidInputError("no model to measure", expected="at least one", got="none")
        for engine in self.engines:
            if engine not in (ALL_ENGINES, AUTO, *ENGINE_MODULES):
                choices = ", ".join([ALL_ENGINES, AUTO, *ENGINE_MODULES])
                raise InvalidInputError("unknown engine", expected=choices, got=repr(engine))
        for threads in self.threads:
            check_threads(threads)

    def settings(self) -> list[EngineSetting]:
        """Return the settings, each once; engines that are not installed among them."""
        return [
            EngineSetting(engine, delegate, threads)
            for engine in self._engine_names()
            for delegate in self.delegates
            for threads in dict.fromkeys(self.threads)
        ]

    def _engine_names(self) -> list[str]:
        names: list[str] = []
        for engine in self.engines:
            if engine == ALL_ENGINES:
                # Without any, `resolve_engine` says what to install.
                names += list(installed_engines()) or [resolve_engine(AUTO)]
            else:
                names.append(resolve_engine(engine) if engine == AUTO else engine)
        return list(dict.fromkeys(names))


def usual_threads() -> tuple[int, ...]:
    """Return the numbers of threads worth trying here: 1, 2, 4 and so on up to the cores."""
    cores = count_cores()
    return tuple(threads for threads in (1, 2, 4, 8, 16, 32, 64) if threads <= cores)
