import json
import sys
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("optuna")
pytest.importorskip("edge_mnist.training.architectures", exc_type=ImportError)

import optuna
import search_shapes
import shape_trials
import shapes
from optuna.trial import TrialState

from edge_mnist.dataset import Dataset, Examples
from edge_mnist.errors import TrainingError
from edge_mnist.model_store import find_model
from edge_mnist.quantization.convert import convert_int8
from edge_mnist.training import architectures
from edge_mnist.training.architectures import Architecture, Conv, GlobalAverage

pytestmark = pytest.mark.train

SMALL = ["4@5s2v-6@3s2v-10@3v", "4@5s2-8@3s2v-10@3s2v"]
MICRO = "8@5s2v-16@3-16@3s2v-39@3v"
SMALL_BUDGETS = shapes.Budgets(4096, 130_000, min_bytes=3200)
ONE_EPOCH = replace(shape_trials.RECIPE, epochs=1)


@pytest.fixture(autouse=True)
def _no_candidate_is_left():
    yield
    architectures.ARCHITECTURES.pop(shape_trials.NAME, None)


@pytest.fixture
def study(tmp_path):
    return search_shapes.open_study(tmp_path / "search" / "study.sqlite")


@pytest.fixture
def few_digits():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    examples = Examples(images, (np.arange(40) % 10).astype(np.uint8))
    return Dataset("few", examples, examples, None, "")


def enqueue(study, notation):
    study.enqueue_trial(shapes.to_parameters(shapes.parse_shape(notation)))


def test_notation_tells_every_property():
    shape = (
        Conv(8, 5, stride=2, batch_norm=True),
        Conv(15, 3, padding="valid", batch_norm=True),
        Conv(24, 4, stride=2, padding="valid", batch_norm=True),
        GlobalAverage(),
    )
    assert shapes.write_shape(shape) == "8@5s2-15@3v-24@4s2v-gap"
    assert shapes.parse_shape("8@5s2-15@3v-24@4s2v-gap") == shape


@pytest.mark.parametrize("notation", [*shapes.known_shapes(), "8@5s2-16@3v-gap"])
def test_shape_can_be_enqueued_and_drawn(study, notation):
    enqueue(study, notation)
    assert shapes.write_shape(shapes.draw_shape(study.ask())) == notation


def test_drawn_shapes_can_be_written_and_read():
    study = optuna.create_study()
    for _ in range(50):
        shape = shapes.draw_shape(study.ask())
        assert shapes.parse_shape(shapes.write_shape(shape)) == shape


@pytest.mark.parametrize(
    "notation",
    [
        "",
        "gap",
        "8@5s2-16x3",
        "8@5s2-gap",
        "8@5-8@5-8@5-8@5-8@5-8@5",
        "2@5-8@5",
        "8@5-65@5",
        "8@5-6@5",
        "8@6-8@5",
        "8@5s3-8@5",
    ],
)
def test_bad_notation_is_refused(notation):
    with pytest.raises(TrainingError, match="2 to 5 convolutions as in 8@5s2-16@3v"):
        shapes.parse_shape(notation)


@pytest.mark.parametrize(
    ("notation", "reason"),
    [
        (SMALL[0], None),
        (MICRO, "13,108 parameters"),
        ("8@5-8@5-8@5s2-gap", "multiply-adds"),
        ("4@5s2v-8@5s2v-8@5v", "the picture is used up"),
    ],
)
def test_what_exceeds_the_budgets_is_dropped_before_training(notation, reason):
    budgets = shapes.Budgets(4096, 310_000)
    found = shapes.check_budgets(shapes.parse_shape(notation), budgets)
    assert found is None if reason is None else reason in found


@pytest.mark.parametrize("notation", [SMALL[0], "8@5s2-16@3s2-24@3s2-gap", MICRO])
def test_costs_are_those_of_the_model(notation):
    shape = shapes.parse_shape(notation)
    architectures.ARCHITECTURES[shape_trials.NAME] = Architecture("", shape)
    model = architectures.build(shape_trials.NAME)
    costs = shapes.count_costs(shape)
    assert costs.parameters == model.count_params()
    assert costs.multiply_adds == architectures.count_multiply_adds(model)
    # What `check_budgets` rests on.
    assert costs.parameters < len(convert_int8(model, np.zeros((1, 28, 28), np.uint8)))


def test_candidates_learn_digits_only():
    assert ONE_EPOCH.handwriting == ONE_EPOCH.styles == ONE_EPOCH.outliers == ONE_EPOCH.pairs == 0


def test_search_goes_on_where_it_ended(tmp_path, few_digits, capsys, monkeypatch):
    storage = tmp_path / "search" / "study.sqlite"
    for trials in (1, 2):
        study = search_shapes.open_study(storage)
        search_shapes.prepare(study, SMALL_BUDGETS, ONE_EPOCH, SMALL)
        search_shapes.search(study, SMALL_BUDGETS, few_digits, ONE_EPOCH, trials)
        assert len(shape_trials.find_trained(study)) == trials
    trials = study.get_trials(states=(TrialState.COMPLETE,))
    assert [trial.user_attrs["shape"] for trial in trials] == SMALL
    assert all(trial.values[1] == trial.user_attrs["bytes"] <= 4096 for trial in trials)
    assert capsys.readouterr().err.count(" bytes ") == 2

    rows = search_shapes.find_front(study)
    assert rows
    assert {row["shape"] for row in rows} <= set(SMALL)
    table = search_shapes.render_front(rows)
    assert f"| {rows[0]['bytes']:,} |" in table
    assert "Conv(filters=4, kernel=5, stride=2" in table
    monkeypatch.setattr(sys, "argv", ["", "--show", "--json", "--storage", str(storage)])
    assert search_shapes.main() == 0
    assert json.loads(capsys.readouterr().out) == rows

    with pytest.raises(TrainingError, match="--epochs 1, as before"):
        search_shapes.prepare(study, SMALL_BUDGETS, replace(ONE_EPOCH, epochs=2), [])


def test_what_was_trained_or_waits_is_not_enqueued_again(study):
    def enqueue_both():
        search_shapes.prepare(study, SMALL_BUDGETS, ONE_EPOCH, SMALL)
        return [
            trial.user_attrs["shape"] for trial in study.get_trials(states=[TrialState.WAITING])
        ]

    pico = shapes.known_shapes()[0]
    assert enqueue_both() == enqueue_both() == [*SMALL, pico]
    study.ask()  # and cut off
    trained = study.ask()
    trained.set_user_attr("accuracies", [0.9])
    study.tell(trained, [0.9, 4000, 1])
    assert enqueue_both() == [pico, SMALL[0]]


def test_interrupted_trial_is_not_counted(study, few_digits, monkeypatch):
    def interrupt(*_arguments, reporter, **_options):
        reporter.accuracies.append(0.9)
        reporter.trial.set_user_attr("accuracies", reporter.accuracies)
        raise KeyboardInterrupt

    enqueue(study, SMALL[0])
    monkeypatch.setattr(shape_trials, "fit", interrupt)
    with pytest.raises(KeyboardInterrupt):
        search_shapes.search(study, SMALL_BUDGETS, few_digits, ONE_EPOCH, 1)
    assert study.get_trials()[0].state == TrialState.FAIL
    assert not shape_trials.find_trained(study)


@pytest.mark.parametrize(
    ("budgets", "line"),
    [(shapes.Budgets(4096, 1), None), (shapes.Budgets(3000, 130_000), "not tried")],
)
def test_shape_that_exceeds_the_budgets_is_not_trained(
    study, few_digits, monkeypatch, capsys, budgets, line
):
    enqueue(study, SMALL[0])
    monkeypatch.setattr(search_shapes, "MAX_DRAWS", 1)
    with pytest.raises(TrainingError, match="none keeps to the budgets"):
        search_shapes.search(study, budgets, few_digits, ONE_EPOCH, 1)
    assert [trial.state for trial in study.get_trials()] == [TrialState.PRUNED]
    assert not shape_trials.find_trained(study)
    printed = capsys.readouterr().err
    assert line in printed if line else not printed


def test_shape_outside_of_the_budgets_cannot_be_enqueued(study):
    with pytest.raises(TrainingError, match=rf"cannot try {MICRO}.*13,108 parameters"):
        search_shapes.prepare(study, shapes.Budgets(8192, 310_000), ONE_EPOCH, [MICRO])
    assert not study.get_trials()


@pytest.mark.parametrize("name", ["pico", "micro"])
def test_measured_bytes_are_no_fewer_than_those_of_the_trained_model(name):
    measured = shape_trials.measure_bytes(architectures.build(name))
    shipped = find_model(name).stat().st_size
    assert shipped <= measured <= 1.05 * shipped


def test_far_below_the_median_of_its_size_is_hopeless(study):
    for size in (4000, 4000, 4100, 4100, 9000):
        trial = study.ask()
        trial.set_user_attr("bytes", size)
        trial.set_user_attr("accuracies", [0.8, 0.99 if size == 9000 else 0.9])
        study.tell(trial, [0.9, size, 1])
    assert shape_trials.is_hopeless(study, 4096, 0.89)
    assert not shape_trials.is_hopeless(study, 4096, 0.897)
    assert not shape_trials.is_hopeless(study, 9000, 0.5), "too few of its size"


def test_hopeless_candidate_is_stopped(study, few_digits, monkeypatch, capsys):
    enqueue(study, SMALL[0])
    monkeypatch.setattr(shape_trials, "is_hopeless", lambda *_: True)
    search_shapes.search(study, SMALL_BUDGETS, few_digits, replace(ONE_EPOCH, epochs=4), 1)
    (trial,) = shape_trials.find_trained(study)
    assert trial.state == TrialState.PRUNED
    assert len(trial.user_attrs["accuracies"]) == shape_trials.STOP_EPOCH
    assert capsys.readouterr().err.endswith(f"{SMALL[0]}  stopped\n")


def test_nothing_to_show_is_an_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["", "--show", "--storage", str(tmp_path / "none.sqlite")])
    assert search_shapes.main() == 1
    assert "error: there is no search in" in capsys.readouterr().err
