"""Connecting to cameras and streams."""

import os
import platform
import sys
from pathlib import Path

from edge_mnist.errors import SourceError
from edge_mnist.vision import picamera
from edge_mnist.vision.capture import open_camera, open_video
from edge_mnist.vision.newest import Camera

_DEVICES = Path("/dev")

# What a Raspberry Pi calls its processor.
_ARM = ("aarch64", "armv7l", "armv6l")
_MODULE_HINT = "a Raspberry Pi's camera module needs: sudo apt install python3-picamera2"
_PLUG_HINT = "plug one in, or read a picture, a video or a stream"


def connect_camera(camera: int | str, timeout_s: float) -> Camera:
    """Connect to a camera.

    Args:
        camera: Its index, or its device's path on Linux. Where OpenCV gets no picture of an index,
            Picamera2 is asked if it is installed.
        timeout_s: How long Picamera2 may take for a picture; OpenCV's drivers have their own limit.

    Raises:
        SourceError: If there is none or it gives no picture.
    """
    capture = open_camera(camera)
    if capture is not None:
        if capture.read() is not None:
            return capture
        capture.release()
    if isinstance(camera, int) and picamera.is_installed():
        return picamera.PiCamera(camera, timeout_s)
    if sys.platform == "linux":
        _check_device(_DEVICES / f"video{camera}" if isinstance(camera, int) else Path(camera))
    raise SourceError(
        f"camera {camera} gives no picture",
        remedy="end other programs that use it, and check that it is plugged in",
    )


def connect_stream(url: str, name: str, timeout_s: float) -> Camera:
    """Connect to a stream.

    Args:
        url: Its address.
        name: What to call it in errors.
        timeout_s: How long it may take to answer, and later for each picture.

    Raises:
        SourceError: If it does not answer with pictures.
    """
    capture = open_video(url, timeout_s)
    if capture is not None:
        if capture.read() is not None:
            return capture
        capture.release()
    raise SourceError(
        f"no stream at {name}",
        expected=f"pictures within {timeout_s:g} s",
        remedy="check the address, and that the camera is on and not behind a password",
    )


def _check_device(device: Path) -> None:
    """Check on Linux that a camera's device is there and may be used.

    Raises:
        SourceError: If not.
    """
    if not device.exists():
        others = ", ".join(sorted(str(x) for x in _DEVICES.glob("video*")))
        raise SourceError(
            f"no camera {device}",
            expected=others and f"one of {others}",
            got=None if others else "no camera at all",
            remedy=_MODULE_HINT if platform.machine() in _ARM else None if others else _PLUG_HINT,
        )
    if not os.access(device, os.R_OK | os.W_OK):
        raise SourceError(
            f"cannot use the camera {device}",
            got="no permission",
            remedy="join its group: sudo usermod -aG video $USER, and log in again",
        )
