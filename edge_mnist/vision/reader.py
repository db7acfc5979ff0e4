"""Reading every handwritten number in a frame."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median

import cv2
import numpy as np

from edge_mnist.cascade import DigitModel
from edge_mnist.errors import InvalidInputError
from edge_mnist.preprocessing import IMAGE_SIZE, GrayImage, describe_array, fit_ink
from edge_mnist.vision.blobs import cut_ink
from edge_mnist.vision.color import as_color
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.ink import map_ink, map_unlikely_ink
from edge_mnist.vision.ink_reader import (
    DEFAULT_MIN_CONFIDENCE,
    Found,
    InkReader,
    Seen,
    Stopwatch,
    as_digit,
)
from edge_mnist.vision.looks import IF_NOISY, IF_UNCLEAR, Look, look_wider, reduce
from edge_mnist.vision.merging import take_better, weigh
from edge_mnist.vision.outline import Corners, find_outline
from edge_mnist.vision.page import locate_box, straighten
from edge_mnist.vision.reading import Box, Number, Reading, Rows, move_boxes, scale_boxes
from edge_mnist.vision.segmentation import Segmentation, frame_box, segment
from edge_mnist.vision.single import find_single
from edge_mnist.vision.windows import lighten_windows

# A frame's longer side is reduced to the first of these, which is quicker and takes noise away; to
# the second if digits turn out to be as small as this.
SIDES_PX = (1000, 2000)
SMALL_PX = 24
# Above this the paper counts as noisy.
MAX_NOISE = 0.03
# Where so much of all ink is no clear digit, a sheet of paper is looked for, and read alone if it
# holds this share of the digits that are clear: the rest may be the grain of a desk.
MIN_UNCLEAR_SHARE = 0.3
MIN_SHEET_SHARE = 0.5
# One that covers this share of the picture needs no closer view.
MIN_LARGE_SHEET = 0.5
# A picture that one digit fills falls into so many pieces at most, taken for a page.
MAX_FRAGMENTS = 3
# Blue, green, red.
BOX_COLOR = (0, 200, 255)


@dataclass(frozen=True)
class _View:
    """A whole picture in so many pixels, and what may be digits there."""

    picture: GrayImage
    found: list[Segmentation]
    is_last: bool  # there is no closer one, or what is seen is not that small
    reader: InkReader

    @cached_property
    def seen(self) -> list[Seen]:
        """What models say of it."""
        return [self.reader.see(one) for one in self.found]

    @property
    def is_clear(self) -> bool:
        """Whether most of it is clear digits, as dark ink or as bright ink."""
        return any(seen.unclear_share < MIN_UNCLEAR_SHARE for seen in self.seen)

    @property
    def is_noisy(self) -> bool:
        return self.found[0].ink.noise > MAX_NOISE


class Reader:
    """Finds and reads the digits in frames; one instance serves one thread at a time."""

    def __init__(
        self, classifier: DigitModel, min_confidence: float = DEFAULT_MIN_CONFIDENCE
    ) -> None:
        """Make a reader.

        Args:
            classifier: What reads the digits.
            min_confidence: Digits of which it is less sure are left out, 0 to 1.

        Raises:
            InvalidInputError: If `min_confidence` is no share.
            ModelError: If one of the models that the reader brings is missing or damaged.
        """
        if not 0 <= min_confidence <= 1:
            raise InvalidInputError(
                "minimum confidence", expected="0 to 1", got=str(min_confidence)
            )
        self._classifier = classifier
        self._min_confidence = min_confidence
        self._stopwatch = Stopwatch()
        self._ink = InkReader(classifier, min_confidence, self._stopwatch)

    @property
    def min_confidence(self) -> float:
        """Digits of which it is less sure are left out, 0 to 1."""
        return self._min_confidence

    def read(self, frame: Picture, *, careful: bool = False) -> Reading:
        """Read a frame.

        Args:
            frame: uint8 [height, width, 3] (blue, green, red) or [height, width].
            careful: Whether numbers that leave no doubt are doubted, too, by reading each as a
                whole: some milliseconds a number, and a confidence that tells more of what is
                wrong. For pictures of which no second one follows.

        Raises:
            InvalidInputError: If it is something else.
        """
        started = time.perf_counter()
        gray = _as_gray(frame)
        self._stopwatch.ms = 0.0
        self._ink.is_careful = careful
        rows: Rows | None = None
        for view in self._view(gray):
            # A sheet that holds too little in one view does so in the next.
            if rows is None:
                rows = self._read_sheet(gray, view)
            if rows:
                break
        else:
            rows = self._read_picture(gray, view)
        classify_ms = self._stopwatch.ms
        whole_ms = 1e3 * (time.perf_counter() - started)
        return Reading(rows, {"segment": whole_ms - classify_ms, "classify": classify_ms})

    def _view(self, gray: GrayImage) -> Iterator[_View]:
        """Look at a picture; then once more in more pixels, if what was seen is that small."""
        for side in SIDES_PX:
            picture = lighten_windows(reduce(gray, side))
            # As dark ink, as bright ink or both.
            found = [segment(ink) for ink in map_ink(picture)]
            # The more likely one tells: what is small in the other may be a desk's grain or print.
            is_large = max(gray.shape) <= side or not _is_small(found[0])
            view = _View(picture, found, is_large or side == SIDES_PX[-1], self._ink)
            yield view
            if view.is_last:
                break

    def _read_sheet(self, gray: GrayImage, view: _View) -> Rows | None:
        """Read a sheet of paper as it is from above.

        Returns:
            None if all is clear without, if there is no sheet, or if a number stands beside it;
            nothing if there is too little on it.
        """
        if view.is_last and view.is_clear:
            return None
        corners = find_outline(gray)
        if corners is None:
            return None
        # What stands beside it may be too small to be seen yet.
        is_large = cv2.contourArea(corners) >= MIN_LARGE_SHEET * gray.size
        if not view.is_last and (not is_large or view.is_clear):
            return None
        scale = gray.shape[1] / view.picture.shape[1]
        if any(_has_beside(seen, corners / scale) for seen in view.seen):
            return None
        sheet = straighten(gray, corners)
        height, width = sheet.shape

        def place(box: Box) -> Box:
            x, y, wide, high = box
            shares = x / width, y / height, wide / width, high / height
            left, top, wide, high = cv2.boundingRect(locate_box(shares, corners.tolist()))
            return left, top, wide, high

        *_, closest = self._view(sheet)
        rows = move_boxes(self._read_picture(sheet, closest), place)
        of_all = scale * max(_weigh_clear(seen) for seen in view.seen)
        return rows if _weigh(rows) >= MIN_SHEET_SHARE * of_all else ()

    def _read_picture(self, gray: GrayImage, view: _View) -> Rows:
        """Read what is in a view, and look again where others may see more."""
        found = self._read_all(view.seen, view.picture)
        rows = found.rows
        digits = Reading(rows).digits
        if len(digits) <= MAX_FRAGMENTS:
            clear = [found.box for found in digits] if found.is_clear else []
            rows = max(rows, self._read_single(view.picture, clear), key=_weigh)
        rows = scale_boxes(rows, view.picture.shape, gray.shape)
        side = max(view.picture.shape)
        for look in (IF_NOISY if view.is_noisy else ()) + (() if found.is_clear else IF_UNCLEAR):
            rows = self._look_again(gray, look, side, rows)
        wider = look_wider(rows)
        return rows if wider is None else self._look_again(gray, wider, side, rows)

    def _look_again(self, gray: GrayImage, look: Look, side: int, rows: Rows) -> Rows:
        """Return the better of what was read and what another look reads.

        Args:
            gray: The whole picture.
            look: The other look.
            side: The longer one of the view.
            rows: What was read, with boxes in the whole picture.
        """
        reduced = lighten_windows(look.take(gray, side))
        inks = [
            replace(ink, min_contrast=look.min_contrast, stretch=look.stretch)
            for ink in map_ink(reduced)
        ]
        others = self._read_all([self._ink.see(segment(ink)) for ink in inks], reduced).rows
        others = scale_boxes(others, reduced.shape, gray.shape)
        is_more = _weigh(others) > look.gain * _weigh(rows)
        return others if is_more else take_better(rows, others, look.number_gain)

    def _read_all(self, seen: Sequence[Seen], gray: GrayImage) -> Found:
        """Read what was found as dark ink and as bright ink, and return what is more."""
        # Where only one way to see it is clear, and shows more digits, the other shows a desk.
        clear = [one for one in seen if one.wholes and one.unclear_share < MIN_UNCLEAR_SHARE]
        is_told = len(clear) == 1 and clear[0] is max(seen, key=_weigh_clarity)
        ways = [self._ink.read(one, gray) for one in (clear if is_told else seen)]
        if len(seen) == 1 and not ways[0].rows:
            ink = map_unlikely_ink(gray)
            other = self._ink.read(self._ink.see(segment(ink)), gray) if ink else None
            # What lies within the letters of a word is not clear.
            if other and (other.is_clear or not seen[0].wholes):
                return other
        return max(ways, key=lambda found: _weigh(found.rows))

    def _read_single(self, gray: GrayImage, digits: list[Box]) -> Rows:
        digit = find_single(gray, digits)
        if digit is None:
            return ()
        with self._stopwatch:
            prediction = self._classifier.predict(digit.image)
        if prediction.rejected or prediction.confidence < self._min_confidence:
            return ()
        return ((Number((as_digit(prediction, digit.box),)),),)

    def show_stages(self, frame: Picture) -> list[tuple[str, Picture]]:
        """Return a picture of each stage that a frame goes through, with its name.

        Args:
            frame: As for `read`.

        Returns:
            Names, and pictures that are uint8 [height, width, 3].
        """
        gray = _as_gray(frame)
        # Of two ways to see it, the more likely comes first.
        *_, closest = self._view(gray)
        found = closest.found[0]
        blobs = [blob for row in found.rows for blob in row]
        images = [fit_ink(cut_ink(found.ink, blob)) for blob in blobs]
        crops = np.hstack(images) if images else np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)
        boxed = as_color(found.ink.contrast)
        for x, y, width, height in (blob.box for blob in blobs):
            cv2.rectangle(boxed, (x, y), (x + width, y + height), BOX_COLOR, 1)
        return [
            ("grey", as_color(gray)),
            ("ink", as_color(found.ink.contrast)),
            ("boxes", boxed),
            ("digits", as_color(crops)),
        ]


def _as_gray(frame: Picture) -> GrayImage:
    is_picture = isinstance(frame, np.ndarray) and frame.dtype == np.uint8
    if not is_picture or frame.shape[2:] not in ((), (3,)) or frame.ndim < 2 or frame.size == 0:
        raise InvalidInputError(
            "cannot read the frame",
            expected="uint8 [height, width, 3] or [height, width], at least one pixel",
            got=describe_array(frame),
        )
    gray = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    return gray.astype(np.uint8, copy=False)


def _is_small(found: Segmentation) -> bool:
    """Tell whether what was found is so small that it was worth another look, if anything was."""
    heights = [blob.height for row in found.rows for blob in row]
    return not heights or median(heights) < SMALL_PX


def _has_beside(seen: Seen, corners: Corners) -> bool:
    """Tell whether a number stands outside of a sheet: two clear digits or more, and no ones.

    Edges look like these.
    """
    found = seen.segmentation
    for row in seen.rows:
        for group in row:
            clear = [c for c in group if not c.is_unclear and c.prediction.digit != 1]
            boxes = [frame_box(one.blob, found) for one in clear]
            middles = [(x + width / 2, y + height / 2) for x, y, width, height in boxes]
            if sum(cv2.pointPolygonTest(corners, middle, False) < 0 for middle in middles) > 1:
                return True
    return False


def _weigh_clear(seen: Seen) -> float:
    """Weigh the pieces of ink that are clear digits, as `weigh` does numbers."""
    return sum(
        one.prediction.confidence * one.blob.height for one in seen.wholes if not one.is_unclear
    )


def _weigh_clarity(seen: Seen) -> float:
    return _weigh_clear(seen) * (1 - seen.unclear_share)


def _weigh(rows: Rows) -> float:
    return weigh(Reading(rows).numbers)
