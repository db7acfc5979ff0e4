"""Ctrl-C and SIGTERM, which wait until the frame in hand is done."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Keeps the first signal until the program waits; the second acts at once, as ever.

    Use it around a loop, and `allowed` around what may be broken off: waiting for a frame or a key.
    """

    def __init__(self) -> None:
        self._is_noted = self._is_allowed = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        try:
            self._previous = {number: signal.signal(number, self._note) for number in SIGNALS}
        except ValueError:  # not the main thread, where signals never arrive
            self._previous = {}
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _exc: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Raise KeyboardInterrupt in the body on either signal, and at once if one came before."""
        self._is_allowed = True
        try:
            if self._is_noted:
                raise KeyboardInterrupt
            yield
        finally:
            self._is_allowed = False

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_allowed or self._is_noted:
            raise KeyboardInterrupt
        self._is_noted = True
