"""Reading the fields of a form frame after frame."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from edge_mnist.cascade import DigitModel
from edge_mnist.vision.description import describe_field, describe_form, render_field
from edge_mnist.vision.field_reader import FieldReader
from edge_mnist.vision.field_reading import FieldReading, FormReading
from edge_mnist.vision.field_tracking import FieldTracker
from edge_mnist.vision.fields import FormFields
from edge_mnist.vision.form_drawing import annotate_form
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.live_reader import next_model
from edge_mnist.vision.page import straighten


@dataclass(frozen=True)
class LiveForm:
    """The fields in a frame; see `LiveReading`.

    Attributes:
        form: What is read.
        reading: Of this frame alone.
        newly_stable: The fields whose reading holds with it.
        ms: What it took, in milliseconds, as "read".
    """

    form: FormFields
    reading: FormReading
    newly_stable: list[FieldReading]
    ms: dict[str, float]

    @property
    def told(self) -> list[str]:
        """The name and text of each field whose reading newly holds, and its doubts."""
        return [render_field(field) for field in self.newly_stable]

    def describe(self) -> dict[str, Any]:
        """Return corners, fields and those that are stable as plain values."""
        stable = [describe_field(field) for field in self.newly_stable]
        return {**describe_form(self.reading), "stable": stable}

    def draw(self, picture: Picture, status: Sequence[str]) -> Picture:
        """Draw the fields."""
        return annotate_form(picture, self.form, self.reading, status=status)


class LiveFieldReader:
    """Reads the fields of a form until they hold; see `LiveReader`.

    Attributes:
        model: The name of the model that reads.
    """

    def __init__(
        self,
        model: str,
        form: FormFields,
        doubt_below: float,
        load: Callable[[str], DigitModel],
    ) -> None:
        """Load the model.

        Args:
            model: A shipped model's name or a .tflite file, or two of them as `load` takes them.
            form: The fields, and how the page is found.
            doubt_below: A field with a digit of which it is less sure is doubtful, 0 to 1.
            load: Loads models by their names.

        Raises:
            ModelError: If the model cannot be loaded.
            InvalidInputError: If `doubt_below` is no share, or the form's reference picture
                cannot be used.
        """
        self.model = model
        self._load = load
        self._reader = FieldReader(load(model), form, doubt_below)
        self._tracker = FieldTracker()

    def read(self, picture: Picture, *, is_still: bool) -> LiveForm:
        """Read the next frame."""
        live = self.read_again(picture, is_still=is_still)
        if is_still:
            return live
        return LiveForm(live.form, live.reading, self._tracker.update(live.reading), live.ms)

    def read_again(self, picture: Picture, *, is_still: bool) -> LiveForm:
        """Read a frame once more."""
        started_s = time.perf_counter()
        reading = self._reader.read(picture)
        ms = {"read": 1e3 * (time.perf_counter() - started_s)}
        holding = [field for field in reading.fields if is_still and field.text]
        return LiveForm(self._reader.form, reading, holding, ms)

    def forget(self) -> None:
        """Start afresh."""
        self._tracker = FieldTracker()

    def show_stages(self, picture: Picture) -> list[tuple[str, Picture]]:
        """Return the page as it is straightened, or the frame where there is none."""
        gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8)
        corners = self._reader.read(picture).corners
        if corners is None:
            return [("page not found", gray)]
        flat = straighten(gray, np.array(corners, np.float32), self._reader.form.aspect)
        return [("page", flat)]

    def take_next_model(self) -> None:
        """Go on with the next model."""
        self.model = next_model(self.model)
        reader = self._reader
        self._reader = FieldReader(self._load(self.model), reader.form, reader.doubt_below)
