"""How long something takes, measured so that the figure means something."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_mnist.errors import InvalidInputError

DEFAULT_RUNS = 1000
DEFAULT_WARMUP_RUNS = 100


@dataclass(frozen=True)
class LatencyStats:
    """Durations of single calls in microseconds, after a warm-up."""

    p50_us: float
    p90_us: float
    p99_us: float
    mean_us: float
    min_us: float
    runs: int


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
        runs: How many calls are timed, at least 1.
        warmup_runs: How many calls come before those, untimed.

    Raises:
        InvalidInputError: If `runs` is below 1.
    """
    if runs < 1:
        raise InvalidInputError("runs", expected="at least 1", got=str(runs))
    for _ in range(warmup_runs):
        call()
    clock = time.perf_counter_ns
    durations_ns = np.empty(runs, np.int64)
    for run in range(runs):
        started = clock()
        call()
        durations_ns[run] = clock() - started
    durations_us = durations_ns / 1000
    p50, p90, p99 = np.percentile(durations_us, [50, 90, 99])
    return LatencyStats(
        p50_us=float(p50),
        p90_us=float(p90),
        p99_us=float(p99),
        mean_us=float(durations_us.mean()),
        min_us=float(durations_us.min()),
        runs=runs,
    )
