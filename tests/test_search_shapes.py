import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("optuna")
pytest.importorskip("edge_mnist.training.architectures", exc_type=ImportError)

from optuna.trial import FixedTrial, TrialState

from edge_mnist.dataset import Dataset, Examples
from edge_mnist.errors import TrainingError
from edge_mnist.quantization.convert import convert_int8
from edge_mnist.training import architectures
from edge_mnist.training.architectures import Architecture, Conv, GlobalAverage

pytestmark = pytest.mark.train

PATH = Path(__file__).parent.parent / "tools" / "search_shapes.py"
SMALL = ["4@5s2v-6@3s2v-10@3v", "4@5s2-8@3s2v-10@3s2v"]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("search_shapes", PATH)
    module = sys.modules["search_shapes"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["search_shapes"]


@pytest.fixture(autouse=True)
def _no_candidate_is_left():
    yield
    architectures.ARCHITECTURES.pop("candidate", None)


@pytest.fixture
def few_digits():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    examples = Examples(images, (np.arange(40) % 10).astype(np.uint8))
    return Dataset("few", examples, examples, None, "")


def test_notation_tells_every_property(tool):
    shape = (
        Conv(8, 5, stride=2, batch_norm=True),
        Conv(16, 3, padding="valid", batch_norm=True),
        Conv(24, 4, stride=2, padding="valid", batch_norm=True),
        GlobalAverage(),
    )
    assert tool.write_shape(shape) == "8@5s2-16@3v-24@4s2v-gap"
    assert tool.parse_shape("8@5s2-16@3v-24@4s2v-gap") == shape


def test_known_shapes_can_be_drawn(tool):
    budgets = tool.Budgets(16384, 450_000)
    for notation in tool.KNOWN_SHAPES:
        shape = tool.parse_shape(notation)
        assert tool.write_shape(shape) == notation
        assert tool.draw_shape(FixedTrial(tool.to_parameters(shape)), budgets) == shape


@pytest.mark.parametrize(
    ("notation", "expected"),
    [
        ("8@5s2-16x3", "as in 8@5s2-16@3v"),
        ("8@5s2-15@3", "even numbers of filters"),
        ("8@5s2-gap", "two to five convolutions"),
    ],
)
def test_bad_notation_is_refused(tool, notation, expected):
    with pytest.raises(TrainingError, match=expected):
        tool.parse_shape(notation)


@pytest.mark.parametrize(
    ("notation", "reason"),
    [
        ("4@5s2v-6@3s2v-10@3v", None),
        ("8@5s2-16@3v-16@3s2v-32@3v", "about 14,3"),
        ("4@3s2v-4@2s2v-gap", "about 1,8"),
        ("4@5-6@3s2-6@3s2-8@3s2-gap", "multiply-adds"),
        ("4@7s2v-8@5s2v-8@5v", "the picture is used up"),
        ("8@5s2v-6@3s2v-6@3v", "fewer filters than in the layer before"),
    ],
)
def test_what_exceeds_the_budgets_is_dropped_before_training(tool, notation, reason):
    budgets = tool.Budgets(4096, 100_000, min_bytes=3200)
    found = tool.check_budgets(tool.parse_shape(notation), budgets)
    assert found is None if reason is None else reason in found


@pytest.mark.parametrize(
    "notation", ["4@5s2v-6@3s2v-10@3v", "8@5s2-16@3s2-24@3s2-gap", "4@5s2-6@3s2-8@3s2-10@3s2v"]
)
def test_estimate_is_near_the_converted_files_size(tool, monkeypatch, notation):
    shape = tool.parse_shape(notation)
    monkeypatch.setitem(architectures.ARCHITECTURES, "estimated", Architecture("", shape))
    content = convert_int8(architectures.build("estimated"), np.zeros((1, 28, 28), np.uint8))
    assert tool.estimate_bytes(shape) == pytest.approx(len(content), rel=tool.ESTIMATE_TOLERANCE)


def test_search_goes_on_where_it_ended(tool, tmp_path, few_digits, capsys):
    storage = tmp_path / "search" / "study.sqlite"
    budgets = tool.Budgets(4096, 130_000, min_bytes=3200)
    for trials in (1, 2):
        study = tool.open_study(storage, seed=0, trials=trials)
        tool.enqueue(study, SMALL, budgets)
        assert tool.search(study, budgets, few_digits, trials, epochs=1, seed=0)
        assert tool.count_trained(study) == trials
    trials = study.get_trials(states=(TrialState.COMPLETE,))
    assert [trial.user_attrs["shape"] for trial in trials] == SMALL
    assert all(trial.values[1] == trial.user_attrs["bytes"] <= 4096 for trial in trials)
    assert capsys.readouterr().err.count(" bytes ") == 2
    with pytest.raises(TrainingError, match="--epochs 1, as before"):
        tool.search(study, budgets, few_digits, 3, epochs=2, seed=0)
    rows = tool.find_front(study)
    assert rows
    assert not tool.search(study, budgets, few_digits, 9, epochs=1, seed=0, at_most=0)
    assert {row["shape"] for row in rows} <= set(SMALL)
    table = tool.render_front(rows)
    assert f"| {rows[0]['bytes']:,} |" in table
    assert "Conv(filters=4, kernel=5, stride=2" in table


def test_shape_that_exceeds_the_budgets_is_not_trained(tool, tmp_path, few_digits, monkeypatch):
    study = tool.open_study(tmp_path / "study.sqlite", seed=0, trials=4)
    study.enqueue_trial(tool.to_parameters(tool.parse_shape(SMALL[0])))
    monkeypatch.setattr(tool, "DRAWS_PER_TRIAL", 1)
    with pytest.raises(TrainingError, match="too few keep to the budgets"):
        tool.search(study, tool.Budgets(4096, 1), few_digits, 1, epochs=1, seed=0)
    assert tool.count_trained(study) == 0
    first = study.get_trials()[0]
    assert first.state == TrialState.PRUNED
    assert first.user_attrs["reason"] == "25,560 multiply-adds"


def test_shape_outside_of_the_budgets_cannot_be_enqueued(tool, tmp_path):
    study = tool.open_study(tmp_path / "study.sqlite", seed=0, trials=4)
    with pytest.raises(TrainingError, match=r"cannot try 8@5s2-16.*14,373 bytes"):
        tool.enqueue(study, ["8@5s2-16@3v-16@3s2v-32@3v"], tool.Budgets(8192, 300_000))
    assert not study.get_trials()


def test_far_below_the_median_of_its_size_is_hopeless(tool, tmp_path):
    study = tool.open_study(tmp_path / "study.sqlite", seed=0, trials=4)
    for size in (4000, 4000, 4100, 4100, 9000):
        trial = study.ask()
        trial.set_user_attr("bytes", size)
        trial.set_user_attr("accuracies", [0.8, 0.99 if size == 9000 else 0.9])
        study.tell(trial, [0.9, size, 1])
    assert tool.is_hopeless(study, 4096, 0.89)
    assert not tool.is_hopeless(study, 4096, 0.897)
    assert not tool.is_hopeless(study, 9000, 0.5), "too few of its size"
