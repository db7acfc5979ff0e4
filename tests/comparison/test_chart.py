import re

import cv2
import numpy as np
import pytest

from edge_mnist.comparison.chart import OUR_COLOR, draw_comparison, format_us
from edge_mnist.errors import InvalidInputError

ROWS = [
    ("keras predict", 40_000.0, 1900.0, 2100.0),
    ("micro, tflite-runtime", 20.0, 1.0, 1.0),
    ("onnxruntime", 25.0, 1.2, 1.3),
]


@pytest.fixture
def draw(tmp_path, monkeypatch):
    """Return a function that draws rows and returns the axes and the picture."""
    from matplotlib.figure import Figure

    figures = []

    class Kept(Figure):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            figures.append(self)

    monkeypatch.setattr("edge_mnist.comparison.chart.Figure", Kept)

    def draw_rows(rows, **options):
        draw_comparison(rows, "micro on a board", tmp_path / "chart.png", **options)
        return figures[-1].axes[0], cv2.imread(str(tmp_path / "chart.png"))

    return draw_rows


def test_the_quickest_is_on_top_with_its_time_and_the_others_with_their_ratios(draw):
    axes, _ = draw(ROWS)
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["micro, tflite-runtime", "onnxruntime", "keras predict"]
    assert axes.yaxis_inverted()
    assert [text.get_text() for text in axes.texts] == [
        "20.0 µs",
        "25.0 µs, 1.20 to 1.30 times",
        "40.0 ms, 1,900 to 2,100 times",
    ]


def test_ours_is_highlighted(draw):
    blue = np.array([int(part, 16) for part in re.findall("..", OUR_COLOR[1:])[::-1]])
    _, picture = draw(ROWS)
    assert (picture == blue).all(axis=2).any()
    _, picture = draw([row for row in ROWS if "micro" not in row[0]])
    assert not (picture == blue).all(axis=2).any()
    _, picture = draw(ROWS, ours=["onnxruntime"])
    assert (picture == blue).all(axis=2).any()


@pytest.mark.parametrize(
    "rows",
    [
        ROWS,
        ROWS[:1],
        [("a", 1, 1, 1), ("b", 1, 1, 1)],
        [(f"large (float32), {'a setting ' * 6}", 1, 1, 1), (ROWS[0])],
        ROWS * 6,
    ],
)
def test_labels_stay_inside_the_picture(rows, draw):
    axes, _ = draw(rows)
    for text in axes.texts:
        assert text.get_window_extent().x1 <= axes.figure.bbox.x1
        assert axes.figure.bbox.y0 <= text.get_window_extent().y0


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0.123, "0.123 µs"),
        (4.25, "4.25 µs"),
        (42.46, "42.5 µs"),
        (999.4, "999 µs"),
        (999.6, "1.00 ms"),
        (36_600, "36.6 ms"),
        (2_500_000, "2.50 s"),
    ],
)
def test_times_have_three_digits(microseconds, text):
    assert format_us(microseconds) == text


def test_nothing_to_draw_is_said(draw):
    with pytest.raises(InvalidInputError, match="expected at least one bar, got none"):
        draw([])


@pytest.mark.parametrize("time", [0, -1, float("nan"), float("inf")])
def test_time_that_is_none_is_refused(time, draw):
    with pytest.raises(
        InvalidInputError, match=r"tf\.function in a chart: expected a time above 0"
    ):
        draw([("tf.function", time, 1, 1)])
