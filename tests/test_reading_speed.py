import math

import pytest

pytest.importorskip("cv2", reason="needs OpenCV: pip install 'edge-mnist[vision]'")
pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'edge-mnist[train]'")

import reading_speed
from reading_speed_report import Case, fit_growth, render_aims

from edge_mnist.runtime import Classifier
from edge_mnist.vision.reader import Reader


def case(name, p50_ms, model_ms=0.0, digits=8):
    stages_ms = {"ink": p50_ms - model_ms, "model": model_ms}
    return Case(name, digits, digits, p50_ms, p50_ms, p50_ms, stages_ms)


def draw(digits, amount, height):
    rows = reading_speed.write_rows(digits, -(-amount // 10), height)
    (shown,) = reading_speed.share_out(rows, amount)[:1] if amount else [[]]
    return reading_speed.draw_frame(shown, (640, 480), height, seed=0)


def test_stages_of_a_frame_add_up(mnist):
    reader = Reader(Classifier.load())
    frame = draw(mnist.train, 5, 40)
    found = reading_speed.measure_case("some", reader, [frame], 5, rounds=5)
    assert list(found.stages_ms) == ["ink", "segments", "crops", "cuts", "model", "rest"]
    assert all(found.stages_ms[stage] > 0 for stage in ("ink", "segments", "crops", "model"))
    assert found.stages_ms["rest"] >= 0
    assert 0 < found.classification_share < 1
    assert 4 <= found.read <= 5


def test_empty_frame_costs_no_classification(mnist):
    frame = draw(mnist.train, 0, 40)
    stages = reading_speed.measure_stages(Reader(Classifier.load()), [frame])
    assert stages["model"] == stages["crops"] == stages["cuts"] == 0
    assert stages["ink"] > 0


def test_clocks_are_taken_away_afterwards():
    modules = {module for module, _ in reading_speed.STAGES.values()}
    before = [(module, vars(module).copy()) for module in modules]
    with reading_speed.clocked_stages():
        assert all(vars(module) != names for module, names in before)
    assert all(vars(module) == names for module, names in before)


def test_printed_page_is_full_of_ink_and_of_no_digits():
    page = reading_speed.draw_printed_page((640, 480), seed=1)
    assert page.shape == (480, 640, 3)
    assert 0.02 < (page < 120).mean() < 0.3
    assert len(Reader(Classifier.load()).read(page).digits) <= 2


@pytest.mark.parametrize("digits", [1, 5, 100])
def test_drawn_digits_are_in_the_frame(digits, mnist):
    empty = draw(mnist.train, 0, 26)
    frame = draw(mnist.train, digits, 26)
    assert frame.shape == (480, 640, 3)
    changed = (frame.astype(int) - empty < -60).any(axis=2)
    assert changed.sum() > 20 * digits
    assert not changed[:8].any()
    assert not changed[-8:].any()
    assert not changed[:, :8].any()
    assert not changed[:, -8:].any()


@pytest.mark.parametrize("amount", [1, 5, 10, 50])
def test_all_cases_show_the_same_digits(amount, mnist):
    rows = reading_speed.write_rows(mnist.train, 10, 26)
    frames = reading_speed.share_out(rows, amount)
    assert len(frames) == 100 // amount
    assert all(sum(len(row.glyphs) for row in frame) == amount for frame in frames)
    shown = [glyph for frame in frames for row in frame for glyph in row.glyphs]
    written = [glyph for row in rows for glyph in row.glyphs]
    assert all(one is other for one, other in zip(shown, written, strict=True))


def test_growth_is_the_cost_of_one_more_digit():
    series = [case(str(n), 3 + 0.2 * n, digits=n) for n in (1, 5, 20)]
    series += [case(str(n), 7 + 0.5 * (n - 20), digits=n) for n in (50, 100)]
    assert fit_growth(series, 0, 20) == pytest.approx(0.2)
    assert fit_growth(series, 20, math.inf) == pytest.approx(0.5)


def test_aims_are_reached_or_missed():
    reached = [case("small", 4.0, 0.7), case("large", 9.9), case("empty", 2)]
    rows = render_aims(reached, few=0.2, many=0.22).splitlines()[2:]
    assert rows == [
        "| small, p50 | ≤ 4 ms | 4.00 ms | reached |",
        "| large, p50 | ≤ 10 ms | 9.90 ms | reached |",
        "| the model's share | < 20 % | 17.5 % | reached |",
        "| one more digit among many, against one among few | ≤ 1 (noise: 1.15) | 1.10 | reached |",
        "| classification of an empty frame | none | 0.00 ms | reached |",
    ]
    missed = [case("small", 4.1, 2), case("large", 10.1), case("empty", 2, 0.1)]
    rows = render_aims(missed, few=0.2, many=0.3).splitlines()[2:]
    assert all(row.endswith("| **missed** |") for row in rows)
