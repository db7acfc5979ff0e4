import json

import numpy as np
import pytest

from edge_mnist.bench import contest
from edge_mnist.bench.inputs import find_images
from edge_mnist.bench.protocol import Protocol
from edge_mnist.bench.request import BenchRequest, usual_threads
from edge_mnist.bench.run import run_bench
from edge_mnist.engines import ENGINE_MODULES, installed_engines
from edge_mnist.errors import InvalidInputError
from edge_mnist.latency import Ratio
from edge_mnist.model_card import hash_bytes
from edge_mnist.model_store import find_model

QUICK = Protocol(
    duration_s=0.02, min_runs=6, rounds=6, warmup_window_s=0.005, max_warmup_s=0.2, cold_starts=2
)
MEASURES = {"invoke", "copied", "predict", "picture"}


@pytest.fixture(scope="module")
def images():
    return find_images()[0]


def hold(request, images):
    return run_bench(request, images, "test images", lambda line: None)


@pytest.fixture(scope="module")
def report(images):
    return hold(BenchRequest(("micro",), protocol=QUICK), images)


def test_every_installed_engine_is_measured_with_and_without_delegate(report):
    found = [(row.setting.engine, row.setting.delegate) for row in report.rows]
    assert found == [(engine, on) for engine in installed_engines() for on in (True, False)]
    assert report.is_complete
    for row in report.rows:
        assert row.version == installed_engines()[row.setting.engine]
        assert set(row.latency) == MEASURES | {f"batch {n}" for n in (1, 8, 32, 128, 256)}


def test_figures_are_consistent(report):
    for row in report.rows:
        for stats in row.latency.values():
            assert stats.runs >= 6
            assert 0 < stats.min_us <= stats.p50_us <= stats.p90_us <= stats.p99_us
        # A picture of 100x100 takes several times as long as the model on it.
        assert row.latency["picture"].min_us > row.latency["invoke"].min_us
        # Starting Python takes longer than loading a model, and that longer than running it.
        assert row.cold_start_ms > row.load_ms > row.latency["invoke"].min_us / 1000
        assert row.peak_resident_bytes > 1_000_000
        assert row.resident_bytes > 1_000_000


def test_ratios_are_against_the_first_row(report):
    first, *others = report.rows
    assert (first.ratios, first.baseline) == ({}, None)
    for row in others:
        assert row.baseline == first.key
        assert set(row.ratios) == set(row.latency)


def test_turns_of_one_measure_follow_each_other_and_make_the_ratio(images, monkeypatch):
    turns = []

    class Scripted(contest.Worker):
        """Takes its turns, and tells 10 µs with the delegate and 30 without."""

        def __init__(self, module, options):
            super().__init__(module, options)
            self.p50_us = 10.0 if json.loads(options)["setting"]["delegate"] else 30.0

        def ask(self, do, **options):
            answer = super().ask(do, **options)
            if do != "time":
                return answer
            turns.append((options["call"], self.p50_us))
            return {"p50_us": self.p50_us}

    monkeypatch.setattr(contest, "Worker", Scripted)
    engine = next(iter(installed_engines()))
    _, second = hold(BenchRequest(("pico",), engines=(engine,), protocol=QUICK), images).rows
    assert set(second.ratios.values()) == {Ratio(3.0, 3.0, 3.0)}
    one_round = [(name, p50_us) for name in second.latency for p50_us in (10.0, 30.0)]
    assert turns == one_round * QUICK.rounds


def test_model_is_told_from_its_file(report):
    (model,) = report.models
    content = find_model("micro").read_bytes()
    assert (model.size_bytes, model.sha256) == (len(content), hash_bytes(content))
    assert model.anatomy.number_format == "int8"


def test_settings_read_the_same_digits(report):
    assert all(row.agreement > 0.99 for row in report.rows)


def test_what_cannot_be_measured_has_a_row_that_says_why(images, tmp_path):
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(find_model("micro").read_bytes()[:9000])
    no_model = tmp_path / "notes.tflite"
    no_model.write_text("not a model" * 10)
    names = ("giant", str(no_model), str(broken), "micro")
    engine = next(iter(installed_engines()))
    request = BenchRequest(names, engines=(engine,), delegates=(True,), protocol=QUICK)
    report = hold(request, images)
    errors = {row.model: row.error for row in report.rows}
    assert "cannot find the model" in errors["giant"]
    assert "it is not a .tflite file" in errors[str(no_model)]
    assert errors[str(broken)]
    assert errors["micro"] is None
    assert not report.is_complete


def test_engine_that_is_not_installed_has_a_row_that_says_so(images, monkeypatch):
    have = list(installed_engines())[:1]
    monkeypatch.setattr("edge_mnist.engines.is_installed", lambda name: name in have)
    request = BenchRequest(
        ("micro",), engines=tuple(ENGINE_MODULES), delegates=(True,), protocol=QUICK
    )
    rows = {row.setting.engine: row for row in hold(request, images).rows}
    for engine, row in rows.items():
        assert (row.error is None) == (engine in have)
        if row.error:
            assert f"{engine} is not installed" in row.error
            assert "pip install" in row.error


def test_too_many_take_turns_with_those_of_their_model(images, monkeypatch):
    monkeypatch.setattr(contest, "MAX_AT_ONCE", 2)
    engine = next(iter(installed_engines()))
    request = BenchRequest(("pico", "nano"), engines=(engine,), protocol=QUICK)
    report = hold(request, images)
    assert [row.baseline for row in report.rows] == [
        None,
        ("pico", engine),
        None,
        ("nano", engine),
    ]


def test_too_many_of_one_model_take_turns_with_its_first_in_parts(images, monkeypatch):
    running, most = [], []

    class Counted(contest.Worker):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            running.append(self)
            most.append(len(running))

        def close(self):
            running.remove(self)
            super().close()

    monkeypatch.setattr(contest, "MAX_AT_ONCE", 2)
    monkeypatch.setattr(contest, "Worker", Counted)
    engine = next(iter(installed_engines()))
    request = BenchRequest(("pico",), engines=(engine,), threads=(1, 2), protocol=QUICK)
    first, *others = hold(request, images).rows
    assert [row.setting for row in (first, *others)] == request.settings()
    assert [row.baseline for row in others] == [first.key] * 3
    assert max(most) == 2


def test_duration_that_the_clock_cannot_tell_is_no_ratio(images, monkeypatch):
    class Instant(contest.Worker):
        def ask(self, do, **options):
            answer = super().ask(do, **options)
            return {"p50_us": 0.0} if do == "time" else answer

    monkeypatch.setattr(contest, "Worker", Instant)
    engine = next(iter(installed_engines()))
    first, second = hold(BenchRequest(("pico",), engines=(engine,), protocol=QUICK), images).rows
    assert first.error is None
    assert "durations above 0" in second.error


def test_interrupt_ends_every_process(images, monkeypatch):
    workers = []

    class Interrupted(contest.Worker):
        def ask(self, do, **options):
            workers.append(self)
            if do == "time":
                raise KeyboardInterrupt
            return super().ask(do, **options)

    monkeypatch.setattr(contest, "Worker", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        hold(BenchRequest(("pico",), protocol=QUICK), images)
    assert workers
    assert all(worker._process.poll() is not None for worker in workers)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ()}, "no model to measure: expected at least one, got none"),
        ({"engines": ("onnx",)}, "unknown engine: expected all, auto, .* got 'onnx'"),
        ({"threads": (0,)}, "threads: expected at least 1, got 0"),
    ],
)
def test_wrong_requests_are_refused(options, message):
    with pytest.raises(InvalidInputError, match=f"^{message}$"):
        BenchRequest(**{"models": ("micro",), **options})


def test_threads_worth_trying_are_no_more_than_the_cores(monkeypatch):
    monkeypatch.setattr("edge_mnist.bench.request.count_cores", lambda: 4)
    assert usual_threads() == (1, 2, 4)
    monkeypatch.setattr("edge_mnist.bench.request.count_cores", lambda: 6)
    assert usual_threads() == (1, 2, 4)


def test_drawn_digits_stand_in_where_mnist_is_not_at_hand(monkeypatch):
    monkeypatch.setattr("edge_mnist.bench.inputs.locate_mnist", lambda name: None)
    images, words = find_images()
    assert (images.shape, images.dtype) == ((256, 28, 28), np.uint8)
    assert "drawn digits" in words
    assert len(np.unique(images, axis=0)) > 200
