import dataclasses

import pytest

from edge_mnist.anatomy import Anatomy, Operator
from edge_mnist.bench.protocol import ClockFacts, Protocol, WarmUp
from edge_mnist.bench.report import BenchReport, MeasuredModel, Row
from edge_mnist.engines import EngineSetting
from edge_mnist.latency import LatencyStats, Ratio
from edge_mnist.machine import Conditions, Machine

CALM = Conditions(load_average=0.1, frequency_mhz=1500.0, governor="performance", throttling=[])


def stats(p50_us):
    return LatencyStats(p50_us, p50_us * 2, p50_us * 4, p50_us / 2, p50_us * 1.5, 1.0, 1000)


@pytest.fixture
def make_row():
    """Return a function that makes a row of a model, in an engine, with a median of predict."""

    def make(model="micro", engine="tflite-runtime", p50_us=20.0, ratio=None, **fields):
        setting = EngineSetting(engine)
        compared = {}
        if ratio is not None:
            ratios = {"predict": Ratio(ratio, ratio * 0.98, ratio * 1.02)}
            compared = {"ratios": ratios, "baseline": ("micro", "tflite-runtime")}
        row = Row(
            model,
            str(setting),
            setting,
            version="1.0",
            latency={"predict": stats(p50_us)},
            warm_up={"predict": WarmUp(100, 0.2, True)},
            cold_start_ms=150.0,
            peak_resident_bytes=44 << 20,
        )
        return dataclasses.replace(row, **{**compared, **fields})

    return make


@pytest.fixture
def make_model():
    """Return a function that makes a measured model of one convolution."""

    def make(name="micro", number_format="int8", width=8):
        convolution = Operator("CONV_2D", [1, 12, 12, width], 208, 28_800, 1.0)
        anatomy = Anatomy(number_format, 208, 28_800, 1936, [convolution])
        return MeasuredModel(name, 15_408, "ab" * 32, anatomy)

    return make


@pytest.fixture
def make_report(make_model):
    """Return a function that makes a report of rows on a calm machine."""

    def make(*rows, models=None, **fields):
        names = dict.fromkeys(row.model for row in rows)
        report = BenchReport(
            edge_mnist="0.1.0",
            measured_at="2026-01-01T00:00:00+00:00",
            machine=Machine("", "Test CPU", ["avx2"], 4, 1 << 33, "Linux 6", "x86_64", "3.11.7"),
            before=CALM,
            after=CALM,
            clock=ClockFacts(40, 60.0),
            protocol=Protocol(),
            inputs="drawn digits",
            models=models or [make_model(name) for name in names],
            rows=list(rows),
        )
        return dataclasses.replace(report, **fields)

    return make
