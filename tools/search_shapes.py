"""Search network shapes for a byte budget: accuracy up, file bytes and multiply-adds down.

Usage: python tools/search_shapes.py --max-bytes 8192 --max-multiply-adds 300000 --trials 40
    --epochs 6 --storage runs/search/nano.sqlite [--jobs N]

How a shape is written is told in tools/shapes.py. The study lives in an SQLite file: a call that
was cut off is gone on with by repeating it, and several calls can work on one file. Test images
are not touched.
"""

import argparse
import json
import multiprocessing
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from shape_trials import RECIPE, find_trained, report_trial, try_shape
from shapes import Budgets, check_budgets, count_costs, known_shapes, parse_shape, to_parameters

from edge_mnist import dataset
from edge_mnist.dataset import Dataset
from edge_mnist.errors import EdgeMnistError, TrainingError
from edge_mnist.markdown import render_markdown_table
from edge_mnist.training.config import TrainConfig
from edge_mnist.training.device import select_device

STUDY = "shapes"
DIRECTIONS = ("maximize", "minimize", "minimize")  # accuracy, bytes, multiply-adds

# Optuna breeds from the best so many, and draws at random until as many have finished; its own 50
# would be more than most searches train.
POPULATION = 8
# TensorFlow keeps some memory of each training, so new processes take over after these.
TRIALS_PER_PROCESS = 12
# Shapes that a process draws at most, those outside of the budgets included.
MAX_DRAWS = 1000


def main() -> int:
    """Search, or show what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--max-bytes", type=int, default=8192)
    parser.add_argument("--min-bytes", type=int, default=0, help="leave smaller files out")
    parser.add_argument("--max-multiply-adds", type=int, default=300_000)
    parser.add_argument("--trials", type=int, default=40, help="trained, in the storage in all")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--storage", type=Path, default=Path("runs/search/shapes.sqlite"))
    parser.add_argument("--seed", type=int, default=0, help="of each training")
    parser.add_argument("--jobs", type=int, default=1, help="processes, a thread each")
    parser.add_argument("--enqueue", nargs="*", default=[], metavar="SHAPE", help="to try first")
    parser.add_argument("--show", action="store_true", help="show the front so far, train nothing")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.jobs < 1:
        parser.error("--jobs has to be 1 or more")
    budgets = Budgets(arguments.max_bytes, arguments.max_multiply_adds, arguments.min_bytes)
    try:
        config = replace(RECIPE, epochs=arguments.epochs, seed=arguments.seed)
        if arguments.show and not arguments.storage.exists():
            raise TrainingError(f"there is no search in {arguments.storage}")
        study = open_study(arguments.storage)
        if not arguments.show:
            prepare(study, budgets, config, arguments.enqueue)
            run_jobs(arguments.jobs, arguments.storage, budgets, config, arguments.trials)
    except EdgeMnistError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; repeat the call to go on", file=sys.stderr)
        return 130
    rows = find_front(study)
    print(json.dumps(rows, indent=2) if arguments.json else render_front(rows))
    return 0


def open_study(storage: Path) -> optuna.Study:
    """Open the study in an SQLite file, or create it."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage.parent.mkdir(parents=True, exist_ok=True)
    return optuna.create_study(
        storage=optuna.storages.RDBStorage(
            f"sqlite:///{storage}",
            engine_kwargs={"connect_args": {"timeout": 60}},  # seconds, for another job's write
        ),
        sampler=optuna.samplers.NSGAIISampler(population_size=POPULATION),
        study_name=STUDY,
        directions=DIRECTIONS,
        load_if_exists=True,
    )


def prepare(
    study: optuna.Study, budgets: Budgets, config: TrainConfig, enqueued: list[str]
) -> None:
    """Have these shapes and the known ones tried before others, each once.

    Raises:
        TrainingError: If one of `enqueued` is not to be trained, or the study's candidates were
            trained for another number of epochs.
    """
    epochs = study.user_attrs.get("epochs", config.epochs)
    if epochs != config.epochs:
        raise TrainingError(
            "accuracies after different numbers of epochs do not compare",
            expected=f"--epochs {epochs}, as before",
            got=str(config.epochs),
            remedy="give another --storage",
        )
    study.set_user_attr("epochs", epochs)
    for notation in enqueued:
        reason = check_budgets(parse_shape(notation), budgets)
        if reason:
            raise TrainingError(f"cannot try {notation}", got=reason)
    present = {
        trial.user_attrs.get("shape")
        for trial in (*find_trained(study), *study.get_trials(states=(TrialState.WAITING,)))
    }
    for notation in dict.fromkeys([*enqueued, *known_shapes()]):
        shape = parse_shape(notation)
        if notation not in present and not check_budgets(shape, budgets):
            study.enqueue_trial(to_parameters(shape), user_attrs={"shape": notation})


def run_jobs(jobs: int, storage: Path, budgets: Budgets, config: TrainConfig, trials: int) -> None:
    """Search in processes that share the storage, until it holds so many trained candidates.

    Raises:
        TrainingError: If one of the processes failed.
    """
    study = open_study(storage)
    context = multiprocessing.get_context("spawn")
    while (trained := len(find_trained(study))) < trials:
        goal = min(trials, trained + jobs * TRIALS_PER_PROCESS)
        processes = [
            context.Process(target=run_job, args=(storage, budgets, config, goal), daemon=True)
            for _ in range(min(jobs, goal - trained))
        ]
        # Ctrl-C is this process's business: the others inherit that, and daemons end with it.
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        for process in processes:
            process.start()
        signal.signal(signal.SIGINT, handler)
        for process in processes:
            process.join()
        codes = [process.exitcode for process in processes]
        if any(codes):
            raise TrainingError("a job failed", got=f"exit codes {codes}")


def run_job(storage: Path, budgets: Budgets, config: TrainConfig, trials: int) -> None:
    """Search in a process of its own, which exits with 1 or 130 if it fails or is interrupted."""
    try:
        select_device("cpu", 0)  # steps this small are computed by one thread
        digits = dataset.load(dataset.DEFAULT_DATA).without_test()
        search(open_study(storage), budgets, digits, config, trials)
    except EdgeMnistError as exc:
        print(f"error: {exc}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def search(
    study: optuna.Study, budgets: Budgets, digits: Dataset, config: TrainConfig, trials: int
) -> None:
    """Train candidates until the study holds so many, those stopped early included.

    Raises:
        TrainingError: If hardly any shape keeps to the budgets.
        KeyboardInterrupt: If Ctrl-C ended a training; the study keeps all others.
    """
    before = len(find_trained(study))
    if before >= trials:
        return
    parent = multiprocessing.parent_process()

    def stop_when_done(study: optuna.Study, _trial: FrozenTrial) -> None:
        is_orphan = parent is not None and not parent.is_alive()
        if is_orphan or len(find_trained(study)) >= trials:
            study.stop()

    study.optimize(
        lambda trial: try_shape(trial, budgets, digits, config),
        n_trials=MAX_DRAWS,
        callbacks=[report_trial, stop_when_done],
    )
    if len(find_trained(study)) == before:
        raise TrainingError(f"{MAX_DRAWS} shapes drawn and none keeps to the budgets")


def find_front(study: optuna.Study) -> list[dict[str, Any]]:
    """Return the candidates that no other beats in everything, smallest file first."""
    rows = []
    for trial in study.best_trials:
        shape = parse_shape(trial.user_attrs["shape"])
        costs = count_costs(shape)
        rows.append(
            {
                "accuracy": trial.values[0],
                "bytes": int(trial.values[1]),
                "parameters": costs.parameters,
                "multiply_adds": costs.multiply_adds,
                "shape": trial.user_attrs["shape"],
                "layers": repr(shape),
            }
        )
    return sorted(rows, key=lambda row: row["bytes"])


def render_front(rows: list[dict[str, Any]]) -> str:
    """Return the front as a table, and each candidate's layers below it."""
    table = render_markdown_table(
        ["validation", "bytes", "parameters", "multiply-adds", "shape"],
        [
            [
                f"{100 * row['accuracy']:.2f} %",
                f"{row['bytes']:,}",
                f"{row['parameters']:,}",
                f"{row['multiply_adds']:,}",
                row["shape"],
            ]
            for row in rows
        ],
    )
    return "\n".join([table, "", *(f"# {row['shape']}\n{row['layers']}" for row in rows)])


if __name__ == "__main__":
    sys.exit(main())
