"""A window on the desktop, where there is one."""

import os
import subprocess
import sys

import cv2

from edge_mnist.native_output import held_native_stderr
from edge_mnist.vision.build import describe_opencv
from edge_mnist.vision.frames import Picture

TITLE = "edge-mnist"
# A toolkit that cannot reach the display ends the process natively: another process tries first.
PROBE = "import cv2; cv2.namedWindow('edge-mnist'); cv2.waitKey(1)"
PROBE_TIMEOUT_S = 20
ESCAPE = 27
# A photograph is larger than any desktop, and OpenCV does not tell how large that is: no window
# opens wider or higher than this, in pixels. It shows all of the picture, and can be enlarged.
MAX_OPENING = (1280, 720)


def find_window_obstacle() -> str | None:
    """Return why no window can be opened here and what helps, or None if one can."""
    version, toolkit = describe_opencv()
    if not toolkit:
        return (
            f"OpenCV {version} is built without windows (opencv-python-headless); for windows: "
            "pip uninstall opencv-python-headless; pip install 'edge-mnist[webcam]'"
        )
    if sys.platform.startswith("linux"):
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            return "there is no display (DISPLAY and WAYLAND_DISPLAY are not set)"
        if not _is_display_reachable():
            display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
            return f"the display {display} cannot be reached"
    return None


class Window:
    """One window; make it only where `find_window_obstacle` finds none, in the main thread."""

    def __init__(self) -> None:
        # WINDOW_GUI_NORMAL: without Qt's tool bar and context menu.
        flags = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
        with held_native_stderr():  # Qt complains of fonts that it does not need
            cv2.namedWindow(TITLE, flags)
            cv2.waitKey(1)
        self._has_size = self._was_visible = self._is_closed = False

    @property
    def is_open(self) -> bool:
        """Whether its button or `close` has not closed it."""
        if self._is_closed:
            return False
        try:
            is_visible = cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # some toolkits forget closed windows
            return False
        # A desktop that is busy takes its time to show a window; that it is not there yet does not
        # mean that it was closed.
        self._was_visible |= is_visible
        return is_visible or not self._was_visible

    def show(self, picture: Picture) -> None:
        """Show a picture, uint8 [height, width, 3]; a closed window stays closed."""
        if not self.is_open:
            return
        if not self._has_size:
            size = picture.shape[1], picture.shape[0]
            share = min(1.0, *(most / side for most, side in zip(MAX_OPENING, size, strict=True)))
            cv2.resizeWindow(TITLE, *(max(1, round(share * side)) for side in size))
            self._has_size = True
        cv2.imshow(TITLE, picture)

    def wait_key(self, wait_s: float) -> str:
        """Let the window work and return the key that was pressed, "" if none was.

        Args:
            wait_s: How long to wait for one; at least a millisecond is.

        Returns:
            The character, and "q" for Escape too.
        """
        code = cv2.waitKey(max(1, round(1000 * wait_s)))
        if code < 0:
            return ""
        return "q" if code & 0xFF == ESCAPE else chr(code & 0xFF)

    def close(self) -> None:
        """Close it; twice does no harm."""
        if self.is_open:
            cv2.destroyWindow(TITLE)
            cv2.waitKey(1)
        self._is_closed = True


def _is_display_reachable() -> bool:
    try:
        probe = subprocess.run(
            [sys.executable, "-c", PROBE],
            check=False,
            capture_output=True,
            timeout=PROBE_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return False
    return probe.returncode == 0
