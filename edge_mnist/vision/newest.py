"""Live sources: a thread reads on, and only the newest frame is kept."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from edge_mnist.errors import SourceError
from edge_mnist.vision.frames import Frame, Picture
from edge_mnist.vision.framing import Framing

# How long to wait before a camera that went away is tried again: at first, and at most.
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 4.0

# What a driver may take longer than it was told before it counts as hanging.
_GRACE_S = 1.0


class Camera(Protocol):
    """What gives pictures without an end: a camera or a stream.

    Attributes:
        fps: Frames a second, as far as it tells.
    """

    fps: float | None

    def read(self) -> Picture | None:
        """Wait for the next picture, uint8 [height, width, 3]; None if the camera went away."""
        ...

    def release(self) -> None:
        """Let go of it; twice does no harm."""
        ...


class NewestFrames:
    """The newest frame of a camera or stream, each time one is asked for; see `Source`.

    Where it goes away it is connected again, with pauses that grow.
    """

    is_live = True

    def __init__(
        self,
        name: str,
        connect: Callable[[], Camera],
        *,
        framing: Framing,
        timeout_s: float,
        say: Callable[[str], None],
    ) -> None:
        """Connect, wait for the first picture and read on.

        Args:
            name: What the user named.
            connect: Opens the camera or raises SourceError. It is called in the reading thread, as
                all else that has to do with the camera: it may wait in a driver, and Ctrl-C shall
                work meanwhile.
            framing: What is done to the frames that are given.
            timeout_s: How long no picture may come before the camera is given up.
            say: Is told when the camera goes away and comes back; called from the thread.

        Raises:
            SourceError: If no picture came.
        """
        self.name = name
        self.files: Sequence[str] = ()
        self.fps: float | None = None
        self.failures: list[str] = []
        self._connect = connect
        self._framing = framing
        self._timeout_s = timeout_s
        self._say = say
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._failure: BaseException | None = None
        self._is_closed = threading.Event()
        # A daemon: a driver that never comes back cannot keep the program from ending.
        self._thread = threading.Thread(target=self._read_on, name=f"read {name}", daemon=True)
        self._thread.start()
        try:
            self._wait_for_newer(-1, timeout_s + _GRACE_S)
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Frame]:
        """Give the newest frame, each at most once; those that came meanwhile are left out.

        Raises:
            SourceError: If no picture came for long and connecting again did not help.
        """
        index = -1
        # The loss is noticed within the first timeout, the camera given up within the second.
        while frame := self._wait_for_newer(index, 2 * self._timeout_s + _GRACE_S):
            index = frame.index
            yield Frame(self._framing.apply(frame.picture), index, frame.time_s, self.name)

    def close(self) -> None:
        """Release the camera; twice does no harm."""
        self._is_closed.set()
        with self._changed:
            self._changed.notify_all()
        # The thread releases the camera: drivers crash if that is done during a read.
        self._thread.join(_GRACE_S)

    def _wait_for_newer(self, index: int, timeout_s: float) -> Frame | None:
        """Return a frame that came after the one with this index; None once closed."""

        def newer() -> Frame | None:
            return self._newest if self._newest and self._newest.index > index else None

        with self._changed:
            self._changed.wait_for(
                lambda: newer() or self._failure or self._is_closed.is_set(), timeout_s
            )
            if self._is_closed.is_set():
                return None
            if frame := newer():
                return frame
            if self._failure:
                raise self._failure
        raise SourceError(
            f"{self.name} does not answer",
            expected=f"a picture within {timeout_s:g} s",
            remedy="plug the camera in again, or start again what sends the stream",
        )

    def _read_on(self) -> None:
        """Read until closed or given up."""
        started_s = time.monotonic()
        camera = None
        index = 0
        try:
            camera = self._connect()
            self.fps = camera.fps
            while not self._is_closed.is_set():
                picture = camera.read()
                if picture is None:
                    camera.release()
                    camera = self._reconnect() or camera
                    continue
                with self._changed:
                    time_s = time.monotonic() - started_s
                    self._newest = Frame(picture, index, time_s, self.name)
                    self._changed.notify_all()
                index += 1
        except BaseException as exc:  # raised where the frames are asked for
            with self._changed:
                self._failure = exc
                self._changed.notify_all()
        finally:
            if camera is not None:
                camera.release()

    def _reconnect(self) -> Camera | None:
        """Try to connect until the time is over; None if closed meanwhile.

        Raises:
            SourceError: If it was of no avail.
        """
        lost_s = time.monotonic()
        last_s = lost_s + self._timeout_s
        reason = ""
        pause_s = _FIRST_PAUSE_S
        self._say(f"{self.name} gives no pictures any more; connecting again")
        while not self._is_closed.is_set():
            try:
                camera = self._connect()
            except SourceError as exc:
                if str(exc) != reason:
                    reason = str(exc)
                    self._say(reason)
            else:
                self._say(f"{self.name} is back after {time.monotonic() - lost_s:.1f} s")
                return camera
            remaining_s = last_s - time.monotonic()
            if remaining_s <= 0:
                raise SourceError(
                    f"{self.name} went away",
                    expected=f"a picture within {self._timeout_s:g} s",
                    got=f"none ({reason})",
                )
            self._is_closed.wait(min(pause_s, remaining_s))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        return None
