import re
from pathlib import Path

import pytest

from edge_mnist.model_store import shipped_models

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("model", shipped_models(), ids=lambda model: model.name)
def test_readme_tells_each_shipped_models_figures(model):
    row = next(
        line
        for line in (ROOT / "README.md").read_text().splitlines()
        if line.startswith(f"| `{model.name}`")
    )
    card = model.card
    for figure in (
        f"{card.size_bytes:,} bytes",
        f"{100 * card.accuracy['int8 test'].accuracy:.2f} %",
        f"{card.parameters:,}",
        f"{card.multiply_adds:,}",
    ):
        assert f"| {figure} " in row


def test_links_between_pages_lead_somewhere():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_training_page_tells_each_architectures_parameters():
    architectures = pytest.importorskip("edge_mnist.training.architectures", exc_type=ImportError)
    page = (ROOT / "docs" / "train.md").read_text()
    told = dict(re.findall(r"^\| `([\w-]+)` \| ([\d,]+) \|", page, re.MULTILINE))
    assert told == {
        name: f"{architectures.build(name).count_params():,}"
        for name in architectures.ARCHITECTURES
    }
