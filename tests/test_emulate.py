import json
import subprocess
import sys
from pathlib import Path

import emulate
import emulated_count
import emulated_devices
import emulated_images
import emulated_parity
import emulated_processors
import emulated_reference
import emulated_system
import numpy as np
import pytest

from edge_mnist.errors import InvalidInputError, MissingDependencyError, ModelError
from edge_mnist.model_store import find_model, shipped_models

TOOLS = Path(__file__).parent.parent / "tools"
A7 = emulated_processors.PROCESSORS["cortex-a7"]


@pytest.fixture
def no_emulator(monkeypatch):
    """Everything gives the outputs 0 to 9, but those that a test puts in for a processor."""
    given = {}

    def run(paths, images, processor=None, **_):
        outputs = np.tile(np.arange(10, dtype=np.uint8), (len(images), 1))
        return [given.get(processor and processor.name, outputs)] * len(paths)

    monkeypatch.setattr(emulate, "run_emulated", run)
    monkeypatch.setattr(emulate, "run_here", run)
    monkeypatch.setattr(emulate, "set_up_system", lambda architecture: None)
    monkeypatch.setattr(emulate, "read_qemu_version", lambda architecture: "7.2.22")
    return given


def outputs_with_other_images(count, *others):
    outputs = np.tile(np.arange(10, dtype=np.uint8), (count, 1))
    outputs[list(others), 3] += 1
    return outputs


def marks_of(*counts):
    """Return the totals at the marks of inferences with these counts, 1000 apart."""
    totals, total = [], 0
    for count in counts:
        totals += [total + 1000, total + 1000 + count]
        total = totals[-1]
    return totals


def test_takes_the_median_of_the_warm_runs():
    first, second = [900, 800, 5, 3, 4, 9, 1], [70, 60, 20, 20, 20, 21, 20]
    assert len(first) == emulated_count.WARM_UP_RUNS + emulated_count.IMAGES
    assert emulated_count.interpret_marks(marks_of(*first, *second), 2) == [4, 20]


def test_refuses_an_early_end():
    with pytest.raises(ModelError, match="stopped early: expected 28 marks, got 14"):
        emulated_count.interpret_marks(marks_of(*[1] * 7), 2)


def test_counts_have_ratios_to_the_first_and_the_caveat(monkeypatch, capsys):
    monkeypatch.setattr(emulate, "count_instructions", lambda paths, one: [300_000, 450_000])
    arguments = ["count", "pico", "micro", "--processor", "cortex-a7"]
    assert emulate.main(arguments) == 0
    head, first, second, _, note = capsys.readouterr().out.splitlines()
    assert head.split() == ["model", "processor", "instructions", "ratio"]
    assert first.split() == ["pico", "cortex-a7", "300,000", "1.0"]
    assert second.split() == ["micro", "cortex-a7", "450,000", "1.5"]
    assert "instructions, not cycles" in note
    assert emulate.main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["models"][1] == {
        "model": "micro",
        "processor": "cortex-a7",
        "instructions": 450_000,
        "ratio": 1.5,
    }
    assert "not cycles" in found["note"]


def test_run_tells_accuracy_and_writes_the_outputs(no_emulator, mnist, tmp_path, capsys):
    out = tmp_path / "outputs.npy"
    arguments = ["run", "cortex-a7", "micro", "--images", "50", "--out", str(out)]
    assert emulate.main(arguments) == 0
    nines = float(np.mean(mnist.test.labels[:50] == 9))
    told = capsys.readouterr().out
    assert (
        f"micro on an emulated cortex-a7 in tflite-runtime==2.14.0: accuracy {100 * nines:.2f} %"
        in told
    )
    assert "bit-identical on 50 images" in told
    assert np.load(out).shape == (50, 10)


def test_run_without_labels_tells_no_accuracy(no_emulator, capsys):
    assert emulate.main(["run", "cortex-a7", "micro", "--images", "5", "--data", "strokes"]) == 0
    assert "accuracy" not in capsys.readouterr().out


def test_parity_names_the_images_that_differ_and_fails(no_emulator, capsys):
    no_emulator["cortex-a72"] = outputs_with_other_images(20, 4, 17)
    assert emulate.main(["parity", "pico", "--images", "20", "--data", "strokes"]) == 1
    _, *rows = capsys.readouterr().out.splitlines()[:5]
    assert [row.split()[1] for row in rows] == list(emulated_processors.PROCESSORS)
    assert [row.split()[2:] for row in rows if "cortex-a72" not in row] == [
        ["bit-identical", "on", "20", "images"]
    ] * 3
    assert rows[1].endswith("2 of 20 images differ: 4, 17")
    assert emulate.main(["parity", "--json", "--images", "20", "--data", "strokes"]) == 1
    found = json.loads(capsys.readouterr().out)["models"]
    assert len(found) == 4 * len(shipped_models())
    assert {
        row["model"]: row["differing_images"] for row in found if row["processor"] == "cortex-a72"
    } == {model.name: [4, 17] for model in shipped_models()}


def test_of_many_differing_images_the_first_ten_are_named():
    told = emulated_reference.describe_differences(list(range(3, 30)), 10_000)
    assert told == "27 of 10,000 images differ: 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, …"


def test_a_bit_is_a_difference():
    outputs = np.zeros((3, 10), np.float32)
    other = outputs.copy()
    other[1, 2] = -0.0
    assert emulated_parity.find_differences(other, outputs) == [1]
    assert emulated_parity.find_differences(outputs * np.nan, outputs * np.nan) == []
    assert emulated_parity.find_differences(outputs.astype(np.float64), outputs) == [0, 1, 2]


def test_strokes_are_the_same_in_every_call_and_differ_from_each_other():
    first, second = emulated_images.draw_strokes(3), emulated_images.draw_strokes(5)
    assert first.shape == (3, 28, 28)
    np.testing.assert_array_equal(first, second[:3])
    assert len({image.tobytes() for image in second}) == 5
    assert set(np.unique(second)) == {0, 255}


def test_no_images_are_refused():
    with pytest.raises(InvalidInputError, match="images: expected at least 1, got 0"):
        emulated_images.load_images("strokes", 0)


def test_source_is_the_machines_own_debian_mirror():
    targets = "\n".join(
        [
            "main http://mirror.example/extra",
            "contrib http://mirror.example/debian/",
            "main http://mirror.example/debian-security/",
            "main http://mirror.example/debian/",
        ]
    )
    line = emulated_system.describe_source(targets)
    assert line.endswith(" http://mirror.example/debian/ bookworm main\n")
    with pytest.raises(MissingDependencyError, match="expected a Debian mirror"):
        emulated_system.describe_source("main http://mirror.example/ubuntu/")


@pytest.mark.parametrize(
    ("missing", "package"),
    [("qemu-aarch64", "qemu-user"), ("qemu-arm", "qemu-user"), ("gcc", "gcc libc6-dev")],
)
def test_names_what_is_missing_and_how_to_get_it(missing, package, monkeypatch, capsys):
    monkeypatch.setattr(
        emulated_system.shutil, "which", lambda name: None if name == missing else name
    )
    monkeypatch.setattr(emulated_count, "set_up_system", lambda architecture: pytest.fail("set up"))
    processor = "cortex-a53" if missing == "qemu-aarch64" else "cortex-a7"
    assert emulate.main(["count", "micro", "--processor", processor]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == (
        f"emulate: emulation needs {missing}, which is not installed; "
        f"apt-get install -y --no-install-recommends {package}\n"
    )


def test_names_the_package_of_tensorflow_lite_micro(monkeypatch, capsys):
    monkeypatch.setattr(emulated_parity.importlib.util, "find_spec", lambda name: None)
    assert emulate.main(["micro"]) == 1
    assert "on Linux for x86-64: pip install tflite-micro" in capsys.readouterr().err


def test_compares_with_the_emulated_version_only(monkeypatch):
    monkeypatch.setattr(emulated_parity, "installed_engines", lambda: {"tflite-runtime": "2.13.0"})
    with pytest.raises(
        MissingDependencyError, match=r"expected tflite-runtime 2\.14\.0, got 2\.13"
    ):
        emulated_parity.run_here([find_model("pico")], emulated_images.draw_strokes(1))


def test_names_a_model_that_is_not_there(capsys):
    assert emulate.main(["count", "no-such-model"]) == 1
    assert "cannot find the model" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["run", "cortex-m4", "micro"], ["count"]])
def test_wrong_usage_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        emulate.main(arguments)
    assert stopped.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("failing", ["extract_packages", "extract_wheels"])
def test_failed_set_up_leaves_nothing(failing, tmp_path, monkeypatch, capsys):
    def lay_out(architecture, downloads, target):
        target.mkdir(parents=True)

    def fail(architecture, downloads, target):
        lay_out(architecture, downloads, target)
        raise MissingDependencyError("no network")

    for name in ("extract_packages", "extract_wheels"):
        monkeypatch.setattr(emulated_system, name, fail if name == failing else lay_out)
    monkeypatch.setattr(emulated_system.platformdirs, "user_cache_path", lambda *_, **__: tmp_path)
    monkeypatch.setattr(emulated_system, "require", lambda *commands: None)
    with pytest.raises(MissingDependencyError, match="no network"):
        emulated_system.set_up_system(A7.architecture)
    assert list((tmp_path / "emulation").iterdir()) == []


def test_import_brings_in_no_tensorflow():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import emulate; "
        "print('tensorflow' in sys.modules)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, TOOLS], capture_output=True, text=True, check=True
    )
    assert process.stdout == "False\n"


def test_estimates_are_bounded_by_issue_width_and_clock():
    # 2.4 million instructions, four a cycle at 2.4 GHz: 600,000 cycles, 250 µs.
    (pi5,) = (device for device in emulated_devices.DEVICES if device.name == "Raspberry Pi 5")
    assert emulated_devices.estimate_latency_us(2_400_000, pi5) == pytest.approx((250, 1250))
    # The quick end is of the quickest board of the name, the slow end of the slowest.
    (pi3,) = (device for device in emulated_devices.DEVICES if device.name == "Raspberry Pi 3")
    assert emulated_devices.estimate_latency_us(840_000, pi3) == pytest.approx((300, 1750))


@pytest.mark.parametrize(
    ("number", "words"), [(1.234, "1.2"), (12.34, "12"), (123.4, "120"), (1234.0, "1,200")]
)
def test_estimates_have_two_digits(number, words):
    assert emulated_devices.round_to_two_digits(number) == words


def test_page_is_made_of_the_reference():
    files = (emulated_reference.INSTRUCTIONS_FILE, emulated_reference.ARENA_FILE)
    page = emulated_devices.render_page(*map(emulated_reference.load_reference, files))
    assert emulated_devices.PAGE.read_text() == page, "run: python tools/emulate.py reference"


def test_every_estimate_on_the_page_is_called_one():
    lines = emulated_devices.PAGE.read_text().splitlines()
    # Every column that is in µs, and the text above the table.
    (header,) = (line for line in lines if "µs" in line)
    assert all("estimate" in cell for cell in header.strip("| ").split(" | "))
    assert lines[lines.index(header) - 2].startswith("**An estimate, not a measurement.**")
