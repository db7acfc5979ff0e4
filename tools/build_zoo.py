"""Make all shipped models again by the public commands, and write models/ and docs/models.md.

Usage: python tools/build_zoo.py [--only NAME]... [--seeds N] [--jobs N] [--report]

Trains every model with several seeds, quantizes and measures each, one process a core, and ships
the seed that is best on the validation images. The runs stand in runs/zoo: Ctrl-C loses at most an
epoch, the same command goes on, and what is finished is not made again. What they gave is kept in
benchmarks/results/zoo, which the report is made of.
"""

import argparse
import dataclasses
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import zoo_report
from zoo_models import (
    CONFIG,
    MODEL_SUFFIXES,
    MODELS,
    OPTDIGITS_RESULT,
    REFERENCE,
    TEST_RESULT,
    TRAIN_RESULT,
    SeedResult,
    ZooModel,
    describe_seconds,
    keep_result,
    load_results,
    pick_seed,
    run_folder,
)
from zoo_processes import Children, Stopped

from edge_mnist.errors import EdgeMnistError, TrainingError
from edge_mnist.files import write_atomically
from edge_mnist.training.config import load_config
from edge_mnist.training.recipes import find_recipe

COMMAND = (sys.executable, "-m", "edge_mnist")

MODELS_FOLDER = Path("models")
SHIPPED_CONFIG_SUFFIX = ".train.json"


@dataclass(frozen=True)
class Run:
    """A model and a seed."""

    model: ZooModel
    seed: int

    @property
    def folder(self) -> Path:
        """Where it is made."""
        return run_folder(self.model.name, self.seed)

    @property
    def log(self) -> Path:
        """Where what its commands print goes."""
        return self.folder.with_name(f"{self.folder.name}.log")

    def __str__(self) -> str:
        return f"{self.model.name} seed {self.seed}"


@dataclass(frozen=True)
class Step:
    """One call of edge-mnist."""

    name: str
    arguments: tuple[str, ...]
    makes: Path  # last of all
    needs: Path | None = None  # if this is newer, the step is done again
    is_printed: bool = False  # what it makes is what it prints


def main(arguments: Sequence[str] | None = None) -> int:
    """Make and report what is asked for; return the exit code."""
    options = parse_options(arguments)
    names = options.only or [model.name for model in MODELS]
    models = [model for model in (REFERENCE, *MODELS) if model.name in (*names, REFERENCE.name)]
    # Where a shell started this in the background Ctrl-C would be ignored, here and in children.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        if not options.report:
            make(plan_runs(models, options.seeds), options.jobs)
        ship()
    except EdgeMnistError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        tell("stopped; the same command goes on")
        return 130
    return 0


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    names = [model.name for model in MODELS]
    parser.add_argument("--only", action="append", choices=names, help="this model; repeatable")
    parser.add_argument(
        "--seeds", type=int, metavar="N", help="seeds 0 to N-1, not the models' own"
    )
    parser.add_argument("--jobs", type=int, metavar="N", default=os.cpu_count(), help="at once")
    parser.add_argument("--report", action="store_true", help="train nothing: pick, copy, write")
    options = parser.parse_args(arguments)
    for name in ("seeds", "jobs"):
        count = getattr(options, name)
        if count is not None and count < 1:
            parser.error(f"--{name} has to be at least 1")
    return options


def plan_runs(models: Sequence[ZooModel], seeds: int | None) -> list[Run]:
    """Return what is to be made.

    Raises:
        TrainingError: If a recipe is missing, or a run was begun by another recipe.
    """
    runs = []
    for model in models:
        count = None if model == REFERENCE else seeds
        for seed in model.seeds if count is None else range(count):
            run = Run(model, seed)
            check_recipe(run.folder, model.name, seed)
            runs.append(run)
    return runs


def check_recipe(folder: Path, name: str, seed: int) -> None:
    """Raise TrainingError if what stands in a folder is not of the recipe as it is now."""
    wanted = dataclasses.replace(find_recipe(name), seed=seed)
    path = folder / CONFIG
    if path.exists() and load_config(path) != wanted:
        raise TrainingError(
            f"{folder} was trained by another recipe than {name} is now",
            remedy="move the folder away to train it again",
        )


def plan_steps(run: Run) -> list[Step]:
    """Return the steps from nothing to a measured int8 model."""
    name, folder = run.model.name, run.folder
    model = folder / f"{name}.tflite"
    train = ("train", "--recipe", name, "--seed", str(run.seed), "--out", str(folder))
    if (folder / CONFIG).exists() and (folder / "state.npz").exists():
        train += ("--resume",)
    limits = ("--max-bytes", str(run.model.max_bytes), *run.model.quantize_options)
    evaluate = ("evaluate", str(model), "--json")
    return [
        Step("train", train, folder / TRAIN_RESULT),
        Step(
            "quantize",
            ("quantize", str(folder), "--int8", "--name", name, *limits),
            model.with_suffix(".md"),
            needs=folder / "model.keras",
        ),
        Step(
            "evaluate",
            (*evaluate, "--corrupt", "--non-digits"),
            folder / TEST_RESULT,
            needs=model,
            is_printed=True,
        ),
        Step(
            "evaluate on optdigits",
            (*evaluate, "--data", "optdigits"),
            folder / OPTDIGITS_RESULT,
            needs=model,
            is_printed=True,
        ),
    ]


def is_finished(step: Step) -> bool:
    """Return whether a step need not be done: what it makes is there, and newer than its source."""
    if not step.makes.exists():
        return False
    if step.name == "train":
        # Ctrl-C leaves one too.
        return not json.loads(step.makes.read_text())["interrupted"]
    source = step.needs
    return source is None or step.makes.stat().st_mtime_ns >= source.stat().st_mtime_ns


def make(runs: Sequence[Run], jobs: int) -> None:
    """Do all unfinished steps of some runs, so many runs at once.

    A run that fails does not end the others.

    Raises:
        TrainingError: At the end, if a step failed.
        KeyboardInterrupt: If Ctrl-C came; all children have ended then.
    """
    children = Children()
    failures = []
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(do_steps, run, children) for run in runs]
        try:
            for future in as_completed(futures):
                failure = future.result()
                if failure:
                    failures.append(failure)
        except BaseException:
            children.stop()
            pool.shutdown(cancel_futures=True)
            raise
    if failures:
        raise TrainingError("; ".join(failures))


def do_steps(run: Run, children: Children) -> str | None:
    """Do the unfinished steps of one run; return what failed, with its log, or None."""
    for step in plan_steps(run):
        if is_finished(step):
            continue
        tell(f"{run}: {step.name} started, log {run.log}")
        started = time.monotonic()
        try:
            code, printed = children.run((*COMMAND, *step.arguments), run.log)
        except Stopped:
            tell(f"{run}: {step.name} stopped")
            return None
        except TrainingError as exc:
            tell(f"{run}: {exc}")
            return f"{run}: {exc}"
        if code == 0 and step.is_printed:
            write_atomically(step.makes, printed)
        elif printed:
            with run.log.open("a") as file:
                file.write(printed)
        took = describe_seconds(time.monotonic() - started)
        if code or not is_finished(step):
            tell(f"{run}: {step.name} failed after {took}: {find_last_line(run.log)}")
            return f"{run}: {step.name} failed, see {run.log}"
        tell(f"{run}: {step.name} finished after {took}")
    keep_result(run.model.name, run.seed)
    return None


def ship() -> None:
    """Copy each model's picked seed to models/ and write the report, from what is there."""
    results = {model.name: load_current_results(model) for model in (*MODELS, REFERENCE)}
    picked = {}
    for model in MODELS:
        if results[model.name]:
            picked[model.name] = pick_seed(results[model.name])
            copy_model(picked[model.name], model.name)
    if not picked:
        raise TrainingError("there is nothing to report yet: no model went through all steps")
    for path in zoo_report.write_report(MODELS, results, picked):
        print(path)


def load_current_results(model: ZooModel) -> list[SeedResult]:
    """Load the results of a model's seeds.

    Raises:
        TrainingError: If one was trained by another recipe than the model's is now.
    """
    results = load_results(model.name)
    for result in results:
        check_recipe(result.model_path.parent, model.name, result.seed)
    return results


def copy_model(result: SeedResult, name: str) -> None:
    """Copy a model with its card and configuration to models/."""
    for suffix in MODEL_SUFFIXES:
        source = result.model_path.with_suffix(suffix)
        write_atomically(MODELS_FOLDER / f"{name}{suffix}", source.read_bytes())
    config = result.model_path.with_name(CONFIG)
    write_atomically(MODELS_FOLDER / f"{name}{SHIPPED_CONFIG_SUFFIX}", config.read_bytes())


def tell(message: str) -> None:
    """Say with the time what happens."""
    print(f"{datetime.now():%T} {message}", file=sys.stderr, flush=True)


def find_last_line(log: Path) -> str:
    """Return the last line of a log that says something."""
    lines = [line for line in log.read_text().splitlines() if line.strip()]
    return lines[-1] if lines else ""


if __name__ == "__main__":
    sys.exit(main())
