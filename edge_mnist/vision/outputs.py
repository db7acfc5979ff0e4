"""The files that a run writes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_mnist.vision.frame_log import STDOUT, FrameLog
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.recording import Recording


class Outputs:
    """A video and a log; where one cannot be written any more, all else goes on.

    Attributes:
        were_written: Whether all was written that was to be.
        saved: What was saved, once it is closed: "" if nothing was.
    """

    def __init__(
        self,
        save: Path | None,
        fps: float | None,
        jsonl: str | None,
        say: Callable[[str], None],
    ) -> None:
        """Start the files.

        Args:
            save: The video; None for none.
            fps: Its frames a second; None to measure.
            jsonl: The log's file, or "-" for stdout; None for none.
            say: Is told, once, of a file that cannot be written any more.

        Raises:
            InvalidInputError: If one cannot be written from the start.
        """
        self.were_written = True
        self.saved = ""
        self._say = say
        self._log: FrameLog | None = None
        self._recording = None if save is None else Recording(save, fps)
        try:
            self._log = None if jsonl is None else FrameLog(jsonl)
        except BaseException:
            self.close()
            raise

    @property
    def needs_pictures(self) -> bool:
        """Whether a video is being saved."""
        return self._recording is not None

    def log(self, description: dict[str, Any]) -> None:
        """Write the line of a frame.

        Raises:
            BrokenPipeError: If whoever read stdout has gone.
        """
        if self._log is None:
            return
        try:
            self._log.write(description)
        except OSError as exc:
            if isinstance(exc, BrokenPipeError) and self._log.target == STDOUT:
                raise
            self._give_up(f"cannot write {self._log.target} any further", exc)
            self._log.close()
            self._log = None

    def record(self, picture: Picture, time_s: float) -> None:
        """Add a frame to the video.

        Args:
            picture: uint8 [height, width, 3].
            time_s: When it is to be seen.
        """
        if self._recording is None:
            return
        try:
            self._recording.write(picture, time_s)
        except OSError as exc:
            self._give_up(f"cannot save {self._recording.path} any further", exc)
            self._close_recording()

    def close(self) -> None:
        """Finish the files; twice does no harm."""
        if self._log is not None:
            self._log.close()
        self._close_recording()

    def _close_recording(self) -> None:
        recording, self._recording = self._recording, None
        if recording is None:
            return
        try:
            recording.close()
        except OSError as exc:
            self._give_up(f"cannot finish {recording.path}", exc)
        if recording.is_saved:
            self.saved = f"{recording.path} ({recording.frames} frames)"

    def _give_up(self, what: str, exc: OSError) -> None:
        self.were_written = False
        self._say(f"{what}: got {exc.strerror or exc}")
