import dataclasses
import fcntl
import json
import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

import build_zoo
import zoo_models
import zoo_report

from edge_mnist.errors import MissingDependencyError, TrainingError
from edge_mnist.model_card import Accuracy, ModelCard, hash_bytes, save_card
from edge_mnist.model_store import shipped_models
from edge_mnist.training.config import load_config
from edge_mnist.training.recipes import find_recipe

CONTENT = b"a model"

# In the place of edge-mnist: notes how it was called, and makes what the real one would.
FAKE_COMMAND = """
import json, os, sys
from pathlib import Path

with open("calls.txt", "a") as file:
    print(*sys.argv[1:], os.environ["TF_NUM_INTRAOP_THREADS"], file=file)
command, arguments = sys.argv[1], sys.argv[2:]
if command == os.environ.get("FAILING_COMMAND"):
    sys.exit("error: it does not work")
if command == "train":
    folder = Path(arguments[arguments.index("--out") + 1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "state.npz", "model.keras", "history.csv"):
        (folder / name).touch()
    (folder / "metrics.json").write_text(json.dumps({"interrupted": False}))
elif command == "quantize":
    stem = arguments[arguments.index("--name") + 1]
    for suffix in (".tflite", ".json", ".md"):
        (Path(arguments[0]) / stem).with_suffix(suffix).touch()
else:
    print(json.dumps({"accuracy": 0.5}))
"""


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fake.py").write_text(FAKE_COMMAND)
    monkeypatch.setattr(build_zoo, "COMMAND", (sys.executable, "fake.py"))
    return tmp_path


@pytest.fixture
def counted(monkeypatch):
    monkeypatch.setattr(
        zoo_report, "count_instructions", lambda paths: [600_000, 2_000_000][: len(paths)]
    )


def kept_folder(name, seed):
    return Path("benchmarks", "results", "zoo", name, f"seed-{seed}")


def write_result(name, seed, *, validation, test, optdigits=0.9):
    folder = kept_folder(name, seed)
    folder.mkdir(parents=True)
    accuracies = {
        "float validation": 0.991,
        "int8 validation": validation,
        "float test": test + 0.001,
        "int8 test": test,
    }
    model = folder / f"{name}.tflite"
    model.write_bytes(CONTENT)
    config = dataclasses.replace(find_recipe(name), seed=seed)
    card = ModelCard(
        name=name,
        architecture=name,
        parameters=11_442,
        multiply_adds=307_040,
        size_bytes=4_000,
        sha256=hash_bytes(CONTENT),
        number_format="int8",
        quantization={"method": "qat"},
        input="uint8",
        output_kind="logits",
        temperature=1.0,
        operators=[],
        training=dataclasses.asdict(config),
        data={"name": "mnist", "sha256": "0" * 64},
        accuracy={
            key: Accuracy(share, share - 0.002, share + 0.002, 10_000, "how")
            for key, share in accuracies.items()
        },
        agreement={},
        engines={},
        versions={},
    )
    save_card(card, model)
    (folder / "config.json").write_text(config.to_json())
    (folder / "history.csv").write_text("epoch,seconds\n1,60.0\n2,65.0\n")
    measured = {
        "accuracy": test,
        "calibration_error": 0.0123,
        "non_digits": {"rejected": 0.61, "digits_kept": 0.987},
        "corruptions": [
            {
                "kind": "noise",
                "accuracy": [0.9, 0.8, 0.7, 0.6, 0.5],
                "rejected": [0.11, 0.12, 0.13, 0.14, 0.15],
            }
        ],
    }
    (folder / "test.json").write_text(json.dumps(measured))
    (folder / "optdigits.json").write_text(json.dumps({"accuracy": optdigits}))


def write_zoo():
    """Three seeds of pico, of which validation and test would choose another, and the reference."""
    write_result("pico", 0, validation=0.980, test=0.986, optdigits=0.91)
    write_result("pico", 1, validation=0.982, test=0.981, optdigits=0.92)
    write_result("pico", 2, validation=0.982, test=0.985, optdigits=0.93)
    write_result("tutorial-3x3", 0, validation=0.985, test=0.984)


def one_run(seed=0):
    return build_zoo.Run(zoo_models.ZooModel("pico", 4096, seeds=(seed,)), seed)


def calls():
    path = Path("calls.txt")
    return path.read_text().splitlines() if path.exists() else []


def test_ships_the_best_on_validation_and_of_equal_ones_the_lowest_seed():
    write_zoo()
    results = zoo_models.load_results("pico")
    assert [result.seed for result in results] == [0, 1, 2]
    assert max(results, key=lambda result: result.test_accuracy).seed == 0
    assert zoo_models.pick_seed(results).seed == 1


def test_the_choice_does_not_change_with_the_test_accuracies():
    write_zoo()
    path = kept_folder("pico", 1) / "pico.json"
    card = json.loads(path.read_text())
    card["accuracy"]["int8 test"]["accuracy"] = card["accuracy"]["float test"]["accuracy"] = 0.1
    path.write_text(json.dumps(card))
    assert zoo_models.pick_seed(zoo_models.load_results("pico")).seed == 1


def test_digits_from_elsewhere_are_held_to_their_own_goal(workplace, counted):
    write_result("micro", 0, validation=0.995, test=0.996, optdigits=0.97)
    assert build_zoo.main(["--report"]) == 0
    page = (workplace / "docs" / "models.md").read_text()
    assert "| `micro` | 99.50 %: reached | 99.65 %: **missed** by 0.05 points " in page
    assert "| 98.00 %: **missed** by 1.00 points |" in page


def test_a_seed_that_lacks_a_step_is_no_result():
    write_zoo()
    (kept_folder("pico", 1) / "optdigits.json").unlink()
    assert [result.seed for result in zoo_models.load_results("pico")] == [0, 2]


def test_report_copies_the_picked_model_and_tells_the_figures(workplace, monkeypatch, counted):
    write_zoo()
    assert build_zoo.main(["--report"]) == 0
    page = (workplace / "docs" / "models.md").read_text()
    for row in (
        "| `pico` | 4,000 | 11,442 | 307,040 | 600,000 | 0.300 |",
        "| `pico` | 3 | 98.40 % (98.10 to 98.60) | 98.50 % | 0.10 points "
        "| 92.00 % (91.00 to 93.00) |",
        "| `pico` | 98.00 %: reached | 98.50 %: **missed** by 0.10 points | none "
        "| 4,096: kept | 0.3: kept |",
        "| [`pico`](../models/pico.md) | 1 | 98.20 % | 98.10 % | 97.90 to 98.30 | 92.00 % "
        "| 1.23 % | 61.00 % | 98.70 % |",
        "| noise | 70.00 |",
        "| noise | 13.00 |",
        "| `tutorial-3x3` (the reference) | 4,000 | 11,442 | 307,040 | 2,000,000 | 1.000 |",
        "| BitNetMCU, 64 wide | 11.0 kB | 99.55 % |",
        "| a minimal model | 1,936 floats | 99.10 % |",
    ):
        assert row in page
    assert "| 4,096 | `--qat-epochs 5` | 3 | 6 min 15 s |" in page
    assert "Training took 8 min 20 s in all" in page
    assert "Not made yet: nano, micro, small, large." in page
    for picture in ("models-bytes.png", "models-instructions.png"):
        assert f"]({picture})" in page
        assert (workplace / "docs" / picture).read_bytes().startswith(b"\x89PNG")
    models = workplace / "models"
    assert sorted(path.name for path in models.iterdir()) == [
        "pico.json",
        "pico.md",
        "pico.tflite",
        "pico.train.json",
    ]
    expected = dataclasses.replace(find_recipe("pico"), seed=1)
    assert load_config(models / "pico.train.json") == expected
    monkeypatch.setattr("edge_mnist.model_store.models_dir", lambda: models)
    assert [model.name for model in shipped_models()] == ["pico"]


def test_report_without_an_emulator_says_so(workplace, monkeypatch, capsys):
    def fail(paths):
        raise MissingDependencyError("counting instructions needs qemu-aarch64")

    write_zoo()
    monkeypatch.setattr(zoo_report, "count_instructions", fail)
    assert build_zoo.main(["--report"]) == 0
    page = (workplace / "docs" / "models.md").read_text()
    assert "| `pico` | 4,000 | 11,442 | 307,040 | not counted | not counted |" in page
    assert "0.3: not counted" in page
    assert "models-instructions.png" not in page
    assert "needs qemu-aarch64" in capsys.readouterr().err


def test_report_of_nothing_is_refused(capsys):
    assert build_zoo.main(["--report"]) == 1
    assert capsys.readouterr().err == (
        "error: there is nothing to report yet: no model went through all steps\n"
    )


def test_does_all_steps_once_on_one_thread():
    build_zoo.make([one_run(0), one_run(1)], jobs=2)
    assert len(calls()) == 8
    folder = "runs/zoo/pico/seed-0"
    for call in (
        f"train --recipe pico --seed 0 --out {folder} 1",
        f"quantize {folder} --int8 --name pico --max-bytes 4096 --qat-epochs 5 1",
        f"evaluate {folder}/pico.tflite --json --corrupt --non-digits 1",
        f"evaluate {folder}/pico.tflite --json --data optdigits 1",
    ):
        assert call in calls()
    assert json.loads(Path(folder, "test.json").read_text()) == {"accuracy": 0.5}
    build_zoo.make([one_run(0), one_run(1)], jobs=2)
    assert len(calls()) == 8


def test_keeps_what_a_run_gave_and_no_more():
    build_zoo.make([one_run()], jobs=1)
    files = ["config.json", "history.csv", "optdigits.json", "pico.json", "pico.md", "pico.tflite"]
    assert sorted(path.name for path in kept_folder("pico", 0).iterdir()) == [*files, "test.json"]


def test_goes_on_with_an_interrupted_training():
    folder = zoo_models.run_folder("pico", 0)
    folder.mkdir(parents=True)
    for name in ("config.json", "state.npz"):
        (folder / name).touch()
    (folder / "metrics.json").write_text('{"interrupted": true}')
    build_zoo.make([one_run()], jobs=1)
    assert calls()[0] == "train --recipe pico --seed 0 --out runs/zoo/pico/seed-0 --resume 1"


def test_a_newer_model_is_measured_again():
    build_zoo.make([one_run()], jobs=1)
    model = zoo_models.run_folder("pico", 0) / "pico.tflite"
    later = model.stat().st_mtime + 10
    os.utime(model, (later, later))
    os.utime(model.with_suffix(".md"), (later, later))
    steps = [
        step.name for step in build_zoo.plan_steps(one_run()) if not build_zoo.is_finished(step)
    ]
    assert steps == ["evaluate", "evaluate on optdigits"]


def test_a_failing_step_names_its_log_and_ends_with_one_line(monkeypatch, capsys):
    monkeypatch.setenv("FAILING_COMMAND", "quantize")
    monkeypatch.setattr(build_zoo, "plan_runs", lambda models, seeds: [one_run()])
    assert build_zoo.main(["--only", "pico"]) == 1
    *_, failed, last = capsys.readouterr().err.splitlines()
    assert failed.endswith("error: it does not work")
    assert last == "error: pico seed 0: quantize failed, see runs/zoo/pico/seed-0.log"
    assert [call.split()[0] for call in calls()] == ["train", "quantize"]
    assert "error: it does not work" in Path("runs/zoo/pico/seed-0.log").read_text()


def test_a_run_that_another_process_works_on_is_left_to_it():
    log = one_run().log
    log.parent.mkdir(parents=True)
    with log.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(TrainingError, match="another process works on runs/zoo/pico/seed-0;"):
            build_zoo.make([one_run()], jobs=1)
    assert calls() == []
    build_zoo.make([one_run()], jobs=1)
    assert len(calls()) == 4


def test_report_refuses_what_another_recipe_made(workplace, counted, capsys):
    write_zoo()
    path = kept_folder("pico", 2) / "config.json"
    path.write_text(dataclasses.replace(find_recipe("pico"), seed=2, epochs=1).to_json())
    assert build_zoo.main(["--report"]) == 1
    assert "zoo/pico/seed-2 was trained by another recipe" in capsys.readouterr().err
    assert not (workplace / "models").exists()


def test_a_run_of_another_recipe_is_refused(capsys):
    path = zoo_models.run_folder("pico", 0) / "config.json"
    path.parent.mkdir(parents=True)
    path.write_text(dataclasses.replace(find_recipe("pico"), epochs=1).to_json())
    assert build_zoo.main(["--only", "pico"]) == 1
    assert capsys.readouterr().err == (
        "error: runs/zoo/pico/seed-0 was trained by another recipe than pico is now; "
        "move the folder away to train it again\n"
    )
    assert calls() == []


def test_stopping_starts_nothing_more():
    children = build_zoo.Children()
    children.stop()
    assert build_zoo.do_steps(one_run(), children) is None
    assert calls() == []
