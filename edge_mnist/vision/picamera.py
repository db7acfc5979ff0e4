"""The camera modules of a Raspberry Pi, through Picamera2.

OpenCV reads them only where the legacy camera stack runs; libcamera, which took its place, is
reached from Python through Picamera2.
"""

import importlib
import importlib.util
from concurrent.futures import TimeoutError as FutureTimeoutError

import numpy as np

from edge_mnist.errors import SourceError
from edge_mnist.vision.frames import Picture

# Picamera2 names formats as libcamera does, from the highest byte of a word to the lowest: in
# memory, and so in the array, this is blue, green, red.
_BGR = "RGB888"


def is_installed() -> bool:
    """Tell whether Picamera2 is there."""
    return importlib.util.find_spec("picamera2") is not None


class PiCamera:
    """A camera module.

    Attributes:
        fps: None; the sensor's rate follows the light.
    """

    fps: float | None = None

    def __init__(self, index: int, timeout_s: float) -> None:
        """Start the camera and wait for its first picture.

        Args:
            index: Its number among those that libcamera knows.
            timeout_s: How long it may take for a picture.

        Raises:
            SourceError: If there is no such camera or it gives no picture.
        """
        self._name = f"camera {index}"
        self._timeout_s = timeout_s
        try:
            picamera2 = importlib.import_module("picamera2")
        except ImportError as exc:
            raise SourceError(
                "Picamera2 cannot be used",
                got=str(exc),
                remedy="install it with: sudo apt install python3-picamera2, and make the "
                "virtual environment with --system-site-packages",
            ) from exc
        try:
            self._camera = picamera2.Picamera2(index)
        except (RuntimeError, IndexError) as exc:
            raise self._fails(exc) from exc
        try:
            main = {"format": _BGR}
            self._camera.configure(self._camera.create_video_configuration(main=main))
            self._camera.start()
            is_started = self.read() is not None
        except RuntimeError as exc:
            self.release()
            raise self._fails(exc) from exc
        if not is_started:
            self.release()
            raise SourceError(
                f"{self._name} gives no picture", remedy="check the cable of the camera module"
            )

    def read(self) -> Picture | None:
        """Wait for the next picture, uint8 [height, width, 3]; None if the camera went away."""
        try:
            picture = self._camera.capture_array("main", wait=self._timeout_s)
        except (RuntimeError, FutureTimeoutError):
            return None
        return np.asarray(picture, np.uint8)

    def release(self) -> None:
        """Let go of it; twice does no harm."""
        self._camera.close()

    def _fails(self, exc: Exception) -> SourceError:
        return SourceError(
            f"cannot open {self._name} with Picamera2",
            got=str(exc),
            remedy="end other programs that use it, see rpicam-hello --list-cameras",
        )
