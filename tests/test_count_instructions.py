import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge_mnist.errors import MissingDependencyError, ModelError
from edge_mnist.model_store import find_model

TOOLS = Path(__file__).parent.parent / "tools"
sys.path.insert(0, str(TOOLS))

import count_instructions as tool  # noqa: E402

needs_emulator = pytest.mark.skipif(
    not all(shutil.which(command) for command in (tool.QEMU, tool.COMPILER, "apt-get")),
    reason="needs Debian, qemu-user and gcc",
)
COUNTED = [("micro", 300_000), ("other", 450_000)]


def marks_of(*counts):
    """Return the totals at the marks of inferences with these counts, 1000 apart."""
    totals, total = [], 0
    for count in counts:
        totals += [total + 1000, total + 1000 + count]
        total = totals[-1]
    return totals


def test_takes_the_median_of_the_warm_runs():
    first, second = [900, 800, 5, 3, 4, 9, 1], [70, 60, 20, 20, 20, 21, 20]
    assert len(first) == tool.WARM_UP_RUNS + tool.IMAGES
    assert tool.interpret_marks(marks_of(*first, *second), 2) == [4, 20]


def test_refuses_an_early_end():
    with pytest.raises(ModelError, match="stopped early: expected 28 marks, got 14"):
        tool.interpret_marks(marks_of(*[1] * 7), 2)


def test_table_has_ratios_to_the_first_and_the_caveat():
    head, first, second, _, note = tool.format_table(COUNTED).splitlines()
    assert head.split() == ["model", "instructions", "ratio"]
    assert first.split() == ["micro", "300,000", "1.000"]
    assert second.split() == ["other", "450,000", "1.500"]
    assert "instructions, not cycles" in note


def test_json_says_what_was_counted():
    found = json.loads(tool.format_json(COUNTED))
    assert found["models"][1] == {"model": "other", "instructions": 450_000, "ratio": 1.5}
    assert found["processor"] == "cortex-a53"
    assert "not cycles" in found["note"]


def test_source_is_the_machines_own_debian_mirror():
    targets = "\n".join(
        [
            "main http://mirror.example/extra",
            "contrib http://mirror.example/debian/",
            "main http://mirror.example/debian-security/",
            "main http://mirror.example/debian/",
        ]
    )
    line = tool.describe_source(targets)
    assert line.endswith(" http://mirror.example/debian/ bookworm main\n")
    with pytest.raises(MissingDependencyError, match="expected a Debian mirror"):
        tool.describe_source("main http://mirror.example/ubuntu/")


@pytest.mark.parametrize(
    ("missing", "package"), [("qemu-aarch64", "qemu-user"), ("gcc", "gcc libc6-dev")]
)
def test_names_what_is_missing_and_how_to_get_it(missing, package, monkeypatch, capsys):
    monkeypatch.setattr(tool.shutil, "which", lambda name: None if name == missing else name)
    assert tool.main(["micro"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == (
        f"count_instructions: counting instructions needs {missing}, which is not installed; "
        f"apt-get install -y --no-install-recommends {package}\n"
    )


def test_names_a_model_that_is_not_there(capsys):
    assert tool.main(["no-such-model"]) == 1
    assert "cannot find the model" in capsys.readouterr().err


def test_failed_set_up_leaves_nothing(tmp_path, monkeypatch):
    def fail(state, root):
        root.mkdir(parents=True)
        raise MissingDependencyError("no network")

    monkeypatch.setattr(tool.platformdirs, "user_cache_path", lambda *_, **__: tmp_path)
    monkeypatch.setattr(tool, "extract_packages", fail)
    monkeypatch.setattr(tool, "require", lambda command: None)
    with pytest.raises(MissingDependencyError, match="no network"):
        tool.set_up_system()
    assert list((tmp_path / "emulation").iterdir()) == []


def test_import_brings_in_no_tensorflow():
    code = "import sys, count_instructions; print('tensorflow' in sys.modules)"
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=TOOLS, capture_output=True, text=True, check=True
    )
    assert process.stdout == "False\n"


@pytest.mark.slow
@needs_emulator
def test_two_runs_give_the_same_counts():
    micro = find_model("micro")
    counts = tool.count_instructions([micro, micro])
    assert tool.count_instructions([micro, micro]) == counts
    assert all(100_000 < count < 1_000_000 for count in counts)
    # What was counted before hardly matters.
    assert counts[0] == pytest.approx(counts[1], rel=1e-3)


@pytest.mark.slow
@needs_emulator
def test_names_the_model_that_does_not_run(tmp_path):
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(find_model("micro").read_bytes()[:8000])
    with pytest.raises(ModelError, match=r"broken\.tflite does not run on the emulated processor"):
        tool.count_instructions([find_model("micro"), broken])
