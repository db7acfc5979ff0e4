"""Ctrl-C as something to be asked about, so that work stops at a good place."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass
class InterruptFlag:
    """Whether Ctrl-C was pressed."""

    is_set: bool = False


@contextmanager
def interrupt_flag() -> Iterator[InterruptFlag]:
    """Turn the first Ctrl-C into a flag; the second interrupts at once, as ever."""
    flag = InterruptFlag()

    def note(_signal: int, _frame: Any) -> None:
        flag.is_set = True
        signal.signal(signal.SIGINT, previous)

    try:
        previous = signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread, where signals never arrive
        yield flag
        return
    try:
        yield flag
    finally:
        signal.signal(signal.SIGINT, previous)
