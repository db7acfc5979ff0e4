"""What readings of one place agree on over several frames."""

import math
from collections import defaultdict, deque

# Frames whose readings vote on what stands there.
VOTING_FRAMES = 12
# A reading holds once so many of them agree, with this share of the votes.
MIN_AGREEING = 4
MIN_SHARE = 0.8
# One that is less sure than this counts for less: ten frames of it must agree.
SURE_CONFIDENCE = 0.95
DOUBTFUL_VOTE = 0.4


class Votes:
    """The latest readings of one place, weighted by their confidence."""

    def __init__(self) -> None:
        """Start without any."""
        self._votes: deque[tuple[str, float]] = deque(maxlen=VOTING_FRAMES)

    def add(self, text: str, confidence: float) -> None:
        """Count a frame's reading; the oldest is forgotten."""
        self._votes.append((text, confidence))

    def agree(self) -> tuple[str, float] | None:
        """Return the text that holds and its share of the votes, or None if there is none yet."""
        weights: defaultdict[str, float] = defaultdict(float)
        for text, confidence in self._votes:
            weights[text] += confidence
        if not weights:
            return None
        text, weight = max(weights.items(), key=lambda entry: entry[1])
        share = weight / sum(weights.values())
        # Ten of 0.4 are not quite four in a plain sum.
        agreeing = math.fsum(
            1.0 if confidence >= SURE_CONFIDENCE else DOUBTFUL_VOTE
            for vote, confidence in self._votes
            if vote == text
        )
        return None if agreeing < MIN_AGREEING or share < MIN_SHARE else (text, share)
