import pytest

from edge_mnist.bench.checking import find_setbacks
from edge_mnist.errors import InvalidInputError


@pytest.fixture
def reference(make_row, make_report):
    return make_report(make_row(), make_row("small", ratio=2.0), make_row("large", ratio=4.0))


def test_what_is_as_quick_as_before_passes(reference):
    assert find_setbacks(reference, reference) == []


def test_slower_machine_passes(make_row, make_report, reference):
    # Everything takes ten times as long: the ratios are the same.
    slow = make_report(
        make_row(p50_us=200.0), make_row("small", ratio=2.0), make_row("large", ratio=4.0)
    )
    assert find_setbacks(slow, reference) == []


def test_row_that_got_worse_is_named(make_row, make_report, reference):
    report = make_report(make_row(), make_row("small", ratio=2.5), make_row("large", ratio=4.2))
    (setback,) = find_setbacks(report, reference, 0.1)
    assert (setback.model, setback.runner, setback.measure) == (
        "small",
        "tflite-runtime",
        "predict",
    )
    assert setback.what == "ratio 2.50 (2.45 to 2.55), was 2.00"


def test_tolerance_decides(make_row, make_report, reference):
    report = make_report(make_row(), make_row("small", ratio=2.5), make_row("large", ratio=4.0))
    assert find_setbacks(report, reference, 0.25) == []
    assert len(find_setbacks(report, reference, 0.2)) == 1


def test_worse_within_the_noise_passes(make_row, make_report, reference):
    # 11 % more, but the interval begins at 8.8 %.
    report = make_report(make_row(), make_row("small", ratio=2.22), make_row("large", ratio=4.0))
    assert find_setbacks(report, reference, 0.1) == []


def test_row_that_has_gone_or_failed_is_a_setback(make_row, make_report, reference):
    report = make_report(make_row(), make_row("small", error="it crashes"))
    assert [(setback.model, setback.what) for setback in find_setbacks(report, reference)] == [
        ("small", "no figures: it crashes"),
        ("large", "no figures: it was not measured"),
    ]


def test_other_yardstick_is_refused(make_row, make_report, reference):
    small = make_row("small", ratio=2.0, baseline=("large", "ai-edge-litert"))
    with pytest.raises(InvalidInputError) as told:
        find_setbacks(make_report(make_row(), small), reference)
    assert "expected micro in tflite-runtime, got large in ai-edge-litert" in str(told.value)


def test_reference_of_one_row_is_refused(make_row, make_report):
    alone = make_report(make_row())
    with pytest.raises(InvalidInputError, match="the reference has no ratios"):
        find_setbacks(alone, alone)


@pytest.mark.parametrize("tolerance", [-0.1, float("nan")])
def test_wrong_tolerance_is_refused(reference, tolerance):
    with pytest.raises(InvalidInputError, match="tolerance: expected 0 or more"):
        find_setbacks(reference, reference, tolerance)
