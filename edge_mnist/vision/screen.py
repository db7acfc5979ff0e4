"""Where frames are shown: a window, a page, both or neither."""

import time
from collections.abc import Callable

from edge_mnist.vision.frames import Picture
from edge_mnist.vision.interruption import Interruption
from edge_mnist.vision.lettering import letter_px, write_panel
from edge_mnist.vision.view import View, ViewAddress
from edge_mnist.vision.window import Window, find_window_obstacle

HINTS = ("q quit", "s save frame", "p pause", "m next model", "d stages")


class Screen:
    """A window with its keys and a page for browsers."""

    def __init__(
        self, *, has_window: bool, view: ViewAddress | None, say: Callable[[str], None]
    ) -> None:
        """Open what is wanted; where there can be no window it is said why.

        Args:
            has_window: Whether a window is wanted.
            view: Where to serve the page; None for none.
            say: Is told why there is no window, and where the page is.

        Raises:
            InvalidInputError: If the page cannot be served there.
        """
        obstacle = find_window_obstacle() if has_window else None
        if obstacle is not None:
            say(f"going on without a window: {obstacle}")
        self._view = None if view is None else View(view)
        if self._view is not None:
            say(f"view: {self._view.url}")
        self._window = Window() if has_window and obstacle is None else None

    @property
    def has_window(self) -> bool:
        """Whether there is a window, open or closed by now."""
        return self._window is not None

    @property
    def is_watched(self) -> bool:
        """Whether anything is shown to anyone."""
        return self._window is not None or self._view is not None

    @property
    def was_closed(self) -> bool:
        """Whether there was a window and its button closed it."""
        return self._window is not None and not self._window.is_open

    def show(self, picture: Picture) -> None:
        """Show a picture, uint8 [height, width, 3]; the window has the keys in its corner."""
        if self._view is not None:
            self._view.show(picture)
        if self._window is not None:
            with_hints = picture.copy()
            write_panel(with_hints, HINTS, letter_px(picture), is_right=True, is_bottom=True)
            self._window.show(with_hints)

    def wait_key(self, wait_s: float, interruption: Interruption) -> str:
        """Wait for a key or until the time is over; return the key, "" if there was none."""
        with interruption.allowed():
            if self._window is not None:
                return self._window.wait_key(wait_s)
            time.sleep(max(0.0, wait_s))
            return ""

    def close(self) -> None:
        """Close all; twice does no harm."""
        if self._window is not None:
            self._window.close()
        if self._view is not None:
            self._view.close()
