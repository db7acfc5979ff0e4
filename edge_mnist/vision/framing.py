"""What is done to every frame of a source before it is read."""

from dataclasses import dataclass

import cv2
import numpy as np

from edge_mnist.errors import InvalidInputError
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.reading import Box

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True)
class Framing:
    """Cropping, rotating, mirroring and downscaling of frames, in this order.

    Attributes:
        width: Pixels to which wider frames are scaled down, their aspect kept; none is enlarged.
        mirror: Whether left and right change places.
        rotate: Degrees clockwise: 0, 90, 180 or 270.
        roi: The region to read, in pixels of the frame as it comes; None for all of it. What of it
            reaches over the frame's border is left out.
    """

    width: int | None = None
    mirror: bool = False
    rotate: int = 0
    roi: Box | None = None

    def __post_init__(self) -> None:
        """Check what the user gave.

        Raises:
            InvalidInputError: If a value cannot be used.
        """
        if self.width is not None and self.width < 1:
            raise InvalidInputError("width", expected="1 px or more", got=f"{self.width}")
        if self.rotate not in (0, *_TURNS):
            raise InvalidInputError(
                "rotation", expected="0, 90, 180 or 270 degrees", got=f"{self.rotate}"
            )
        if self.roi is not None and (min(self.roi) < 0 or min(self.roi[2:]) < 1):
            raise InvalidInputError(
                "region to read",
                expected="x and y of 0 px or more, width and height of 1 px or more",
                got=",".join(map(str, self.roi)),
            )

    def apply(self, picture: Picture) -> Picture:
        """Return the frame as it is to be read.

        Args:
            picture: uint8 [height, width, 3] or [height, width]; it is not changed.

        Raises:
            InvalidInputError: If the region to read lies outside of the frame.
        """
        if self.roi is not None:
            picture = _crop(picture, self.roi)
        if self.rotate:
            picture = _as_picture(cv2.rotate(picture, _TURNS[self.rotate]))
        if self.mirror:
            picture = _as_picture(cv2.flip(picture, 1))
        height, width = picture.shape[:2]
        if self.width is not None and width > self.width:
            size = (self.width, max(1, round(height * self.width / width)))
            picture = _as_picture(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
        return np.ascontiguousarray(picture)


AS_IT_COMES = Framing()


def parse_roi(text: str) -> Box:
    """Return the region that is written as "x,y,w,h".

    Raises:
        InvalidInputError: If it is not four whole numbers.
    """
    try:
        x, y, width, height = map(int, text.split(","))
    except ValueError as exc:
        raise InvalidInputError(
            "region to read", expected="x,y,w,h in pixels, such as 0,100,640,200", got=text
        ) from exc
    return x, y, width, height


def _crop(picture: Picture, roi: Box) -> Picture:
    x, y, width, height = roi
    crop = picture[y : y + height, x : x + width]
    if crop.size == 0:
        raise InvalidInputError(
            "region to read",
            expected=f"a part of the frame of {picture.shape[1]}x{picture.shape[0]} px",
            got=",".join(map(str, roi)),
        )
    return crop


def _as_picture(picture: np.typing.NDArray[np.generic]) -> Picture:
    """Narrow OpenCV's type for a picture: what went in as uint8 came out as uint8."""
    return picture.astype(np.uint8, copy=False)
