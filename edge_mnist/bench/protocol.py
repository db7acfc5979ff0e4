"""How durations are measured: when the warm-up is over, for how long, with what clock.

After MLPerf Tiny (Banbury et al. 2021: warm-up, then at least 10 s or 10 runs, median) and
TensorFlow's benchmark_model (at least 50 runs and 1 s); docs/benchmarking.md has it in words.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import InvalidInputError
from edge_mnist.latency import MIN_PAIRS

Clock = Callable[[], int]
"""Returns nanoseconds that only grow."""

Call = Callable[[int], object]
"""What is timed; it gets the number of the run, so that inputs change from run to run."""

CLOCK: Clock = time.perf_counter_ns
NS_PER_S = 1_000_000_000

MIN_DURATION_S = 0.02
MAX_DURATION_S = 600.0  # a turn of it ends well within a worker's patience


@dataclass(frozen=True)
class Protocol:
    """The rules of one measurement.

    Raises:
        InvalidInputError: If a value is out of its range.
    """

    duration_s: float = 1.0  # timed at least, of each measure, over all rounds
    min_runs: int = 50  # of each measure, over all rounds
    rounds: int = 20  # in each of which everything has its turn
    warmup_window_s: float = 0.05  # at most; a quarter of a shorter duration
    warmup_windows: int = 3  # this many in a row ...
    warmup_tolerance: float = 0.05  # ... whose medians differ by no more than this share: stable
    max_warmup_s: float = 3.0  # three times a shorter duration
    cold_starts: int = 5

    def __post_init__(self) -> None:
        if not MIN_DURATION_S <= self.duration_s <= MAX_DURATION_S:
            raise InvalidInputError(
                "duration",
                expected=f"{MIN_DURATION_S:g} to {MAX_DURATION_S:g} s",
                got=f"{self.duration_s:g}",
            )
        if self.rounds < MIN_PAIRS:
            raise InvalidInputError(
                "rounds", expected=f"at least {MIN_PAIRS}", got=str(self.rounds)
            )

    @property
    def window_s(self) -> float:
        """How long one window of the warm-up lasts at least."""
        return min(self.warmup_window_s, self.duration_s / 4)

    @property
    def patience_s(self) -> float:
        """When the warm-up ends at the latest, but for its last window."""
        return min(self.max_warmup_s, 3 * self.duration_s)

    @property
    def block_s(self) -> float:
        """How long one turn lasts at least."""
        return self.duration_s / self.rounds

    @property
    def block_runs(self) -> int:
        """How many runs one turn has at least."""
        return -(-self.min_runs // self.rounds)


@dataclass(frozen=True)
class WarmUp:
    """What came before the timed runs."""

    runs: int
    seconds: float
    is_stable: bool  # whether it ended because durations no longer changed


@dataclass(frozen=True)
class ClockFacts:
    """What the clock can tell; neither is subtracted from any duration."""

    resolution_ns: int  # the smallest step seen
    overhead_ns: float  # what reading it twice adds to a duration


def warm_up(call: Call, protocol: Protocol, clock: Clock = CLOCK) -> WarmUp:
    """Run a call until its duration no longer changes, or the protocol's patience ends."""
    started, runs = clock(), 0
    medians: list[float] = []
    while True:
        durations = time_block(call, protocol.window_s, 1, runs, clock)
        runs += len(durations)
        medians = [*medians, float(np.median(durations))][-protocol.warmup_windows :]
        seconds = (clock() - started) / NS_PER_S
        if len(medians) == protocol.warmup_windows:
            is_stable = max(medians) - min(medians) <= protocol.warmup_tolerance * max(medians)
            if is_stable or seconds >= protocol.patience_s:
                return WarmUp(runs, seconds, is_stable)


def time_block(
    call: Call, duration_s: float, min_runs: int, first_run: int = 0, clock: Clock = CLOCK
) -> NDArray[np.int64]:
    """Time a call again and again, each run on its own.

    Args:
        call: What to time; its result is dropped.
        duration_s: How long to go on at least.
        min_runs: How many runs there are at least.
        first_run: The number that the first run gets.
        clock: What time is read from.

    Returns:
        int64 [N]: nanoseconds of each run.
    """
    durations: list[int] = []
    run = first_run
    end = clock() + int(duration_s * NS_PER_S)
    while True:
        started = clock()
        call(run)
        ended = clock()
        durations.append(ended - started)
        run += 1
        if ended >= end and len(durations) >= min_runs:
            return np.array(durations, np.int64)


def inspect_clock(clock: Clock = CLOCK, readings: int = 10_000) -> ClockFacts:
    """Read a clock many times in a row and return what it can tell."""
    times = [clock() for _ in range(readings)]
    steps = [after - before for before, after in pairwise(times)]
    return ClockFacts(
        resolution_ns=min((step for step in steps if step > 0), default=0),
        overhead_ns=float(median(steps)),
    )
