"""All pictures of an explanation, as files of a folder."""

from pathlib import Path

from edge_mnist.explanation.explain import Explanation, ImageExplanation
from edge_mnist.explanation.pictures import (
    draw_activations,
    draw_filters,
    draw_gradcams,
    draw_occlusion,
)


def draw(explanation: Explanation, folder: Path) -> list[Path]:
    """Draw what was found out: a PNG for each convolution's filters, and by method for each image.

    Args:
        explanation: What to draw.
        folder: Where the pictures go; pictures of the same names are replaced.

    Returns:
        The pictures, in order.
    """
    drawn = []
    for filters in explanation.filters:
        drawn.append(folder / f"{explanation.model}-filters-{filters.layer}.png")
        draw_filters(filters, drawn[-1])
    stems: dict[str, int] = {}
    for image in explanation.images:
        stem = Path(image.source).stem
        stems[stem] = stems.get(stem, 0) + 1
        # Pictures of the same name from several folders.
        number = f"-{stems[stem]}" if stems[stem] > 1 else ""
        drawn += _draw_image(explanation.model, image, folder, f"{stem}{number}")
    return drawn


def _draw_image(model: str, image: ImageExplanation, folder: Path, stem: str) -> list[Path]:
    read = f"{model} reads {image.digit} ({100 * image.confidence:.1f} %)"
    asked = f"what speaks for {image.explained_digit}: {read}"
    drawn = []
    if image.activations:
        drawn.append(folder / f"{stem}-activations.png")
        draw_activations(image.activations, image.image, read, drawn[-1])
    if image.gradcams:
        drawn.append(folder / f"{stem}-gradcam.png")
        draw_gradcams(image.gradcams, image.image, f"Grad-CAM, {asked}", drawn[-1])
    if image.occlusion is not None:
        drawn.append(folder / f"{stem}-occlusion.png")
        draw_occlusion(image.occlusion, image.image, f"Occlusion, {asked}", drawn[-1])
    return drawn
