import platform

import pytest

from edge_mnist import Classifier, benchmark
from edge_mnist.benchmark import draw_sample, run_benchmarks
from edge_mnist.engines import installed_engines
from edge_mnist.errors import InvalidInputError, ModelError
from edge_mnist.model_store import find_model
from edge_mnist.preprocessing import normalize_digit


@pytest.fixture(autouse=True)
def few_cold_starts(monkeypatch):
    monkeypatch.setattr(benchmark, "COLD_STARTS", 2)


def test_all_installed_engines_are_measured():
    results = run_benchmarks(runs=3)
    assert {result.engine: result.engine_version for result in results} == installed_engines()
    for result in results:
        assert result.model == str(find_model())
        assert result.size_bytes == find_model().stat().st_size
        assert result.threads == 1
        assert platform.machine() in result.machine
        for stats in (result.inference, result.preprocessing_and_inference):
            assert stats.runs == 3
            assert 0 < stats.min_us <= stats.p50_us <= stats.p99_us
        # Preprocessing is part of the second alone.
        assert result.preprocessing_and_inference.min_us > result.inference.min_us
        # Starting Python and loading the model takes longer than running it.
        assert result.cold_start_ms * 1000 > result.inference.min_us


def test_one_engine_is_measured_with_threads(engine):
    (result,) = run_benchmarks("micro", engine=engine, threads=2, runs=1)
    assert (result.engine, result.threads) == (engine, 2)


def test_sample_is_a_seven():
    picture = draw_sample()
    assert Classifier.load().predict(normalize_digit(picture).image).digit == 7


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"engine": "onnx"},
            InvalidInputError,
            "unknown engine: expected all, auto, .* got 'onnx'",
        ),
        ({"threads": 0}, InvalidInputError, "threads: expected at least 1, got 0"),
        ({"runs": 0}, InvalidInputError, "runs: expected at least 1, got 0"),
        ({"model": "giant"}, ModelError, "cannot find the model: .* got 'giant'"),
    ],
)
def test_wrong_arguments_are_refused(options, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        run_benchmarks(**options)
