"""Numbers over time: which hold still, and what they are."""

from dataclasses import dataclass, field

from edge_mnist.vision.places import overlap_places
from edge_mnist.vision.reading import Box, Number, Reading, bound
from edge_mnist.vision.votes import Votes

# A number that has not been seen for so many frames has left.
MAX_UNSEEN = 15
# And one that has been for more than this is hidden.
MAX_MISSED = 2
# Numbers overlap their own place of the frame before by this share of the smaller one.
MIN_OVERLAP = 0.3


@dataclass(frozen=True)
class StableNumber:
    """A number whose reading has held.

    Attributes:
        text: Its digits.
        confidence: The share of the votes that spoke for it, 0 to 1.
        box: Where it stood when it was last seen.
        track: Which of the numbers followed it is, counted from 0: the same for the same number.
    """

    text: str
    confidence: float
    box: Box
    track: int


@dataclass
class _Track:
    """A number that is followed."""

    index: int
    boxes: list[Box]  # of its digits, where they were seen last
    votes: Votes = field(default_factory=Votes)
    unseen: int = 0
    text: str | None = None  # once it holds

    def see(self, numbers: list[Number]) -> None:
        """Take in what stands there in the next frame; nothing if it is not to be seen."""
        self.unseen = 0 if numbers else self.unseen + 1
        for number in numbers:
            self.votes.add(number.text, number.confidence)
        if numbers:
            self.boxes = [box for number in numbers for box in number.boxes]

    def count(self) -> StableNumber | None:
        """Return what the votes agree on, if they do."""
        agreed = self.votes.agree()
        return None if agreed is None else StableNumber(*agreed, bound(self.boxes), self.index)


class Tracker:
    """Follows numbers from frame to frame and tells when their reading holds."""

    def __init__(self) -> None:
        """Start with nothing in view."""
        self._tracks: list[_Track] = []
        self._made = 0

    def update(self, reading: Reading) -> list[StableNumber]:
        """Take in the next frame's reading.

        Returns:
            The numbers that have become stable with it: each is given once, not in every frame,
            and once more if what stands there changes.
        """
        # All are matched with the places of the frame before: the pieces that a number may have
        # fallen into belong to it, and none starts a track of its own.
        seen: dict[int, list[Number]] = {}
        for number in reading.numbers:
            seen.setdefault(self._find(number).index, []).append(number)
        for track in self._tracks:
            track.see(seen.get(track.index, []))
        self._tracks = [track for track in self._tracks if track.unseen <= MAX_UNSEEN]
        new = []
        for track in self._tracks:
            agreed = track.count() if track.unseen == 0 else None
            if agreed and agreed.text != track.text:
                track.text = agreed.text
                new.append(agreed)
        return new

    @property
    def stable(self) -> list[StableNumber]:
        """All stable numbers that are in view, in the order in which they were first seen.

        One that was missed for a frame or two is.
        """
        counted = (
            track.count()
            for track in self._tracks
            if track.text is not None and track.unseen <= MAX_MISSED
        )
        return [agreed for agreed in counted if agreed is not None]

    def _find(self, number: Number) -> _Track:
        """Return what stood at a number's place, or start to follow it."""
        shares = [overlap_places(track.boxes, number.boxes) for track in self._tracks]
        most = max(shares, default=0.0)
        if most >= MIN_OVERLAP:
            return self._tracks[shares.index(most)]
        new = _Track(self._made, number.boxes)
        self._made += 1
        self._tracks.append(new)
        return new
