"""How a camera sees a page: where it stands, the light, the lens and the sensor."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge_mnist.vision.frames import Picture

# float64 [3, 3], the homography from units of the page to pixels of the frame.
Pose = NDArray[np.float64]


@dataclass(frozen=True)
class Lens:
    """What blurs a picture, in pixels.

    Attributes:
        defocus: The deviation of a Gaussian.
        motion: How far the camera moves while it exposes.
        direction: Of the motion, in radians.
    """

    defocus: float = 0.0
    motion: float = 0.0
    direction: float = 0.0


@dataclass(frozen=True)
class Sensor:
    """What turns light into a file.

    Attributes:
        exposure: What the light is multiplied by.
        tint: What blue, green and red are multiplied by.
        noise: Its deviation in full light, in levels of 255.
        sharpening: How much edges are raised, as phones do; 0 is not at all.
        jpeg: The quality of the JPEG in between; None for none.
    """

    exposure: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    noise: float = 1.0
    sharpening: float = 0.0
    jpeg: int | None = None


def take_pose(
    page: tuple[float, float], frame: tuple[int, int], rotation: float, tilt: float, rng: Generator
) -> Pose:
    """Look at the middle of a page, one unit a pixel, turned and from the side.

    Args:
        page: Its width and height, in units.
        frame: Its width and height, in pixels.
        rotation: Degrees.
        tilt: How far each corner may be off, as a share of the page's sides.
        rng: The source of chance.
    """
    width, height = page
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    seen = corners - (width / 2, height / 2)
    seen += rng.uniform(-tilt, tilt, (4, 2)) * (width, height)
    angle = math.radians(rotation)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    seen = seen @ turn + (frame[0] / 2, frame[1] / 2)
    return cv2.getPerspectiveTransform(corners, seen.astype(np.float32))


def see(page: Picture, desk: Picture, pose: Pose, scale: int) -> Picture:
    """Return the page as it lies on the desk, uint8 [height, width, 3] of the desk's size.

    Args:
        page: `scale` pixels to a unit.
        desk: What is around it.
        pose: Where the camera stands.
        scale: Pixels of the page to a unit.
    """
    size = (desk.shape[1], desk.shape[0])
    # Both count from a pixel's middle, a unit from the page's edge.
    half = 0.5 / scale
    units = np.array([[1 / scale, 0, half], [0, 1 / scale, half], [0, 0, 1]])
    pixels = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
    view = pixels @ pose @ units
    # Finer detail than the frame's pixels would turn into false patterns.
    soft = cv2.GaussianBlur(page, (0, 0), 0.3 * scale)
    seen = cv2.warpPerspective(soft, view, size, borderMode=cv2.BORDER_REPLICATE)
    sheet = np.full(page.shape[:2], 255, np.uint8)
    covered = cv2.warpPerspective(sheet, view, size)
    if covered.min() == 255:
        return seen
    # The sheet's thickness casts a thin shadow on the desk.
    reach = 0.006 * max(size)
    shadow = cv2.GaussianBlur(covered, (0, 0), reach)
    shadow = cv2.warpAffine(shadow, np.float32([[1, 0, reach], [0, 1, reach]]), size)
    dimmed = desk * (1 - shadow[..., None].astype(np.float32) / 255 * 0.5)
    share = covered[..., None].astype(np.float32) / 255
    merged: Picture = np.rint(seen * share + dimmed * (1 - share)).astype(np.uint8)
    return merged


def meter(view: Picture, light: NDArray[np.float32], target: float) -> float:
    """Return the exposure that brings the bright parts of a view to a level, within limits."""
    bright = float(np.percentile(view[::8, ::8].mean(axis=2) * light[::8, ::8], 90))
    return min(max(target / bright, 0.75), 1.6)


def expose(
    view: Picture, light: NDArray[np.float32], lens: Lens, sensor: Sensor, rng: Generator
) -> Picture:
    """Take a picture.

    Args:
        view: uint8 [height, width, 3].
        light: float32 [height, width], 1 is full.
        lens: What blurs it.
        sensor: What is made of it.
        rng: The source of the noise.
    """
    gain = np.array(sensor.tint, np.float32) * np.float32(sensor.exposure)
    picture = view * (light[..., None] * gain)
    if lens.defocus > 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), lens.defocus)
    if lens.motion > 1:
        picture = cv2.filter2D(picture, -1, _motion_kernel(lens.motion, lens.direction))
    # Light comes in grains: dark places have less noise, but a larger share of it.
    deviation = sensor.noise * np.sqrt(0.25 + 0.75 * picture / 255)
    noise = rng.standard_normal(picture.shape, np.float32)
    # A sensor sees one colour a pixel; the others are taken from its neighbours.
    noise = 0.6 * noise + 1.2 * cv2.blur(noise, (2, 2))
    picture += deviation * noise
    if sensor.sharpening > 0:
        picture += sensor.sharpening * (picture - cv2.GaussianBlur(picture, (0, 0), 1.2))
    levels: Picture = np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
    if sensor.jpeg is None:
        return levels
    _, content = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, sensor.jpeg])
    decoded: Picture = cv2.imdecode(content, cv2.IMREAD_COLOR)
    return decoded


def _motion_kernel(length: float, direction: float) -> NDArray[np.float32]:
    reach = math.ceil(length / 2) + 1
    steps = np.linspace(-0.5, 0.5, 8 * math.ceil(length) + 1) * length
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for x, y in zip(steps * math.cos(direction), steps * math.sin(direction), strict=True):
        kernel[round(y) + reach, round(x) + reach] += 1
    return kernel / kernel.sum()
