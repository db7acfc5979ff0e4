"""The fields of a form over time: which readings hold."""

from edge_mnist.vision.field_reading import FieldReading, FormReading
from edge_mnist.vision.tracking import MAX_UNSEEN
from edge_mnist.vision.votes import Votes


class FieldTracker:
    """Tells each field's reading once it holds over several frames."""

    def __init__(self) -> None:
        """Start with no page in view."""
        self._unseen = 0
        self._votes: dict[str, Votes] = {}
        self._told: dict[str, str] = {}

    def update(self, reading: FormReading) -> list[FieldReading]:
        """Take in the next frame's reading.

        Returns:
            The fields whose reading holds with it: each is given once, and once more if another
            number comes to stand there or the next page is shown. Empty fields are not given.
        """
        if reading.corners is None:
            self._unseen += 1
            if self._unseen > MAX_UNSEEN:
                self._votes.clear()
                self._told.clear()
            return []
        self._unseen = 0
        return [field for field in reading.fields if self._begins_to_hold(field)]

    def _begins_to_hold(self, field: FieldReading) -> bool:
        if field.confidence is None:
            return False
        votes = self._votes.setdefault(field.name, Votes())
        votes.add(field.text, field.confidence)
        agreed = votes.agree()
        if agreed is None or agreed[0] != field.text or self._told.get(field.name) == field.text:
            return False
        self._told[field.name] = field.text
        return True
