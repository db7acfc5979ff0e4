import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from edge_mnist import Classifier
from edge_mnist.bench.drawn_digits import draw_digit, enlarge
from edge_mnist.preprocessing import normalize_digit

ROOT = Path(__file__).parent.parent

PREDICT = """
import shutil, sys
import edge_mnist
from edge_mnist import Classifier
from edge_mnist.bench.drawn_digits import draw_digit, enlarge
from edge_mnist.model_store import find_model
from edge_mnist.preprocessing import normalize_digit

image = normalize_digit(enlarge(draw_digit(7))).image
shutil.copy(find_model(), "cardless.tflite")
print(edge_mnist.__file__)
for model in (None, "cardless.tflite"):
    print(Classifier.load(model).predict(image).digit)
"""


def run(*command, cwd):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_wheel_predicts_in_a_clean_environment(tmp_path):
    pytest.importorskip("build")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    shipped = {name for name in names if "/templates/" in name}
    templates = (ROOT / "edge_mnist" / "report" / "templates").iterdir()
    assert shipped == {path.relative_to(ROOT).as_posix() for path in templates}
    own = {f"{name}.{suffix}" for name in ("lines", "pairs") for suffix in ("tflite", "json")}
    assert {f"edge_mnist/models/vision/{name}" for name in own} < names
    venv.create(tmp_path / "venv", with_pip=True)
    scripts = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    run(scripts / "python", "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    imported, *digits = run(scripts / "python", "-c", PREDICT, cwd=tmp_path).splitlines()
    assert (tmp_path / "venv").resolve() in Path(imported).resolve().parents
    expected = Classifier.load().predict(normalize_digit(enlarge(draw_digit(7))).image).digit
    assert digits == [str(expected)] * 2
    table = run(scripts / "edge-mnist", "models", cwd=tmp_path)
    assert "micro (default)" in table
