from types import SimpleNamespace

import pytest

from edge_mnist import latency
from edge_mnist.errors import InvalidInputError
from edge_mnist.latency import LatencyStats, measure


def test_times_each_call_after_the_warmup(monkeypatch):
    now_ns, calls = [0], []

    def call():
        calls.append(len(calls))
        # The warm-up's 3 calls take 1 ms; then 1, 2, ... 101 us, the longest first.
        now_ns[0] += 1_000_000 if len(calls) <= 3 else 1000 * (105 - len(calls))

    monkeypatch.setattr(latency, "time", SimpleNamespace(perf_counter_ns=lambda: now_ns[0]))
    stats = measure(call, runs=101, warmup_runs=3)
    assert len(calls) == 104
    # Of 1 to 101 us, the percentile p is 1 + p.
    assert stats == LatencyStats(p50_us=51, p90_us=91, p99_us=100, mean_us=51, min_us=1, runs=101)


@pytest.mark.parametrize("runs", [0, -1])
def test_refuses_to_measure_nothing(runs):
    with pytest.raises(InvalidInputError, match=f"^runs: expected at least 1, got {runs}$"):
        measure(lambda: None, runs=runs)
