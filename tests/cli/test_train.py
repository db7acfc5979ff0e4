import json
import os
import re
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.train

ALL_FILES = {
    "config.json", "history.csv", "model.keras", "metrics.json", "state.npz",
    "history.png", "confusion.png", "samples.png", "mistakes.png",
}  # fmt: skip


def interrupt(arguments, line, folder):
    """Press Ctrl-C when a command prints a line, and return its exit code and its stderr."""
    process = subprocess.Popen(
        [sys.executable, "-m", "edge_mnist", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
    )
    told = []
    for printed in process.stderr:
        told.append(printed)
        if printed.startswith(line):
            process.send_signal(signal.SIGINT)
            break
    out, rest = process.communicate()
    return process.returncode, out, "".join(told) + rest


def test_result_is_json_on_stdout_and_progress_is_on_stderr(trained):
    folder, outcome = trained
    assert outcome.json == json.loads((folder / "metrics.json").read_text())
    lines = outcome.err.splitlines()
    assert lines[0] == f"training micro on optdigits (1,318 images) into {folder}"
    assert [line.split(":")[0] for line in lines[1:]] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert {path.name for path in folder.iterdir()} == ALL_FILES


def test_configuration_repeats_the_run_and_tells_people(trained, edge_mnist, tmp_path):
    folder, first = trained
    outcome = edge_mnist("train", "--config", folder / "config.json", "--out", "again")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0] == "micro: 13,108 parameters, 306,342 multiply-adds"
    assert lines[1].startswith("3 epochs on the CPU, ")
    accuracy = 100 * first.json["validation"]["accuracy"]
    assert lines[2].startswith(f"validation: {accuracy:.2f} % of 120 images (95 % interval ")
    assert lines[3].startswith("test: ")
    assert lines[4] == "written to again"
    for name in ("validation", "test"):
        again = json.loads((tmp_path / "again" / "metrics.json").read_text())
        assert again[name] == first.json[name]


def test_options_reach_the_configuration(tensorflow, edge_mnist, tmp_path):
    options = {
        "arch": "tutorial-3x3",
        "data": "optdigits",
        "epochs": 1,
        "batch_size": 200,
        "learning_rate": 0.002,
        "validation_split": 0.25,
        "patience": 2,
        "device": "cpu",
        "seed": 11,
    }
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    assert edge_mnist("train", *arguments, "--no-augment", "--out", "run").code == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert {name: config[name] for name in options} == options
    assert config["augmentation"] is None


def test_second_training_into_a_folder_is_refused(trained, edge_mnist):
    before = {path.name: path.read_bytes() for path in trained[0].iterdir()}
    told = edge_mnist("train", "--data", "optdigits", "--out", trained[0]).error
    assert told == (
        f"{trained[0]} holds a run already; "
        "give another folder with --out, or go on with that run by --resume"
    )
    assert {path.name: path.read_bytes() for path in trained[0].iterdir()} == before


def test_resume_with_another_option_is_refused(trained, edge_mnist):
    told = edge_mnist("train", "--resume", "--epochs", "5", "--out", trained[0]).error
    assert told == (
        f"cannot resume {trained[0]} with another epochs: expected 3, got 5; "
        "leave the option out, or give another folder with --out"
    )


def test_missing_gpu_is_answered_with_the_remedy(tensorflow, edge_mnist, tmp_path):
    told = edge_mnist("train", "--device", "gpu", "--data", "optdigits", "--out", "run").error
    assert told.startswith("--device gpu: expected a GPU that TensorFlow can use, got CPU:0 (")
    assert "pip install 'edge-mnist[gpu]'" in told
    assert not (tmp_path / "run").exists()


def test_ctrl_c_saves_and_resume_goes_on(tensorflow, edge_mnist, tmp_path):
    options = ("--data", "optdigits", "--epochs", "40", "--device", "cpu", "--out", "run")
    command = ("train", *options, "--tensorboard")
    code, out, told = interrupt(command, "epoch 2/40", tmp_path)
    assert code == 130
    assert told.splitlines()[-1] == ("interrupted; go on with: edge-mnist train --resume --out run")
    assert "Traceback" not in told
    assert "written to run" in out
    folder = tmp_path / "run"
    assert {path.name for path in folder.iterdir()} == {*ALL_FILES, "tensorboard"}
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["interrupted"]
    assert 2 <= metrics["epochs"] < 40
    assert logged_epochs(folder) == list(range(1, metrics["epochs"] + 1))
    assert "tensorboard" not in json.loads((folder / "config.json").read_text())

    outcome = edge_mnist("train", "--resume", "--out", "run", "--json")
    assert outcome.code == 0
    assert not outcome.json["interrupted"]
    first = next(line for line in outcome.err.splitlines() if line.startswith("epoch"))
    assert first.startswith(f"epoch {metrics['epochs'] + 1}/40: ")
    history = (folder / "history.csv").read_text().splitlines()[1:]
    assert [int(line.split(",")[0]) for line in history] == list(range(1, 41))
    assert logged_epochs(folder) == list(range(1, 41))  # it goes on without being asked for


def test_training_further_is_logged_for_tensorboard(
    tensorflow, mnist, edge_mnist, write_picture, tmp_path
):
    test = mnist.test
    for digit in range(10):
        (tmp_path / "own" / str(digit)).mkdir(parents=True)
        for place, image in enumerate(test.images[test.labels == digit][:5]):
            write_picture(f"own/{digit}/{place}.png", image)
    options = ("--data", "own", "--replay", "0.5", "--epochs", "2", "--keep-rejected")
    outcome = edge_mnist("train", "--from", "pico", *options, "--tensorboard", "--out", "run")
    assert outcome.code == 0, outcome.err
    assert logged_epochs(tmp_path / "run") == [1, 2]


def logged_epochs(run):
    import tensorflow as tf

    (log,) = (run / "tensorboard" / "validation").iterdir()
    events = (
        tf.compat.v1.Event.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(log))
    )
    return [event.step for event in events if event.summary.value]


def test_ctrl_c_stops_the_fine_tuning_and_the_same_command_goes_on(trained, edge_mnist, tmp_path):
    command = ("quantize", trained[0], "--int8", "--qat-epochs", "20", "--out", "out")
    code, out, told = interrupt(command, "epoch 2/20", tmp_path)
    assert (code, out) == (130, "")
    assert told.splitlines()[-1] == "interrupted; the same command goes on with it"
    assert "Traceback" not in told
    assert not list((tmp_path / "out").glob("*.tflite"))
    told = edge_mnist(*command).err
    epochs = [int(number) for number in re.findall(r"^epoch (\d+)/20: ", told, re.MULTILINE)]
    assert epochs[0] > 2
    assert epochs == list(range(epochs[0], 21))
