"""What each of the five degrees of difficulty brings."""

from dataclasses import dataclass

LIGHT_PAPERS = ("white", "cream", "grey", "recycled", "cardboard")
BOARDS = ("blackboard", "slate")

# Width and height in pixels. Most frames have the size that cameras of small devices give.
FRAME_SIZES = {
    (640, 480): 0.5,
    (800, 600): 0.12,
    (1280, 720): 0.16,
    (480, 640): 0.08,
    (720, 1280): 0.06,
    (1920, 1080): 0.08,
}
MAX_HEIGHT = 120.0  # pixels of the frame


@dataclass(frozen=True)
class Degree:
    """The limits within which a scene of one difficulty is drawn.

    Attributes:
        min_height: Of digits, in pixels of the frame.
        rotation: Degrees to either side.
        tilt: How far a corner moves by perspective, as a share of the page's side.
        pens: What is written with.
        papers: What is written on.
        board: Chance that it is a dark board with chalk instead.
        rulings: Of the paper; "" is none.
        shading: How much darker the far side is, at most.
        soft_shadow: Chance of a shadow with a wide edge.
        hard_shadow: Chance of one with a narrow edge.
        low_light: Chance of a dark, noisy picture.
        defocus: Blur's deviation, at most, as a share of the digits' height.
        motion: Chance of motion blur.
        noise: The sensor's, at most, in levels of 255.
        jpeg: The lowest quality.
        distractors: How many, at least and at most.
        touching: Chance that two neighbours touch.
        habits: Chance that a seven is crossed or a zero slashed.
        desk: Chance that the paper's edges are in view.
        crease: Chance of a crease.
    """

    min_height: float
    rotation: float = 0.0
    tilt: float = 0.0
    pens: tuple[str, ...] = ("black pen", "blue pen")
    papers: tuple[str, ...] = ("white",)
    board: float = 0.0
    rulings: tuple[str, ...] = ("",)
    shading: float = 0.0
    soft_shadow: float = 0.0
    hard_shadow: float = 0.0
    low_light: float = 0.0
    defocus: float = 0.0
    motion: float = 0.0
    noise: float = 0.0
    jpeg: int = 95
    distractors: tuple[int, int] = (0, 0)
    touching: float = 0.0
    habits: float = 0.0
    desk: float = 0.0
    crease: float = 0.0


DEGREES = (
    Degree(min_height=28, defocus=0.01, noise=1),
    Degree(
        min_height=22,
        rotation=3,
        pens=("black pen", "blue pen", "red pen", "marker"),
        papers=("white", "cream", "grey"),
        shading=0.25,
        defocus=0.02,
        noise=3,
        jpeg=85,
        crease=0.1,
    ),
    Degree(
        min_height=18,
        rotation=7,
        tilt=0.02,
        pens=("black pen", "blue pen", "red pen", "pencil", "marker"),
        papers=LIGHT_PAPERS,
        rulings=("", "", "ruled", "margin"),
        shading=0.4,
        soft_shadow=0.6,
        defocus=0.03,
        noise=4,
        jpeg=75,
        distractors=(0, 2),
        touching=0.03,
        desk=0.3,
        crease=0.2,
    ),
    Degree(
        min_height=16,
        rotation=8,
        tilt=0.05,
        pens=("black pen", "blue pen", "red pen", "pencil", "marker"),
        papers=LIGHT_PAPERS,
        board=0.15,
        rulings=("", "ruled", "margin", "squared", "squared"),
        shading=0.45,
        soft_shadow=0.3,
        hard_shadow=0.5,
        defocus=0.045,
        motion=0.15,
        noise=7,
        jpeg=60,
        distractors=(1, 3),
        touching=0.05,
        habits=0.35,
        desk=0.4,
        crease=0.3,
    ),
    Degree(
        min_height=14,
        rotation=12,
        tilt=0.08,
        pens=("black pen", "blue pen", "red pen", "pencil", "pencil", "marker"),
        papers=LIGHT_PAPERS,
        board=0.15,
        rulings=("", "ruled", "margin", "squared", "squared"),
        shading=0.55,
        soft_shadow=0.4,
        hard_shadow=0.6,
        low_light=0.4,
        defocus=0.055,
        motion=0.4,
        noise=9,
        jpeg=45,
        distractors=(2, 5),
        touching=0.07,
        habits=0.35,
        desk=0.4,
        crease=0.4,
    ),
)
