"""Reading the named fields of a form in a photograph."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.cascade import DigitModel
from edge_mnist.errors import InvalidInputError
from edge_mnist.prediction import Prediction
from edge_mnist.preprocessing import GrayImage
from edge_mnist.vision.cells import CellInk, cut_cells, lift_writing
from edge_mnist.vision.field_reading import GAP, NO_DIGIT, FieldDigit, FieldReading, FormReading
from edge_mnist.vision.fields import Field, FormFields
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.page import PageFinder
from edge_mnist.vision.reader import Reader
from edge_mnist.vision.reading import Box, FoundDigit, Reading

# A field with a digit that is less sure is doubtful. Chosen on forms with MNIST's training digits;
# for numbers as wholes it was not chosen, but is the same.
DEFAULT_DOUBT_BELOW = 0.97

# In a field without cells, digits cover at least this share of the ink, or it is doubtful.
MIN_READ_INK = 0.9

# Cells that are smaller on the straightened page hold nothing that could be read.
MIN_CELL_PX = 12

PAGE_NOT_FOUND = "page not found"
TOO_SMALL = "too small on the page"


class FieldReader:
    """Reads the fields of one form; one instance serves one thread at a time."""

    def __init__(
        self,
        classifier: DigitModel,
        form: FormFields,
        doubt_below: float = DEFAULT_DOUBT_BELOW,
    ) -> None:
        """Make a reader.

        Args:
            classifier: What reads the digits.
            form: The fields, and how the page is found.
            doubt_below: A field with a digit, or a whole number, of which it is less sure is
                doubtful, 0 to 1.

        Raises:
            InvalidInputError: If `doubt_below` is no share, or the form's reference picture
                cannot be used.
        """
        if not 0 <= doubt_below <= 1:
            raise InvalidInputError(
                "confidence to doubt below", expected="0 to 1", got=str(doubt_below)
            )
        self.form = form
        self.doubt_below = doubt_below
        self._classifier = classifier
        self._finder = PageFinder(form)
        # What it is unsure of is not left out here, but doubtful.
        self._reader = Reader(classifier, min_confidence=0.0)

    def read(self, frame: Picture) -> FormReading:
        """Read a photograph of the page.

        Args:
            frame: uint8 [height, width, 3] (blue, green, red) or [height, width].
        """
        gray = (
            frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.uint8)
        )
        page = self._finder.find(gray)
        if page is None:
            nothing = (_unread(field, PAGE_NOT_FOUND) for field in self.form.fields)
            return FormReading(None, tuple(nothing))
        boxes = [_to_pixels(field, page.gray) for field in self.form.fields]
        legible = [
            (field, box)
            for field, box in zip(self.form.fields, boxes, strict=True)
            if _is_legible(field, box)
        ]
        combs = {
            field.name: cut_cells(page.gray, box, field.digits[1])
            for field, box in legible
            if field.cells
        }
        predictions = self._classify([cell for comb in combs.values() for cell in comb])
        free = {field.name: box for field, box in legible if not field.cells}
        # One reading of a page with nothing else on it, not one a field.
        writing = lift_writing(page.gray, list(free.values()))
        reading = self._reader.read(writing) if free else Reading()
        fields = []
        for field in self.form.fields:
            if field.name in combs:
                fields.append(self._read_comb(field, combs[field.name], predictions))
            elif field.name in free:
                fields.append(self._read_free(field, free[field.name], writing, reading))
            else:
                fields.append(_unread(field, TOO_SMALL))
        corners = tuple((float(x), float(y)) for x, y in page.corners)
        return FormReading(corners, tuple(fields))

    def _classify(self, cells: list[CellInk | None]) -> Iterator[Prediction]:
        """Read what may be a digit in all cells of a page, in one batch."""
        images = [cell.image for cell in cells if cell is not None and not cell.is_mark]
        return iter(self._classifier.predict_batch(np.stack(images)) if images else [])

    def _read_comb(
        self, field: Field, cells: list[CellInk | None], predictions: Iterator[Prediction]
    ) -> FieldReading:
        """Read a comb, taking the next prediction for each cell that was classified."""
        text, digits, doubts = "", [], []
        for number, cell in enumerate(cells, 1):
            prediction = None if cell is None or cell.is_mark else next(predictions)
            if cell is None:
                text += GAP
            elif prediction is None or prediction.rejected:
                text += NO_DIGIT
                doubts.append(f"cell {number} holds no digit")
            else:
                text += str(prediction.digit)
                digits.append(_with_second(prediction.probabilities))
        text = text.strip(GAP)
        if GAP in text:
            doubts.append("an empty cell between others")
        return self._judge(field, text, digits, doubts)

    def _read_free(
        self, field: Field, box: Box, writing: GrayImage, reading: Reading
    ) -> FieldReading:
        """Take what stands in a field without cells from the lines of the page."""
        own = [
            [found for number in row for found in number.digits if _is_inside(found.box, box)]
            for row in reading.rows
        ]
        found = [digit for row in own for digit in row]
        doubts = []
        if sum(map(bool, own)) > 1:
            doubts.append("more than one line")
        if not _is_read(writing, box, reading.digits):
            doubts.append("something that is no digit")
        numbers = [n for n in reading.numbers if any(_is_inside(b, box) for b in n.boxes)]
        likelihood = min((number.likelihood for number in numbers), default=1.0)
        digits = [_with_second(digit.probabilities) for digit in found]
        text = "".join(str(digit.digit) for digit in digits)
        return self._judge(field, text, digits, doubts, likelihood)

    def _judge(
        self,
        field: Field,
        text: str,
        digits: list[FieldDigit],
        doubts: list[str],
        likelihood: float = 1.0,
    ) -> FieldReading:
        """Return a field's reading with all that speaks against it; `likelihood` is the whole's."""
        if likelihood < self.doubt_below:
            doubts = [*doubts, f"low confidence: {100 * likelihood:.0f} % as a whole"]
        unsure = [
            f"low confidence: {digit.digit} ({100 * digit.confidence:.0f} %) may be "
            f"{digit.second} ({100 * digit.second_confidence:.0f} %)"
            for digit in digits
            if digit.confidence < self.doubt_below
        ]
        return FieldReading(
            field.name,
            text,
            min(likelihood, *(digit.confidence for digit in digits)) if digits else None,
            tuple(digits),
            (*doubts, *field.find_broken_rules(text), *unsure),
        )


def _unread(field: Field, doubt: str) -> FieldReading:
    return FieldReading(field.name, "", None, (), (doubt,))


def _is_legible(field: Field, box: Box) -> bool:
    """Return whether a field, or each of its cells, is large enough to be read."""
    cells = field.digits[1] if field.cells else 1
    return min(box[2] / cells, box[3]) >= MIN_CELL_PX


def _to_pixels(field: Field, page: GrayImage) -> Box:
    """Return a field's box in pixels of the page; roundings do not take it beyond."""
    height, width = page.shape
    x, y, w, h = field.box
    left, top = round(x * width), round(y * height)
    return left, top, min(round(w * width), width - left), min(round(h * height), height - top)


def _with_second(probabilities: NDArray[np.float64]) -> FieldDigit:
    """Return the most probable digit and the second."""
    second, first = (int(digit) for digit in np.argsort(probabilities, kind="stable")[-2:])
    return FieldDigit(first, float(probabilities[first]), second, float(probabilities[second]))


def _is_inside(digit: Box, field: Box) -> bool:
    """Return whether a digit's middle lies in a field."""
    x, y = digit[0] + digit[2] / 2 - field[0], digit[1] + digit[3] / 2 - field[1]
    return 0 <= x < field[2] and 0 <= y < field[3]


def _is_read(writing: GrayImage, field: Box, digits: list[FoundDigit]) -> bool:
    """Return whether digits cover what is written in a field."""
    x, y, width, height = field
    ink = 255.0 - writing[y : y + height, x : x + width]
    rest = ink.copy()
    for found in digits:
        left, top = found.box[0] - x, found.box[1] - y
        right, bottom = left + found.box[2], top + found.box[3]
        rest[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = 0.0
    return bool(rest.sum() <= (1 - MIN_READ_INK) * ink.sum())
