"""The published recipes, trained in full and held to their figures: make test-slow."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from recipes import PUBLISHED, is_reached  # noqa: E402


@pytest.mark.slow
@pytest.mark.parametrize("recipe", PUBLISHED)
def test_recipe_reaches_its_published_figure(recipe, tmp_path):
    out = tmp_path / recipe
    subprocess.run(
        [sys.executable, "-m", "edge_mnist", "train", "--recipe", recipe, "--out", str(out)],
        check=True,
    )
    figure, sign = PUBLISHED[recipe]
    accuracy = json.loads((out / "metrics.json").read_text())["test"]["accuracy"]
    assert is_reached(accuracy, figure, sign), f"{accuracy:.4f} is not {sign} {figure}"
