"""Ink that may be a digit, and what a model says of it."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

from edge_mnist.prediction import Prediction
from edge_mnist.vision.blobs import Blob

# What it costs to hold ink for no digit, in units of log-probability.
NO_DIGIT_COST = 3.0
# What straight strokes are read as, those of a grid or of letters.
STROKES = (1, 4, 7)
# Lower ink beside digits is a speck, as a share of their height.
MIN_HEIGHT_SHARE = 0.55

# What is less likely the digit that it seems to be than this is not clear. Where so many candidates
# stand together, they are print if the first of these shares of them is not clear, and the second
# is narrower, too, than digits that touch, or one wider than three of these; both in heights.
MIN_CLEAR_SCORE = math.log(0.5)
PRINT_SHARES = {5: (0.75, 0.75), 15: (0.4, 0.15)}
MAX_LETTER_ASPECT = 1.0
MIN_WORD_ASPECT = 3.0


@dataclass(frozen=True)
class Candidate:
    """Ink, and what a model says of it.

    Attributes:
        blob: The ink.
        prediction: What the model says.
        parts: How many digits ink that hung together was cut into, of which it is one; 1 for all
            of it.
        is_print: Whether it stands in a line of print.
    """

    blob: Blob
    prediction: Prediction
    parts: int = 1
    is_print: bool = False

    @property
    def is_cut(self) -> bool:
        """Whether the ink was cut off other ink."""
        return self.parts > 1

    @property
    def aspect(self) -> float:
        """Its width over its height."""
        return self.blob.width / self.blob.height

    @cached_property
    def score(self) -> float:
        """The log-probability that it is the digit it seems to be, at least `-NO_DIGIT_COST`."""
        return rate(self.prediction)

    @property
    def is_unclear(self) -> bool:
        """Whether it is as likely not the digit that it seems to be."""
        return self.score < MIN_CLEAR_SCORE


def rate(prediction: Prediction) -> float:
    """Return the log-probability of the digit that a prediction names; see `Candidate.score`."""
    likelihood = prediction.confidence * (1 - prediction.rejection_score)
    return math.log(max(likelihood, math.exp(-NO_DIGIT_COST)))


def mark_print(group: list[Candidate]) -> list[Candidate]:
    """Return candidates that stand together, none of them cut, marked if they are print."""
    unclear = [c for c in group if c.is_unclear]
    letters = sum(c.aspect <= MAX_LETTER_ASPECT for c in unclear)
    has_word = any(c.aspect >= MIN_WORD_ASPECT for c in unclear)
    is_print = any(
        len(group) >= count
        and len(unclear) >= unclear_share * len(group)
        and (has_word or letters >= letter_share * len(group))
        for count, (unclear_share, letter_share) in PRINT_SHARES.items()
    )
    return [replace(c, is_print=True) for c in group] if is_print else group
