"""Reading numbers off a source until it ends: shown, saved and told."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from edge_mnist.cascade import DEFAULT_MODELS, DigitModel
from edge_mnist.errors import InvalidInputError
from edge_mnist.files import spare
from edge_mnist.vision.field_reader import DEFAULT_DOUBT_BELOW
from edge_mnist.vision.fields import FormFields
from edge_mnist.vision.frame_log import STDOUT, describe_frame
from edge_mnist.vision.frames import Frame, Picture, Source
from edge_mnist.vision.ink_reader import DEFAULT_MIN_CONFIDENCE
from edge_mnist.vision.interruption import Interruption
from edge_mnist.vision.live_collecting import LiveCollector
from edge_mnist.vision.live_fields import LiveFieldReader
from edge_mnist.vision.live_numbers import LiveNumberReader
from edge_mnist.vision.live_reader import LiveReader, LiveReading
from edge_mnist.vision.outputs import Outputs
from edge_mnist.vision.recording import FALLBACK_FPS, check_recording_path
from edge_mnist.vision.saved_frame import save_frame
from edge_mnist.vision.screen import Screen
from edge_mnist.vision.tiling import tile
from edge_mnist.vision.video_file import is_video
from edge_mnist.vision.view import ViewAddress

# How long a still picture is seen in what is saved.
STILL_S = 1.0
# How often a window that stands still looks for keys and for its being closed.
KEY_WAIT_S = 0.05
# The weight of the newest frame in the frames a second that are shown.
FPS_WEIGHT = 0.1


@dataclass(frozen=True)
class WebcamConfig:
    """What is to be done with what is read.

    Attributes:
        model: A shipped model's name or a .tflite file, or two of them as `load_models` takes
            them.
        form: The form whose fields to read; None to read every number in view.
        min_confidence: Digits of which the model is less sure are left out, or make a field
            doubtful, 0 to 1; None for the reader's own.
        has_window: Whether to show it in a window, where there can be one.
        max_frames: After how many to stop; None for no limit.
        save: The video to save it as; None for none.
        jsonl: The file for a line of JSON a frame, "-" for stdout; None for none.
        view: Where to serve it as a page; None for nowhere.
        collect: The folder for the digits of numbers that hold; None for none.
    """

    model: str = DEFAULT_MODELS
    form: FormFields | None = None
    min_confidence: float | None = None
    has_window: bool = True
    max_frames: int | None = None
    save: Path | None = None
    jsonl: str | None = None
    view: ViewAddress | None = None
    collect: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what would fail only once the camera is open.

        Raises:
            InvalidInputError: If a value cannot be used.
        """
        if self.max_frames is not None and self.max_frames < 1:
            raise InvalidInputError("--max-frames", expected="at least 1", got=f"{self.max_frames}")
        if self.collect is not None and self.form is not None:
            raise InvalidInputError("--collect", expected="no --fields beside it", got="both")
        if self.save is not None:
            check_recording_path(self.save)


@dataclass(frozen=True)
class Outcome:
    """How it ended.

    Attributes:
        frames: How many were read.
        was_complete: Whether all of the source could be read and all outputs be written.
    """

    frames: int
    was_complete: bool


def run(
    config: WebcamConfig,
    open_source: Callable[[], Source],
    *,
    load: Callable[[str], DigitModel],
    say: Callable[[str], None],
    emit: Callable[[str], None],
) -> Outcome:
    """Read a source until it ends, the user ends it, or as many frames as asked for are read.

    However it ends, source, window, server and files are closed and what was done is said.

    Args:
        config: What to do.
        open_source: Opens the source.
        load: Loads models by their names.
        say: Takes notes for the user.
        emit: Takes the text of each number or field that becomes stable, unless JSON goes to
            stdout.

    Raises:
        SourceError: If the source cannot be opened, or breaks down and does not come back.
        InvalidInputError: If something cannot be written or served where the user said, would
            replace a file that is read, or the form's reference picture cannot be used.
        ModelError: If the model cannot be loaded.
        KeyboardInterrupt: On Ctrl-C or SIGTERM.
    """
    with Interruption() as interruption, ExitStack() as closing:
        with interruption.allowed():
            collector = LiveCollector(config.collect, say)
            reader = _make_reader(config, lambda name: collector.watch(load(name)))
            screen = Screen(has_window=config.has_window, view=config.view, say=say)
            closing.callback(screen.close)
            source = open_source()
            closing.callback(source.close)
        _spare_inputs(config, source)
        # A camera gives fewer frames than it claims, so that what is saved is timed by the clock.
        fps = None if source.is_live else source.fps
        outputs = Outputs(config.save, fps, config.jsonl, say)
        tell = (lambda text: None) if config.jsonl == STDOUT else emit
        loop = _Loop(source, reader, screen, outputs, collector, interruption, say, tell)
        closing.callback(loop.say_summary)
        closing.callback(outputs.close)
        loop.run(config.max_frames)
    was_written = outputs.were_written and collector.was_complete
    return Outcome(loop.frames, was_written and not source.failures)


def _spare_inputs(config: WebcamConfig, source: Source) -> None:
    """Refuse to write over what is read.

    Raises:
        InvalidInputError: If an output is a file of the source or of the form.
    """
    inputs = [*source.files, *(config.form.files if config.form else ())]
    for option, path in (("--save", config.save), ("--jsonl", config.jsonl)):
        if path is not None:
            spare(option, [Path(path)], inputs)


def _make_reader(config: WebcamConfig, load: Callable[[str], DigitModel]) -> LiveReader:
    threshold = config.min_confidence
    if config.form is None:
        threshold = DEFAULT_MIN_CONFIDENCE if threshold is None else threshold
        return LiveNumberReader(config.model, threshold, load)
    threshold = DEFAULT_DOUBT_BELOW if threshold is None else threshold
    return LiveFieldReader(config.model, config.form, threshold, load)


class _Loop:
    """Each frame is read, told, saved and shown, and keys are obeyed."""

    def __init__(
        self,
        source: Source,
        reader: LiveReader,
        screen: Screen,
        outputs: Outputs,
        collector: LiveCollector,
        interruption: Interruption,
        say: Callable[[str], None],
        emit: Callable[[str], None],
    ) -> None:
        self.frames = 0
        self._name = ""  # of the video or picture that the last frame is from
        self._source, self._reader, self._screen = source, reader, screen
        self._outputs, self._collector, self._interruption = outputs, collector, interruption
        self._say, self._emit = say, emit
        self._is_over = self._is_paused = self._shows_stages = self._is_held_by_page = False
        self._newest_time_s = self._file_s = 0.0
        self._step_s = 1 / FALLBACK_FPS
        self._fps = 0.0
        self._started_s = self._newest_s = self._due_s = time.perf_counter()

    def run(self, max_frames: int | None) -> None:
        """Take frame after frame until the source, the user or the number ends it."""
        frames = iter(self._source)
        while not self._is_over and self.frames != max_frames:
            asked_s = time.perf_counter()
            with self._interruption.allowed():
                frame = next(frames, None)
            if frame is None:
                self._hold_last()
                return
            self._take(frame, 1e3 * (time.perf_counter() - asked_s))

    def _hold_last(self) -> None:
        """Serve the last picture until the user ends it, if it is a still one; a window held it."""
        while self._is_held_by_page:
            self._screen.wait_key(KEY_WAIT_S, self._interruption)

    def say_summary(self) -> None:
        """Say what was done, if anything was: what went wrong is told elsewhere."""
        if not self.frames:
            return
        elapsed_s = self._newest_s - self._started_s
        speed = f" ({self.frames / elapsed_s:.1f} frames/s)" if elapsed_s > 0 else ""
        saved = f"; saved {self._outputs.saved}" if self._outputs.saved else ""
        self._say(f"{self.frames} frames in {elapsed_s:.1f} s{speed}{saved}")
        self._collector.say_summary()

    def _take(self, frame: Frame, capture_ms: float) -> None:
        is_still = self._is_still(frame)
        if frame.name != self._name:
            self._reader.forget()
            self._name = frame.name
        live = self._reader.read(frame.picture, is_still=is_still)
        ms = {"capture": capture_ms, **live.ms}
        self._note_speed()
        self._outputs.log(describe_frame(frame, live.describe(), ms))
        for text in live.told:
            self._emit(text)
        self._collector.see(frame, live, is_still=is_still)
        if not (self._outputs.needs_pictures or self._screen.is_watched):
            return
        picture = self._draw(frame, live, ms)
        step_s = 0.0 if self._source.is_live else self._measure_step(frame, is_still)
        self._file_s += step_s if self.frames > 1 else 0.0
        self._outputs.record(picture, frame.time_s if self._source.is_live else self._file_s)
        self._due_s = max(time.perf_counter(), self._due_s + step_s)
        if self._screen.is_watched:
            self._screen.show(picture)
            self._is_held_by_page = is_still and not self._screen.has_window
            self._wait(frame, live, ms, is_held=is_still and self._screen.has_window)

    def _is_still(self, frame: Frame) -> bool:
        """Return whether a frame stands for itself, and not for a moment."""
        return not self._source.is_live and not is_video(frame.name)

    def _note_speed(self) -> None:
        now_s = time.perf_counter()
        fps = 1 / max(1e-6, now_s - self._newest_s)
        self._fps += (fps - self._fps) * (FPS_WEIGHT if self.frames else 1)
        self._newest_s = now_s
        self.frames += 1

    def _measure_step(self, frame: Frame, is_still: bool) -> float:
        """Return how many seconds after the one before a frame of a file is to be seen."""
        elapsed_s, self._newest_time_s = frame.time_s - self._newest_time_s, frame.time_s
        if is_still:
            return STILL_S
        if self._source.fps:
            return 1 / self._source.fps
        if elapsed_s > 0:  # else the next of several videos begins
            self._step_s = elapsed_s
        return self._step_s

    def _draw(self, frame: Frame, live: LiveReading, ms: dict[str, float]) -> Picture:
        if self._shows_stages:
            height, width = frame.picture.shape[:2]
            return tile(self._reader.show_stages(frame.picture), width, height)
        stages = [f"{stage} {took:.1f} ms" for stage, took in ms.items()]
        status = [f"{self._fps:.1f} frames/s", *stages, f"model {self._reader.model}"]
        if self._is_paused:
            status.append("paused")
        return live.draw(frame.picture, status)

    def _wait(
        self, frame: Frame, live: LiveReading, ms: dict[str, float], *, is_held: bool
    ) -> None:
        """Obey keys until the next frame is due; if this one is held, until a key lets it go."""
        while not self._is_over:
            is_waiting = is_held or self._is_paused
            left_s = self._due_s - time.perf_counter()
            wait_s = KEY_WAIT_S if is_waiting else min(KEY_WAIT_S, left_s)
            key = self._screen.wait_key(wait_s, self._interruption)
            if self._screen.was_closed:
                self._is_over = True
            elif self._obey(key, frame):
                if key == "m":
                    is_still = self._is_still(frame)
                    live = self._reader.read_again(frame.picture, is_still=is_still)
                self._screen.show(self._draw(frame, live, ms))
            elif key if is_held else not is_waiting and time.perf_counter() >= self._due_s:
                return

    def _obey(self, key: str, frame: Frame) -> bool:
        """Do what a key asks for; return whether it asks for anything."""
        match key:
            case "q":
                self._is_over = True
            case "s":
                save_frame(frame.picture, self._say)
            case "p":
                self._is_paused = not self._is_paused
            case "m":
                self._reader.take_next_model()
            case "d":
                self._shows_stages = not self._shows_stages
            case _:
                return False
        return True
