from types import SimpleNamespace

import numpy as np
import pytest

from edge_mnist import latency
from edge_mnist.errors import InvalidInputError
from edge_mnist.latency import LatencyStats, compare_pairs, measure, summarize


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
    assert stats == LatencyStats(
        p50_us=51, p90_us=91, p99_us=100, min_us=1, mean_us=51, iqr_us=50, runs=101
    )


@pytest.mark.parametrize("runs", [1, 0, -1])
def test_refuses_to_make_statistics_of_less_than_two_runs(runs):
    message = f"^runs: expected at least 2: one has no spread, got {runs}$"
    with pytest.raises(InvalidInputError, match=message):
        measure(lambda: None, runs=runs)


def test_one_duration_is_no_statistic():
    with pytest.raises(InvalidInputError, match=r"got 1$"):
        summarize(np.array([5], np.int64))


def test_ratio_of_two_that_drift_together():
    drift = np.array([1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
    ratio = compare_pairs(3 * drift, 2 * drift)
    assert (ratio.ratio, ratio.low, ratio.high) == (1.5, 1.5, 1.5)


def test_interval_of_the_median_leaves_out_what_the_binomial_allows():
    # With 20 pairs, 5 on either side lie outside with 95.9 %; 6 would leave 88.5 % (tables of the
    # binomial distribution: P(X <= 5) is 0.0207 for n 20, p 0.5).
    ratio = compare_pairs(list(range(1, 21)), [1] * 20)
    assert (ratio.ratio, ratio.low, ratio.high) == (10.5, 6, 15)


def test_interval_encloses_the_median_as_often_as_it_says():
    rng = np.random.default_rng(0)
    ones = [1.0] * 20
    ratios = [compare_pairs(rng.exponential(1, 20), ones) for _ in range(2000)]
    median = np.log(2)  # of that distribution
    enclosed = np.mean([ratio.low <= median <= ratio.high for ratio in ratios])
    assert 0.94 < enclosed < 0.98


@pytest.mark.parametrize(
    ("durations", "others", "got"),
    [
        ([1.0] * 5, [1.0] * 5, "5 and 5"),
        ([1.0] * 6, [1.0] * 7, "6 and 7"),
        ([1.0] * 6, [0.0] * 6, "one that the clock cannot tell"),
    ],
)
def test_refuses_what_has_no_ratio(durations, others, got):
    with pytest.raises(InvalidInputError, match=f"^cannot compare: expected .*, got {got}$"):
        compare_pairs(durations, others)
