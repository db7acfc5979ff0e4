import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import edge_mnist as package
from edge_mnist.cli.app import COMMANDS
from edge_mnist.engines import ENGINE_MODULES

TRAIN_REMEDY = "; install it with: pip install 'edge-mnist[train]'"
VISION_REMEDY = "; install it with: pip install 'edge-mnist[vision]'"
WEBCAM_REMEDY = "; install it with: pip install 'edge-mnist[webcam]'"


def test_commands_are_the_documented_ones():
    assert set(COMMANDS) == {
        "train", "quantize", "evaluate", "predict", "webcam", "fields", "bench", "inspect",
        "explain", "compare", "report", "models", "doctor",
    }  # fmt: skip


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_every_command(option, edge_mnist):
    outcome = edge_mnist(option)
    assert outcome.code == 0
    for command in COMMANDS:
        assert re.search(rf"^\W*{command} +\w", outcome.out, re.MULTILINE), command


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command, edge_mnist):
    outcome = edge_mnist(command, "--help")
    assert outcome.code == 0
    example = re.search(rf"Example: (edge-mnist {command}\b.*)", outcome.out)
    assert example, outcome.out
    description, options = outcome.out.split("Example: ")
    assert len(description.split()) > 10, "no sentence that says what it does"
    for option in re.findall(r"--[\w-]+", example[1]):
        assert re.search(rf"{option}\b", options.replace(example[1], "", 1)), option


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_place_in_the_documentation(command, pages):
    assert any(f"edge-mnist {command}" in text for text in pages.values())


def test_version_is_the_packages(edge_mnist):
    outcome = edge_mnist("--version")
    assert (outcome.code, outcome.out) == (0, f"{package.__version__}\n")


def test_no_command_is_answered_with_help(edge_mnist):
    outcome = edge_mnist()
    assert outcome.code == 2
    assert "Usage: edge-mnist" in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("recognize", "No such command 'recognize'"),
        ("predict", "Missing argument"),
        ("quantize --int8", "Missing argument"),
        ("train --epochs many", "Invalid value for '--epochs'"),
        ("train --learning-rate high", "Invalid value for '--learning-rate'"),
        ("train --epochs", "Option '--epochs' requires an argument"),
        ("bench --duration long", "Invalid value for '--duration'"),
        ("quantize run --max-bytes 1MB", "Invalid value for '--max-bytes'"),
        ("evaluate --speed", "No such option: --speed"),
        ("models micro", "unexpected extra argument (micro)"),
        ("doctor now", "unexpected extra argument (now)"),
        ("webcam --max-frames all", "Invalid value for '--max-frames'"),
        ("webcam camera", "unexpected extra argument (camera)"),
    ],
)
def test_wrong_usage_exits_2_and_says_what(arguments, told, edge_mnist):
    outcome = edge_mnist(*arguments.split())
    assert (outcome.code, outcome.out) == (2, "")
    assert told in outcome.err.replace("argument(s)", "argument")


@pytest.mark.parametrize(
    ("missing", "arguments", "told"),
    [
        ("tensorflow", "train", "training needs the package tensorflow" + TRAIN_REMEDY),
        (
            "tensorflow",
            "quantize run --int8",
            "quantizing needs the package tensorflow" + TRAIN_REMEDY,
        ),
        (
            "tensorflow",
            "evaluate model.keras",
            "running a Keras model needs the package tensorflow" + TRAIN_REMEDY,
        ),
        ("cv2", "predict digit.png", "reading image files needs the package cv2" + VISION_REMEDY),
        (
            "cv2",
            "evaluate --data pictures",
            "reading image files needs the package cv2" + VISION_REMEDY,
        ),
        ("cv2", "webcam", "reading from a camera needs the package cv2" + WEBCAM_REMEDY),
        ("PIL", "webcam", "reading from a camera needs the package PIL" + WEBCAM_REMEDY),
        (
            "sklearn",
            "evaluate --data optdigits",
            "--data optdigits needs scikit-learn; pip install 'edge-mnist[train]'",
        ),
    ],
)
def test_missing_extra_is_answered_with_the_command_that_installs_it(
    missing, arguments, told, edge_mnist_process, tmp_path
):
    (tmp_path / "pictures" / "7").mkdir(parents=True)
    (tmp_path / "pictures" / "7" / "seven.png").write_bytes(b"")
    error = edge_mnist_process(*arguments.split(), without=[missing]).error
    # An install that lacks the whole extra misses tf_keras first.
    assert error.replace("package tf_keras;", "package tensorflow;") == told


def test_drawing_without_matplotlib_is_answered_with_the_command_that_installs_it(
    edge_mnist_process, write_idx
):
    noise = np.random.default_rng(0).integers(0, 256, (30, 28, 28), np.uint8)
    folder = write_idx("noise", train=(noise, np.arange(30) % 10))
    arguments = ("evaluate", "--data", folder, "--out", "plots")
    told = edge_mnist_process(*arguments, without=["matplotlib"]).error
    assert told == "drawing needs the package matplotlib" + TRAIN_REMEDY


def test_missing_engine_is_answered_with_the_command_that_installs_it(edge_mnist_process):
    without = [module.partition(".")[0] for module in ENGINE_MODULES.values()]
    told = edge_mnist_process("predict", "digit.png", without=without).error
    assert told.startswith("no engine to run models with: got none; pip install ai-edge-litert")


def test_reader_that_goes_away_causes_no_traceback(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "edge_mnist", "models", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    process.stdout.close()
    with process.stderr:
        told = process.stderr.read()
    assert process.wait() == 1
    assert told == b""


@pytest.fixture
def files(tmp_path):
    """Files of the wrong kind, in the folder that the commands run in."""
    (tmp_path / "text.txt").write_text("hello " * 100)
    (tmp_path / "text.keras").write_text("hello")
    (tmp_path / "text.tflite").write_text("hello " * 100)
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "empty.keras").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "occupied").write_text("a file")
    np.savez(tmp_path / "arrays.npz", np.zeros(3))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("predict nothing.png", "cannot read nothing.png: got No such file or directory"),
        ("predict folder", "nothing to read in folder: expected images (PNG, "),
        ("predict text.txt", "cannot read text.txt: expected an image (PNG, "),
        ("predict empty.png", "cannot read empty.png: expected an image (PNG, "),
        ("predict x.png --model text.tflite", "cannot use the model text.tflite: it is not a .tfl"),
        ("predict x.png --model folder", "cannot find the model: expected a file, or one of: "),
        ("predict x.png --model nothing", "cannot find the model: expected a file, or one of: "),
        ("predict x.png --engine cpu", "unknown engine: expected auto, tflite-runtime, "),
        ("evaluate nothing", "cannot find the model: expected a file, or one of: "),
        ("evaluate nothing.tflite", "cannot find the model: expected a file, or one of: "),
        ("evaluate text.txt", "cannot use the model text.txt: it is not a .tflite file: expected "),
        ("evaluate --engine cpu", "unknown engine: expected auto, tflite-runtime, "),
        ("evaluate --data nothing", "cannot find the data 'nothing': expected mnist, optdigits, "),
        ("evaluate --data folder", "no digits in folder: expected train-images-idx3-ubyte "),
        ("evaluate --data text.txt", "cannot find the data 'text.txt': expected mnist, optdigits"),
        ("bench nothing", "cannot find the model: expected a file, or one of: "),
        ("bench folder", "cannot find the model: expected a file, or one of: "),
        ("bench text.tflite", "cannot use the model text.tflite: it is not a .tflite file: exp"),
        ("bench --threads 0", "threads: expected at least 1, got 0"),
        ("bench --threads -2", "threads: expected at least 1, got -2"),
        ("bench --duration 0", "duration: expected 0.02 to 600 s, got 0"),
        ("bench --duration -5", "duration: expected 0.02 to 600 s, got -5"),
    ],
)
def test_wrong_input_is_one_line_and_exit_1(arguments, told, edge_mnist, files):
    check_refused(edge_mnist(*arguments.split()), told)


@pytest.mark.train
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("train --epochs 0", "epochs: expected at least 1, got 0"),
        ("train --epochs -1", "epochs: expected at least 1, got -1"),
        ("train --batch-size -8", "batch size: expected at least 1, got -8"),
        ("train --learning-rate -0.1", "learning rate: expected above 0, got -0.1"),
        ("train --learning-rate nan", "learning rate: expected above 0, got nan"),
        ("train --validation-split 1", "validation split: expected above 0 and below 1, got 1.0"),
        ("train --patience 0", "patience: expected at least 1, got 0"),
        ("train --seed -1", "seed: expected 0 up to 2147483647, got -1"),
        ("train --device tpu", "device: expected ('auto', 'cpu', 'gpu'), got tpu"),
        (
            "train --arch resnet",
            "unknown architecture: expected pico, nano, micro, small, large, tutorial-3x3, ",
        ),
        (
            "train --recipe best",
            "unknown recipe: expected pico, nano, micro, small, large, tutorial-4x4, ",
        ),
        ("train --config nothing", "cannot read the training configuration nothing: expected a c"),
        ("train --config folder", "cannot read the training configuration folder: expected a c"),
        ("train --config text.txt", "cannot read the training configuration text.txt: expected "),
        ("train --recipe micro --config text.txt", "--recipe and --config exclude each other"),
        ("train --data nothing", "cannot find the data 'nothing': expected mnist, optdigits, "),
        ("train --data folder", "no digits in folder: expected train-images-idx3-ubyte "),
        (
            "train --out occupied",
            "--out: expected a folder, or a name that is free, got the file occupied",
        ),
        ("quantize nothing --int8", "cannot find the trained model: expected a run folder with m"),
        ("quantize folder --int8", "cannot find the trained model: expected a run folder with m"),
        ("quantize text.keras --int8", "cannot read the model text.keras: expected a .keras file"),
        ("quantize empty.keras --int8", "cannot read the model empty.keras: expected a .keras fi"),
        ("quantize arrays.npz --int8", "cannot read the model arrays.npz: expected a .keras file"),
        ("quantize folder", "nothing to export: expected at least one of --int8, --float16, --d"),
        ("quantize folder --int8 --method x", "--method: expected qat, ptq, both, got 'x'"),
        ("quantize folder --int8 --max-bytes -1", "--max-bytes: expected at least 1, got -1"),
        ("quantize folder --int8 --qat-epochs 0", "--qat-epochs: expected at least 1, got 0"),
        ("evaluate nothing.keras", "cannot find the trained model: expected a run folder with m"),
        ("evaluate text.keras", "cannot read the model text.keras: expected a .keras file that "),
        ("evaluate folder", "cannot find the trained model: expected a run folder with model.k"),
    ],
)
def test_wrong_input_to_what_needs_tensorflow_too(arguments, told, edge_mnist, files, tensorflow):
    check_refused(edge_mnist(*arguments.split()), told)


def check_refused(outcome, told):
    """Assert that a command ended with one line on stderr and nothing else."""
    assert outcome.error.startswith(told)
    assert len(outcome.err.splitlines()) == 1
    assert outcome.out == ""


@pytest.mark.train
@pytest.mark.parametrize(
    "arguments",
    [
        "train --data optdigits --epochs 1 --out occupied/run",
        "quantize {run} --float32 --out occupied",
        "quantize {run} --float32 --out occupied/deeper",
        "evaluate {run} --data optdigits --out occupied",
    ],
)
def test_file_in_the_place_of_the_folder_to_write_to_is_named(
    arguments, edge_mnist, files, trained, tmp_path
):
    told = edge_mnist(*arguments.format(run=trained[0]).split()).error
    assert "occupied" in told
    assert (tmp_path / "occupied").read_text() == "a file"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
@pytest.mark.parametrize("arguments", ["--version", "models --json"])
def test_full_disk_behind_stdout_is_one_line(arguments):
    command = [sys.executable, "-m", "edge_mnist", *arguments.split()]
    with open("/dev/full", "w") as full:
        process = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert process.returncode == 1
    assert process.stderr == ("edge-mnist: cannot write any further: got No space left on device\n")


def test_closed_output_is_no_crash():
    command = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "edge_mnist", "models"]
    process = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    assert (process.returncode, process.stderr) == (0, "")


def test_interruption_before_a_command_begins_is_no_crash(edge_mnist, monkeypatch):
    def interrupt(names):
        raise KeyboardInterrupt

    monkeypatch.setattr("edge_mnist.cli.app.build_app", interrupt)
    outcome = edge_mnist("models")
    assert (outcome.code, outcome.err) == (130, "interrupted\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "micro", "--out"),
        ("compare", "micro", "micro", "--out"),
        ("explain", "micro", "--method", "filters", "--out"),
        ("quantize", "micro", "--int8", "--out"),
        ("bench", "micro", "--out"),
    ],
)
def test_folder_that_is_a_file_is_refused_before_the_work(arguments, edge_mnist, tmp_path):
    path = tmp_path / "taken"
    path.write_text("kept")
    outcome = edge_mnist(*arguments, path)
    assert outcome.error == (
        f"--out: expected a folder, or a name that is free, got the file {path}"
    )
    assert outcome.err.count("\n") == 1
    assert path.read_text() == "kept"


@pytest.mark.parametrize(
    ("option", "arguments"),
    [
        ("--out", ("report", "micro")),
        ("--csv", ("predict", "page.png", "--fields", "FIELDS.toml")),
    ],
)
def test_file_that_is_a_folder_is_refused_before_the_work(option, arguments, edge_mnist, tmp_path):
    outcome = edge_mnist(*arguments, option, tmp_path)
    assert outcome.error == (
        f"{option}: expected a file, or a name that is free, got the folder {tmp_path}"
    )
    assert outcome.err.count("\n") == 1
