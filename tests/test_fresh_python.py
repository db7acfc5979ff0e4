import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edge_mnist import fresh_python
from edge_mnist.fresh_python import build_fresh_command

TELL = """
import sys
print("imported", __name__, sys.argv[0])
def main(*arguments):
    import fresh_sibling
    print(arguments, fresh_sibling.PLACE)
"""


@pytest.fixture(params=["folder", "zip"])
def home(request, tmp_path, monkeypatch):
    """A place with two modules, which stands for the one that holds the package."""
    files = {"fresh_probe.py": TELL, "fresh_sibling.py": "PLACE = 'home'"}
    place = tmp_path / "the home"
    if request.param == "zip":
        with zipfile.ZipFile(place, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
    else:
        place.mkdir()
        for name, text in files.items():
            (place / name).write_text(text)
    monkeypatch.setattr(fresh_python, "PACKAGE_HOME", place)
    return place


def run(*arguments):
    command = build_fresh_command("fresh_probe", *arguments)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_main_gets_the_arguments_and_its_module_runs_once(home):
    arguments = ("one word", '{"quoted": "$HOME"}', "")
    assert run(*arguments) == f"imported fresh_probe -c\n{arguments} home\n"


@pytest.mark.parametrize("name", ["fresh_sibling", "json", "importlib"])
def test_callers_folder_is_not_searched(home, tmp_path, monkeypatch, name):
    (tmp_path / f"{name}.py").write_text("raise SystemError('the wrong module')")
    monkeypatch.chdir(tmp_path)
    assert run().endswith("() home\n")


def test_what_is_installed_beside_the_package_does_not_hide_the_standard_library(
    tmp_path, monkeypatch
):
    # As site-packages is: on the path, but behind the standard library.
    (tmp_path / "fresh_probe.py").write_text("def main(): import fractions")
    (tmp_path / "fractions.py").write_text("raise SystemError('the wrong module')")
    start = "import sys; sys.path.append(sys.argv[1]); "
    monkeypatch.setattr(fresh_python, "PACKAGE_HOME", tmp_path)
    command = build_fresh_command("fresh_probe")
    command[2] = start + command[2]
    subprocess.run(command, check=True)


def test_the_package_is_found_where_it_stands():
    assert Path(sys.modules["edge_mnist"].__file__).parent.parent == fresh_python.PACKAGE_HOME
