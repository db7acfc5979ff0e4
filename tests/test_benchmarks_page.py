import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import run_all


def test_page_is_what_the_results_say():
    assert run_all.PAGE.read_text() == run_all.render_page(), (
        "write it again: python benchmarks/run_all.py --write-only"
    )


@pytest.mark.parametrize("name", [*run_all.QUICK, *run_all.LONG])
def test_each_result_names_the_script_that_makes_it(name):
    result = (run_all.RESULTS / f"{name}.md").read_text()
    assert f"Made by `python benchmarks/{name}.py" in result
    assert (run_all.HERE / f"{name}.py").is_file()


def test_every_result_is_on_the_page():
    results = {path.stem for path in run_all.RESULTS.glob("*.md")}
    assert results == {*run_all.QUICK, *run_all.LONG}


def test_pictures_are_there():
    for target in re.findall(r"!\[[^]]*\]\(([^)]+)\)", run_all.PAGE.read_text()):
        assert (run_all.PAGE.parent / target).is_file(), target
