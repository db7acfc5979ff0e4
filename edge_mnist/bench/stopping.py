"""Ending in good order when told to: processes are ended and temporary folders removed."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

# The terminal's end and that of `kill`; Windows has not all of them.
STOP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)


@contextlib.contextmanager
def stopping_in_order() -> Iterator[None]:
    """Leave the body by an exception when this process is told to end.

    That is SystemExit with what a shell reports of such an end, and KeyboardInterrupt for Ctrl-C.
    Whatever signal comes while the exception is under way is dropped: it would cut off the clearing
    up. Those that were ignored before are ignored still, as nohup has it. Only a process's main
    thread can do that; in another the body just runs.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    owner, is_stopping = os.getpid(), False

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal is_stopping
        if os.getpid() != owner or is_stopping:
            return
        is_stopping = True
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)

    for number in (signal.SIGINT, *STOP_SIGNALS):
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        is_stopping = True
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Let what would end this process wait until the body has ended.

    For compiled code that calls Python: an exception in its midst can crash it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: came.append(number))
        for number in (signal.SIGINT, *STOP_SIGNALS)
        if signal.getsignal(number) not in (signal.SIG_IGN, None)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
