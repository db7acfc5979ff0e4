"""What others have published of small and of accurate networks for MNIST, as data."""

from dataclasses import dataclass

FLOAT_BYTES = 4


@dataclass(frozen=True)
class PublicSystem:
    """What others have published, as they report it."""

    name: str
    size_bytes: tuple[int, int]  # of the weights alone, from and to
    accuracy: tuple[float, float]  # on MNIST's test images, 0 to 1, from and to
    weights: str  # what they are, in words
    label: str  # in the picture
    label_offset: tuple[int, int]  # in points; to the left of the marker the label ends there


def _of_floats(parameters: int) -> int:
    return FLOAT_BYTES * parameters


# Figures of the projects' own pages and papers, not measured here.
PUBLIC_SYSTEMS = (
    PublicSystem(
        "BitNetMCU, ternary, 96 wide",
        (13_000, 13_000),
        (0.9958, 0.9958),
        "13.0 kB",
        "BitNetMCU ternary 96",
        (-8, 5),
    ),
    PublicSystem(
        "BitNetMCU, 64 wide",
        (11_000, 11_000),
        (0.9955, 0.9955),
        "11.0 kB",
        "BitNetMCU 64",
        (-8, -9),
    ),
    PublicSystem(
        "BitNetMCU, 32 wide", (7_300, 7_300), (0.9928, 0.9928), "7.3 kB", "BitNetMCU 32", (-8, 2)
    ),
    PublicSystem(
        "BitNetMCU, 16 wide", (5_400, 5_400), (0.9906, 0.9906), "5.4 kB", "BitNetMCU 16", (-8, 2)
    ),
    PublicSystem(
        "BitNetMCU, 16 wide, small",
        (3_200, 3_200),
        (0.9892, 0.9892),
        "3.2 kB",
        "BitNetMCU 16 small",
        (-8, 2),
    ),
    PublicSystem(
        "student networks",
        (_of_floats(7_070), _of_floats(8_900)),
        (0.994, 0.995),
        "7,070 to 8,900 floats",
        "student networks",
        (12, -12),
    ),
    PublicSystem(
        "a minimal model",
        (_of_floats(1_936), _of_floats(1_936)),
        (0.991, 0.991),
        "1,936 floats",
        "minimal model",
        (8, -4),
    ),
    PublicSystem(
        "neural golf",
        (_of_floats(575), _of_floats(575)),
        (0.98, 0.98),
        "575 floats",
        "neural golf",
        (8, -4),
    ),
    PublicSystem(
        "single networks at the top",
        (_of_floats(1_000_000), _of_floats(1_000_000)),
        (0.9974, 0.9983),
        "above 1,000,000 floats",
        "single networks at the top,\n4 MB and more",
        (0, -56),
    ),
)
