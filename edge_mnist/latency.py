"""How long something takes, told so that the figures mean something."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import InvalidInputError

DEFAULT_RUNS = 1000
DEFAULT_WARMUP_RUNS = 100

CONFIDENCE = 0.95
# The fewest values whose extremes enclose the median with that confidence: 1 - 2 / 2**6 is 0.97.
MIN_PAIRS = 6


@dataclass(frozen=True)
class LatencyStats:
    """Durations of single calls in microseconds, after a warm-up."""

    p50_us: float
    p90_us: float
    p99_us: float
    min_us: float
    mean_us: float
    iqr_us: float  # from the 25th to the 75th percentile: the spread
    runs: int


@dataclass(frozen=True)
class Ratio:
    """How many times as long one thing takes as another, in pairs measured next to each other."""

    ratio: float  # the median of the pairs' ratios
    low: float  # 95 % interval of that median
    high: float


def measure(
    call: Callable[[], object],
    *,
    runs: int = DEFAULT_RUNS,
    warmup_runs: int = DEFAULT_WARMUP_RUNS,
) -> LatencyStats:
    """Time a call, each run on its own.

    The clock's own cost (about 0.1 µs) is part of each run.

    Args:
        call: What to time; its result is dropped.
        runs: How many calls are timed, at least 2.
        warmup_runs: How many calls come before those, untimed.

    Raises:
        InvalidInputError: If `runs` is below 2.
    """
    check_runs(runs)
    for _ in range(warmup_runs):
        call()
    clock = time.perf_counter_ns
    durations_ns = np.empty(runs, np.int64)
    for run in range(runs):
        started = clock()
        call()
        durations_ns[run] = clock() - started
    return summarize(durations_ns)


def check_runs(runs: int) -> None:
    """Refuse what no statistics can be made of.

    Raises:
        InvalidInputError: If `runs` is below 2.
    """
    if runs < 2:
        raise InvalidInputError("runs", expected="at least 2: one has no spread", got=str(runs))


def summarize(durations_ns: NDArray[np.int64]) -> LatencyStats:
    """Return the statistics of single durations.

    Args:
        durations_ns: int64 [N] in nanoseconds, N at least 2.

    Raises:
        InvalidInputError: If there are fewer than 2.
    """
    check_runs(len(durations_ns))
    durations_us = durations_ns / 1000
    p25, p50, p75, p90, p99 = np.percentile(durations_us, [25, 50, 75, 90, 99])
    return LatencyStats(
        p50_us=float(p50),
        p90_us=float(p90),
        p99_us=float(p99),
        min_us=float(durations_us.min()),
        mean_us=float(durations_us.mean()),
        iqr_us=float(p75 - p25),
        runs=len(durations_us),
    )


def compare_pairs(durations: Sequence[float], others: Sequence[float]) -> Ratio:
    """Compare two things that took turns, pair by pair.

    The interval is the distribution-free one of a median, by order statistics (Conover, "Practical
    Nonparametric Statistics", 3rd ed. 1999, section 3.2): as many values lie below the median as
    heads come up in as many throws of a coin.

    Args:
        durations: One of each round, above 0, at least MIN_PAIRS of them.
        others: What it is compared with in the same rounds, of the same unit.

    Raises:
        InvalidInputError: If there are too few pairs, unequal numbers of them, or one of no length.
    """
    if len(durations) != len(others) or len(durations) < MIN_PAIRS:
        raise InvalidInputError(
            "cannot compare",
            expected=f"at least {MIN_PAIRS} pairs of durations",
            got=f"{len(durations)} and {len(others)}",
        )
    if min(*durations, *others) <= 0:
        raise InvalidInputError(
            "cannot compare", expected="durations above 0", got="one that the clock cannot tell"
        )
    ratios = np.sort(np.asarray(durations, np.float64) / np.asarray(others, np.float64))
    outside = _count_outside(len(ratios))
    return Ratio(float(np.median(ratios)), float(ratios[outside]), float(ratios[-1 - outside]))


def _count_outside(pairs: int) -> int:
    """Return how many of the sorted values on either side the interval leaves out."""
    below, count = 0.0, 0
    while True:
        below += math.comb(pairs, count) / 2**pairs
        if below > (1 - CONFIDENCE) / 2:
            return max(count - 1, 0)
        count += 1
