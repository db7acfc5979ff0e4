"""What readings of one place agree on over several frames."""

from collections import defaultdict, deque

# Frames whose readings vote on what stands there.
VOTING_FRAMES = 12
# A reading holds once so many of them agree, with this share of the votes.
MIN_AGREEING = 4
MIN_SHARE = 0.7


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
        agreeing = sum(vote == text for vote, _ in self._votes)
        return None if agreeing < MIN_AGREEING or share < MIN_SHARE else (text, share)
