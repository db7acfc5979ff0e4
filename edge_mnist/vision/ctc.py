"""Reading what a network tells column by column: connectionist temporal classification (CTC).

Graves, Fernández, Gomez and Schmidhuber, "Connectionist Temporal Classification: Labelling
Unsegmented Sequence Data with Recurrent Neural Networks", ICML 2006. In each column the network
gives each class a probability, and one that there is none, the blank. A text is what remains of a
path through the columns when repeated classes become one and blanks are left out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

# Probabilities shrink from column to column; after so many, at the latest, they are scaled.
RESCALED = 16


@dataclass(frozen=True)
class Seen:
    """A class on the best path.

    Attributes:
        label: Which one.
        column: Where it is likeliest.
    """

    label: int
    column: int


def read_best_path(probabilities: NDArray[np.float64]) -> list[Seen]:
    """Return the text of the most probable path.

    Args:
        probabilities: float64 [columns, classes + 1]; the last one is the blank.
    """
    blank = probabilities.shape[1] - 1
    seen = []
    for label, run in groupby(enumerate(probabilities.argmax(axis=1).tolist()), lambda at: at[1]):
        if label != blank:
            columns = [column for column, _ in run]
            seen.append(Seen(label, max(columns, key=lambda at: probabilities[at, label])))
    return seen


def rate_text(probabilities: NDArray[np.float64], labels: Sequence[int]) -> float:
    """Return the log-probability of a text, over all paths (equations 6 to 8).

    Args:
        probabilities: float64 [columns, classes + 1]; the last one is the blank.
        labels: The text; none of them for the probability that there is nothing.
    """
    blank = probabilities.shape[1] - 1
    states = np.full(2 * len(labels) + 1, blank)
    states[1::2] = labels
    # What is between two labels may be passed over, but not where both are the same.
    skips = np.zeros(len(states))
    skips[2:] = (states[2:] != blank) & (states[2:] != states[:-2])
    emitted = probabilities[:, states]
    # Two columns of nothing in front stand for the states before the first.
    forward = np.zeros(len(states) + 2)
    forward[2:4] = emitted[0, :2]
    logarithm = 0.0
    for start in range(1, len(emitted), RESCALED):
        for column in emitted[start : start + RESCALED]:
            forward[2:] = column * (forward[2:] + forward[1:-1] + skips * forward[:-2])
        total = float(forward.sum())
        if total == 0:
            return -math.inf
        logarithm += math.log(total)
        forward /= total
    end = float(forward[-2:].sum())
    return logarithm + math.log(end) if end > 0 else -math.inf
