"""Digits of handwriting fonts: what is read of hands that are nowhere near MNIST's.

Usage: npm install $(python benchmarks/handwriting_fonts.py --list), in a folder of its own;
       python benchmarks/handwriting_fonts.py FOLDER (four minutes); writes
       results/handwriting_fonts.md

A font is one hand, drawn once: ten digits, with no variation. Every shipped model reads each of
them; the reader reads numbers of one hand on made pages. No model learns from them. That ones with
a flag are read as 7 was found on them and on Debian's, and the forms of training/styles.py were
drawn for it: for a model that was trained with `styles` they are what it was developed on. That a
narrow hand's 7 passes for a 1 was found on them, too, and what the reader does about it tried on
them.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

TOOLS = Path(__file__).parent.parent / "tools"
sys.path.insert(0, str(TOOLS))

from make_scenes import show_progress  # noqa: E402
from reading_report import render_by_difficulty  # noqa: E402
from reading_score import SceneScore, score_scene  # noqa: E402
from report import render_markdown_table, write_report  # noqa: E402
from scene_degrees import DEGREES  # noqa: E402
from scenes import make_scene  # noqa: E402

from edge_mnist import Classifier  # noqa: E402
from edge_mnist.cascade import load_models  # noqa: E402
from edge_mnist.dataset import Examples  # noqa: E402
from edge_mnist.errors import DatasetError, EdgeMnistError  # noqa: E402
from edge_mnist.model_store import shipped_models  # noqa: E402
from edge_mnist.preprocessing import NUM_CLASSES, normalize_digit  # noqa: E402
from edge_mnist.vision.reader import Reader  # noqa: E402

# Of Google Fonts' handwriting category, those that imitate a pen on paper.
FONTS = [
    "amatic-sc",
    "annie-use-your-telescope",
    "architects-daughter",
    "bad-script",
    "balsamiq-sans",
    "caveat",
    "cedarville-cursive",
    "coming-soon",
    "covered-by-your-grace",
    "crafty-girls",
    "dawning-of-a-new-day",
    "delicious-handrawn",
    "delius",
    "fuzzy-bubbles",
    "gaegu",
    "gamja-flower",
    "give-you-glory",
    "gloria-hallelujah",
    "gochi-hand",
    "handlee",
    "hi-melody",
    "homemade-apple",
    "indie-flower",
    "just-another-hand",
    "kalam",
    "kristi",
    "la-belle-aurore",
    "loved-by-the-king",
    "mansalva",
    "marck-script",
    "nanum-pen-script",
    "neucha",
    "nothing-you-could-do",
    "oooh-baby",
    "over-the-rainbow",
    "patrick-hand",
    "permanent-marker",
    "poor-story",
    "reenie-beanie",
    "rock-salt",
    "schoolbell",
    "shadows-into-light",
    "short-stack",
    "sriracha",
    "sue-ellen-francisco",
    "swanky-and-moo-moo",
    "the-girl-next-door",
    "waiting-for-the-sunrise",
    "yomogi",
    "zen-kurenaido",
    "zeyada",
]
SIZE, CANVAS = 80, 200  # pixels: of the letters, and of the picture


def main() -> int:
    """List the fonts, or measure, print and write the table."""
    packages = [f"@fontsource/{name}" for name in FONTS]
    if sys.argv[1:] == ["--list"]:
        print(*packages)
        return 0
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "node_modules"
    try:
        examples = draw_fonts([folder / package for package in packages])
    except EdgeMnistError as exc:
        print(f"handwriting_fonts: {exc}", file=sys.stderr)
        return 1
    is_one = examples.labels == 1
    rows = []
    for model in shipped_models():
        predictions = Classifier.load(model.name).predict_batch(examples.images)
        read = np.array([prediction.digit for prediction in predictions])
        rejected = np.mean([prediction.rejected for prediction in predictions])
        rows.append(
            [
                f"`{model.name}`",
                f"{100 * np.mean(read == examples.labels):.2f} %",
                f"{np.sum(is_one & (read == 7))} of {is_one.sum()}",
                f"{100 * rejected:.2f} %",
            ]
        )
    write_report(
        "handwriting_fonts",
        "Digits of handwriting fonts",
        "python benchmarks/handwriting_fonts.py FOLDER",
        render_markdown_table(["model", "read right", "ones read as 7", "rejected"], rows)
        + f"\n\nTen digits of {len(FONTS)} fonts from npm's `@fontsource`, which no model has "
        "learned from: " + ", ".join(FONTS) + ". The forms that `styles` draws were made after "
        "seeing which of their digits were misread: a model trained with it is at home here.\n\n"
        "Numbers of these digits, as `predict` reads them on made pages, each of one hand; every "
        "hand at every difficulty ([the same of MNIST's digits](reading.md)). What the reader does "
        "about narrow hands was developed on these:\n\n"
        + render_by_difficulty(read_scenes(examples)),
    )
    return 0


def read_scenes(digits: Examples) -> list[SceneScore]:
    """Read a made scene of each hand in each difficulty.

    Args:
        digits: As `draw_fonts` gives them.
    """
    reader = Reader(load_models())
    hands = len(digits.labels) // NUM_CLASSES
    total = hands * len(DEGREES)
    scores = []
    for index in range(total):
        hand, difficulty = divmod(index, len(DEGREES))
        own = slice(NUM_CLASSES * hand, NUM_CLASSES * (hand + 1))
        scene = make_scene(index, difficulty, Examples(digits.images[own], digits.labels[own]))
        scores.append(score_scene(scene.truth, reader.read(scene.picture, careful=True)))
        show_progress(index + 1, total, "scenes")
    return scores


def draw_fonts(folders: list[Path]) -> Examples:
    """Draw the ten digits of each font, black on white, and put them through preprocessing.

    Returns:
        Those of a font from 0 to 9, font by font.

    Raises:
        DatasetError: If a font is not there or draws nothing for a digit.
    """
    images = []
    for folder in folders:
        found = sorted(folder.glob("files/*-latin-400-normal.woff"))
        if not found:
            raise DatasetError(
                f"no font in {folder}",
                expected="files/NAME-latin-400-normal.woff",
                remedy="npm install $(python benchmarks/handwriting_fonts.py --list)",
            )
        font = ImageFont.truetype(str(found[0]), SIZE)
        for digit in range(NUM_CLASSES):
            picture = Image.new("L", (CANVAS, CANVAS), 255)
            ImageDraw.Draw(picture).text((CANVAS // 4,) * 2, str(digit), font=font, fill=0)
            normalized = normalize_digit(np.array(picture))
            if normalized is None:
                raise DatasetError(f"{found[0].name} draws nothing for {digit}")
            images.append(normalized.image)
    labels = np.tile(np.arange(NUM_CLASSES, dtype=np.uint8), len(folders))
    return Examples(np.stack(images), labels)


if __name__ == "__main__":
    sys.exit(main())
