import dataclasses
import re
from types import SimpleNamespace

import numpy as np
import pytest

from edge_mnist.dataset import Examples
from edge_mnist.model_store import find_model
from edge_mnist.report.charts import Spot, draw_curve, draw_pareto
from edge_mnist.report.insight import look_into
from edge_mnist.report.measurement import measure
from edge_mnist.report.page import find_spots
from edge_mnist.report.repetition import bench_commands, list_commands
from edge_mnist.report.subject import open_subject, tell_apart
from edge_mnist.report.training import read_training
from edge_mnist.report.vector import Chart
from edge_mnist.training.history import EpochResult

HISTORY = [EpochResult(n, 1 / n, 1 - 0.5 / n, 0.9 / n, 1 - 0.4 / n, 1e-3, 1.0) for n in (1, 2, 3)]


def read_as(digits, confidences):
    """Return a reader that finds these digits, each with its confidence."""
    probabilities = np.repeat((1 - np.array(confidences))[:, None] / 9, 10, axis=1)
    probabilities[np.arange(len(digits)), digits] = confidences
    return lambda images: (probabilities, None)


def test_worst_mistakes_come_first():
    labels = np.array([0, 1, 2, 3, 4], np.uint8)
    examples = Examples(np.zeros((5, 28, 28), np.uint8), labels)
    measured = measure(read_as([0, 7, 7, 3, 7], [1.0, 0.6, 0.99, 0.5, 0.8]), examples)
    assert [(one.index, one.digit, one.confidence) for one in measured.mistakes] == [
        (2, 7, 0.99),
        (4, 7, 0.8),
        (1, 7, 0.6),
    ]
    assert measured.mistaken == 3
    assert [one.index for one in measured.samples] == [0, 1, 2, 3, 4]
    assert measured.evaluation.accuracy == 0.4
    assert sum(one.images for one in measured.bins) == 5


def test_titles_are_told_apart():
    pico = open_subject("pico", "auto")
    others = [dataclasses.replace(pico, name=name) for name in ("a/pico.tflite", "a/pico.tflite")]
    assert [one.title for one in tell_apart([pico, *others])] == [
        "pico",
        "a/pico.tflite",
        "a/pico.tflite (2)",
    ]
    assert tell_apart([pico])[0].title == "pico"


def test_shipped_model_is_made_again_by_its_card():
    subject = open_subject("pico", "auto")
    training = read_training(subject)
    assert list_commands(subject, training, "mnist") == [
        "edge-mnist train --config config.json --out runs/pico-again",
        "edge-mnist quantize runs/pico-again --int8 --method qat --qat-epochs 5 --name pico",
        "edge-mnist evaluate pico --data mnist",
        "edge-mnist report pico --data mnist",
    ]


def test_commands_are_as_a_shell_takes_them(tmp_path):
    model = tmp_path / "my model's.tflite"
    model.write_bytes(find_model("pico").read_bytes())
    subject = open_subject(str(model), "auto")
    quoted = f"'{tmp_path}/my model'\"'\"'s.tflite'"
    assert bench_commands(subject, model)[0] == f"edge-mnist bench {quoted} --out measured"
    assert list_commands(subject, read_training(subject), None) == [
        f"edge-mnist evaluate {quoted}",
        f"edge-mnist report {quoted}",
    ]


def make_report(title, size_bytes, accuracy):
    """Return as much of a ModelReport as the chart of accuracy over bytes takes."""
    found = SimpleNamespace(accuracy=accuracy, low=accuracy - 0.01, high=accuracy + 0.005)
    return SimpleNamespace(
        subject=SimpleNamespace(title=title),
        inspection=None if size_bytes is None else SimpleNamespace(size_bytes=size_bytes),
        measurement=SimpleNamespace(evaluation=found),
    )


def test_front_has_what_no_other_beats_in_both():
    spots = find_spots(
        [
            make_report("small", 4000, 0.98),
            make_report("worse and larger", 5000, 0.97),
            make_report("best", 9000, 0.99),
            make_report("as good and larger", 9001, 0.99),
            make_report("Keras", None, 0.999),
        ]
    )
    assert [spot.name for spot in spots if spot.is_best] == ["small", "best"]
    assert len(spots) == 4


@pytest.mark.parametrize("is_wide", [True, False])
def test_names_in_a_chart_are_text_and_nothing_else(is_wide):
    spots = [
        Spot("<script>alert(1)</script>", 4000, 0.98, 0.97, 0.985, is_best=True),
        Spot("$x$ --> 数字", 9000, 0.99, 0.985, 0.995, is_best=True),
    ]
    drawing = draw_pareto(spots, is_wide=is_wide)
    assert "<script>" not in drawing
    assert "&lt;script&gt;" in drawing
    assert "$x$ --&gt; 数字" in drawing


def test_chart_fetches_nothing_and_follows_the_page():
    drawing = draw_curve(HISTORY, "accuracy", "mine")
    assert drawing.startswith('<svg class="chart" role="img" viewBox="0 0 320 210"')
    assert "<title>accuracy of mine by epoch, in training and validation</title>" in drawing
    assert not re.search(r"https?:|<!--|<metadata|font-family|DejaVu", drawing)
    assert set(re.findall(r"(?:fill|stroke): (#\w+)", drawing)) == set()
    assert {"var(--first)", "var(--second)"} <= set(re.findall(r"var\(--\w+\)", drawing))
    assert drawing == draw_curve(HISTORY, "accuracy", "mine")


def test_no_two_charts_of_a_page_have_parts_of_the_same_name():
    ids = [
        set(re.findall(r'id="([^"]+)"', draw_curve(HISTORY, name, model)))
        for name in ("accuracy", "loss")
        for model in ("mine", "other")
    ]
    assert all(ids)
    assert len(set.union(*ids)) == sum(map(len, ids))


def test_empty_chart_is_a_drawing():
    assert Chart(50).render("nothing").endswith("</svg>")


def test_network_that_cannot_be_rebuilt_is_told_of_without_gradcam():
    from edge_mnist.errors import ModelError
    from edge_mnist.explanation.tflite_subject import TfliteSubject

    class Foreign(TfliteSubject):
        def compute_gradcams(self, image, digit, layers):
            raise ModelError("the model cannot be rebuilt: an operator")

    examples = Examples(np.zeros((2, 28, 28), np.uint8), np.array([0, 1], np.uint8))
    insight = look_into(Foreign("pico"), measure(read_as([0, 5], [0.9, 0.9]), examples))
    assert insight.no_gradcam == "the model cannot be rebuilt: an operator"
    assert [one.gradcams for one in insight.readings] == [[], []]
    assert [one.occlusion.digit for one in insight.readings] == [0, 5]
    assert len(insight.filters) == 3
