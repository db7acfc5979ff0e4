"""The shipped models on emulated processors and in TensorFlow Lite Micro, for real."""

import shutil
from pathlib import Path

import emulate
import pytest
from emulated_count import count_instructions
from emulated_images import draw_strokes
from emulated_parity import find_differences, run_emulated, run_here, run_micro
from emulated_processors import ENGINE_WHEEL, PROCESSORS
from emulated_reference import (
    ARENA_FILE,
    INSTRUCTIONS_FILE,
    SEED,
    TUTORIALS,
    convert_untrained,
    load_reference,
)
from emulated_system import DEBIAN_KEYS

from edge_mnist import dataset
from edge_mnist.engines import installed_engines
from edge_mnist.errors import DatasetError, ModelError
from edge_mnist.model_card import hash_bytes
from edge_mnist.model_store import find_model, shipped_models

IMAGES = 500
# One image takes `large` 23 ms there, the others 0.3 to 7 ms.
IMAGES_OF_LARGE = 100

needs_emulator = pytest.mark.skipif(
    not all(map(shutil.which, ("qemu-aarch64", "qemu-arm", "gcc", "apt-get")))
    or not Path(DEBIAN_KEYS).is_file(),
    reason="needs Debian, and: apt-get install -y --no-install-recommends qemu-user gcc libc6-dev",
)
needs_engine = pytest.mark.skipif(
    "==".join(("tflite-runtime", installed_engines().get("tflite-runtime", ""))) != ENGINE_WHEEL,
    reason=f"needs what is emulated here, too: pip install '{ENGINE_WHEEL}' 'numpy<2'",
)
per_processor = pytest.mark.parametrize("processor", PROCESSORS.values(), ids=lambda one: one.name)
per_model = pytest.mark.parametrize("model", shipped_models(), ids=lambda model: model.name)


@pytest.fixture(scope="module")
def images():
    """MNIST's test images; strokes where they are not to be had: labels do not matter here."""
    try:
        return dataset.load("mnist").test.images
    except DatasetError:
        return draw_strokes(IMAGES)


@pytest.fixture(scope="module")
def expected(images):
    """What each shipped model gives on this machine, by name."""
    models = shipped_models()
    outputs = run_here([model.path for model in models], images[:IMAGES])
    return {model.name: one for model, one in zip(models, outputs, strict=True)}


@needs_emulator
@needs_engine
@per_processor
def test_outputs_are_the_same_to_the_bit(processor, images, expected):
    models = {model.name: model.path for model in shipped_models()}
    large = models.pop("large")
    outputs = run_emulated(list(models.values()), images[:IMAGES], processor)
    for name, one in zip(models, outputs, strict=True):
        assert find_differences(one, expected[name]) == [], name
    (one,) = run_emulated([large], images[:IMAGES_OF_LARGE], processor)
    assert find_differences(one, expected["large"][: len(one)]) == []


@pytest.mark.slow
@needs_emulator
@needs_engine
def test_outputs_are_the_same_on_all_test_images(mnist, capsys):
    assert emulate.main(["parity"]) == 0
    told = capsys.readouterr().out
    rows = len(PROCESSORS) * len(shipped_models())
    assert told.count(f"bit-identical on {len(mnist.test):,} images") == rows


@needs_emulator
@per_processor
def test_instructions_are_within_a_hundredth_of_the_reference(processor):
    reference, models = load_reference(INSTRUCTIONS_FILE), shipped_models()
    counts = count_instructions([model.path for model in models], processor)
    for model, count in zip(models, counts, strict=True):
        stored = reference["models"][model.name]["instructions"][processor.name]
        assert count == pytest.approx(stored, rel=reference["tolerance"]), model.name


@pytest.mark.train
@needs_emulator
def test_instructions_of_the_tutorial_networks_are_the_references(tmp_path):
    pytest.importorskip("tf_keras")
    reference = load_reference(INSTRUCTIONS_FILE)
    paths = [convert_untrained(name, SEED, tmp_path) for name in TUTORIALS]
    for processor in PROCESSORS.values():
        for name, count in zip(TUTORIALS, count_instructions(paths, processor), strict=True):
            stored = reference["untrained"][name]["instructions"][processor.name]
            assert count == pytest.approx(stored, rel=reference["tolerance"]), name


@per_model
def test_reference_is_of_the_models_that_ship(model):
    for path in (INSTRUCTIONS_FILE, ARENA_FILE):
        stored = load_reference(path)["models"][model.name]
        assert stored["sha256"] == hash_bytes(model.path.read_bytes()), (
            "the model was made again; run: python tools/emulate.py reference"
        )


@needs_emulator
def test_two_runs_give_the_same_counts():
    micro = find_model("micro")
    counts = count_instructions([micro, micro])
    assert count_instructions([micro, micro]) == counts
    # What was counted before hardly matters.
    assert counts[0] == pytest.approx(counts[1], rel=1e-3)


@needs_emulator
def test_names_the_model_that_does_not_run(tmp_path):
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(find_model("micro").read_bytes()[:8000])
    # On 32 bits this file fills all memory before it fails.
    paths, processor = [find_model("pico"), broken], PROCESSORS["cortex-a72"]
    complaint = r"broken\.tflite does not run on an emulated cortex-a72"
    with pytest.raises(ModelError, match=complaint):
        count_instructions(paths, processor)
    with pytest.raises(ModelError, match=complaint):
        run_emulated(paths, draw_strokes(2), processor)


@needs_engine
@per_model
def test_micro_gives_what_the_reference_kernels_give(model, images):
    pytest.importorskip("tflite_micro", reason="needs: pip install tflite-micro")
    some = images[:IMAGES_OF_LARGE]
    (outputs,) = run_here([model.path], some, reference_kernels=True)
    found = run_micro(model.path, some)
    assert find_differences(found.outputs, outputs) == []
    assert found.arena_bytes == load_reference(ARENA_FILE)["models"][model.name]["arena_bytes"]


@pytest.mark.slow
@needs_engine
def test_micro_gives_the_same_on_all_test_images(mnist, capsys):
    pytest.importorskip("tflite_micro", reason="needs: pip install tflite-micro")
    assert emulate.main(["micro"]) == 0
    told = capsys.readouterr().out
    assert told.count(f"bit-identical on {len(mnist.test):,} images") == len(shipped_models())


@per_model
def test_arena_of_the_told_size_is_enough_and_half_of_it_is_not(model):
    pytest.importorskip("tflite_micro", reason="needs: pip install tflite-micro")
    some, arena = draw_strokes(1), load_reference(ARENA_FILE)["models"][model.name]["arena_bytes"]
    assert run_micro(model.path, some, arena).arena_bytes == arena
    with pytest.raises(ModelError, match="does not run in TensorFlow Lite Micro"):
        run_micro(model.path, some, arena // 2)
