import numpy as np
import pytest

from edge_mnist.bench.protocol import Protocol, inspect_clock, time_block, warm_up
from edge_mnist.errors import InvalidInputError

MS = 1_000_000


class FakeClock:
    """A clock that moves only when something is said to take time."""

    def __init__(self):
        self.now_ns = 0

    def __call__(self):
        return self.now_ns

    def call(self, durations_ns):
        """Return a call whose run N takes as long as the N-th duration, or the last one."""

        def run(number):
            self.runs.append(number)
            self.now_ns += int(durations_ns[min(number, len(durations_ns) - 1)])

        self.runs = []
        return run


@pytest.fixture
def clock():
    return FakeClock()


def test_block_lasts_as_long_as_it_should(clock):
    durations = time_block(clock.call([3 * MS]), 0.010, 1, clock=clock)
    assert durations.tolist() == [3 * MS] * 4  # 12 ms is the first end after 10


def test_block_has_as_many_runs_as_it_should(clock):
    durations = time_block(clock.call([30 * MS]), 0.010, 3, clock=clock)
    assert durations.tolist() == [30 * MS] * 3


def test_each_run_has_its_own_number(clock):
    call = clock.call([MS])
    time_block(call, 0.003, 1, first_run=7, clock=clock)
    assert clock.runs == [7, 8, 9]


def test_warm_up_ends_when_durations_no_longer_change(clock):
    # Each run takes a tenth less than the one before, down to a steady 1 ms.
    falling = [int(10 * MS * 0.9**run) for run in range(22)]
    warmed = warm_up(clock.call([*falling, MS]), Protocol(warmup_window_s=0.02), clock)
    assert warmed.is_stable
    assert warmed.runs > len(falling) + 2 * 20
    assert warmed.seconds == pytest.approx((sum(falling) + MS * (warmed.runs - 22)) / 1e9)


def test_warm_up_without_end_says_so(clock):
    growing = [int(MS * 1.05**run) for run in range(400)]
    warmed = warm_up(clock.call(growing), Protocol(max_warmup_s=2), clock)
    assert not warmed.is_stable
    assert warmed.seconds >= 2


def test_warm_up_of_a_short_measurement_is_short(clock):
    growing = [int(MS * 1.05**run) for run in range(400)]
    warmed = warm_up(clock.call(growing), Protocol(duration_s=0.1), clock)
    assert not warmed.is_stable
    assert 0.3 <= warmed.seconds < 0.4


def test_warm_up_of_what_is_steady_takes_three_windows(clock):
    warmed = warm_up(clock.call([10 * MS]), Protocol(warmup_window_s=0.05), clock)
    assert (warmed.runs, warmed.is_stable) == (15, True)


def test_clock_tells_its_step_and_what_reading_it_costs():
    # Reading it takes 30 ns, and it moves by steps of 100.
    readings = iter(range(0, 10_000_000, 30))
    facts = inspect_clock(lambda: next(readings) // 100 * 100)
    assert facts.resolution_ns == 100
    steps = np.diff([reading // 100 * 100 for reading in range(0, 300_000, 30)])
    assert facts.overhead_ns == np.median(steps)


def test_clock_that_stands_still_has_no_step():
    assert inspect_clock(lambda: 5).resolution_ns == 0


def test_turns_share_the_duration_and_the_runs():
    protocol = Protocol(duration_s=2, min_runs=50, rounds=20)
    assert protocol.block_s == 0.1
    assert protocol.block_runs == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"duration_s": 0}, "duration: expected 0.02 to 600 s, got 0"),
        ({"duration_s": -1}, "duration: expected 0.02 to 600 s, got -1"),
        ({"duration_s": float("nan")}, "duration: expected 0.02 to 600 s, got nan"),
        ({"rounds": 5}, "rounds: expected at least 6, got 5"),
    ],
)
def test_wrong_protocols_are_refused(options, message):
    with pytest.raises(InvalidInputError, match=f"^{message}$"):
        Protocol(**options)
