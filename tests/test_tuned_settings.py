import dataclasses
import json
import multiprocessing
import sys
from types import SimpleNamespace

import numpy as np
import platformdirs
import pytest

from edge_mnist import Classifier, engines, tuned_settings
from edge_mnist.engines import ENGINE_MODULES, EngineSetting, installed_engines
from edge_mnist.errors import MissingDependencyError
from edge_mnist.machine import read_cpu_model
from edge_mnist.model_card import hash_bytes
from edge_mnist.model_store import find_model
from edge_mnist.tuned_settings import TunedSetting, forget_tuned, load_tuned, save_tuned

pytestmark = pytest.mark.usefixtures("tuned_file")

ENGINES = list(installed_engines())
MICRO = hash_bytes(find_model().read_bytes())


def tune(sha256=MICRO, engine=ENGINES[-1], delegate=False, threads=1, batch_size=16):
    return TunedSetting(
        setting=EngineSetting(engine, delegate, threads),
        batch_size=batch_size,
        model_sha256=sha256,
        engine_version=installed_engines().get(engine, "1.0"),
        cpu=read_cpu_model(),
        tuned_on="2026-01-31",
        p50_us=7.5,
        default_p50_us=17.0,
    )


def test_nothing_was_tuned_at_first():
    assert load_tuned(MICRO) is None


def test_what_was_saved_is_loaded(engine):
    for tuned in (tune(engine=engine), tune(engine=engine, threads=2, delegate=True)):
        save_tuned(tuned)
        assert load_tuned(MICRO) == tuned
    assert load_tuned("another model") is None


def test_it_stands_in_the_users_config_folder(tuned_file):
    assert save_tuned(tune()) == tuned_file
    assert json.loads(tuned_file.read_text())[MICRO]["setting"]["engine"] == ENGINES[-1]


def test_models_are_tuned_and_forgotten_one_by_one():
    first, second = tune("a"), tune("b", threads=2)
    for tuned in (first, second):
        save_tuned(tuned)
    assert (load_tuned("a"), load_tuned("b")) == (first, second)
    assert forget_tuned("a") == 1
    assert forget_tuned("never tuned") == 0
    assert (load_tuned("a"), load_tuned("b")) == (None, second)
    assert forget_tuned() == 1
    assert forget_tuned() == 0
    assert load_tuned("b") is None


@pytest.mark.parametrize("change", [{"engine_version": "0.1"}, {"cpu": "Cortex-A53"}])
def test_another_engine_version_or_processor_ends_it(change):
    save_tuned(dataclasses.replace(tune(), **change))
    assert load_tuned(MICRO) is None


def test_another_model_ends_it(tuned_file):
    save_tuned(tune("another"))
    tuned_file.write_text(tuned_file.read_text().replace('"another": {', f'"{MICRO}": {{'))
    assert load_tuned(MICRO) is None


def test_engine_that_has_gone_ends_it(monkeypatch):
    save_tuned(tune())
    monkeypatch.setattr(engines, "is_installed", lambda engine: engine != ENGINES[-1])
    assert load_tuned(MICRO) is None


@pytest.mark.skipif("tflite-runtime" not in ENGINES, reason="tflite-runtime is not installed")
def test_engine_that_tensorflow_blocks_is_not_used(monkeypatch):
    save_tuned(tune(engine="tflite-runtime"))
    assert load_tuned(MICRO) is not None
    monkeypatch.setitem(sys.modules, "tensorflow", object())
    monkeypatch.delitem(sys.modules, ENGINE_MODULES["tflite-runtime"], raising=False)
    assert load_tuned(MICRO) is None


def entry(**changes):
    plain = dataclasses.asdict(tune())
    return json.dumps({MICRO: {**plain, **changes}}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"7",
        b"[" * 100_000,
        json.dumps({MICRO: 5}).encode(),
        json.dumps({MICRO: {}}).encode(),
        entry(setting=None),
        entry(setting={"engine": "onnx"}),
        entry(setting={"engine": ["ai-edge-litert"]}),
        entry(setting={"engine": ENGINES[0], "threads": 0}),
        entry(setting={"engine": ENGINES[0], "threads": "2"}),
        entry(setting={"engine": ENGINES[0], "threads": 10**9}),
        entry(setting={"engine": ENGINES[0], "threads": 1.5}),
        entry(setting={"engine": ENGINES[0], "delegate": "no"}),
        entry(batch_size=0),
        entry(batch_size=10**9),
        entry(batch_size=True),
        entry(batch_size=None),
        entry(more=1),
    ],
    ids=lambda content: content[-40:].decode(errors="replace"),
)
def test_broken_file_counts_as_none_and_is_replaced(tuned_file, content):
    tuned_file.parent.mkdir()
    tuned_file.write_bytes(content)
    assert load_tuned(MICRO) is None
    Classifier.load().predict(np.zeros((28, 28), np.uint8))
    save_tuned(tune())
    assert load_tuned(MICRO) == tune()


def test_folder_in_the_files_place_counts_as_none(tuned_file):
    tuned_file.mkdir(parents=True)
    assert load_tuned(MICRO) is None


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other folders")
@pytest.mark.parametrize("config_home", ["/etc/mine", "", None])
def test_folder_on_linux_is_platformdirs_own(monkeypatch, config_home):
    monkeypatch.delenv("XDG_CONFIG_HOME")
    if config_home is not None:
        monkeypatch.setenv("XDG_CONFIG_HOME", config_home)
    folder = platformdirs.user_config_path("edge-mnist", appauthor=False)
    assert tuned_settings._find_file() == folder / "tuned.json"


def test_other_systems_folders_are_platformdirs(tuned_file, monkeypatch):
    monkeypatch.setattr(tuned_settings, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: tuned_file.parent)
    assert save_tuned(tune()) == tuned_file
    assert load_tuned(MICRO) == tune()


def test_without_platformdirs_nothing_is_loaded_there_and_saving_says_why(monkeypatch):
    monkeypatch.setattr(tuned_settings, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    assert load_tuned(MICRO) is None
    for use in (lambda: save_tuned(tune()), forget_tuned):
        with pytest.raises(MissingDependencyError) as error:
            use()
        assert str(error.value) == (
            "keeping tuned settings needs the package platformdirs; "
            "install it with: pip install platformdirs"
        )


def save_many(name):
    for index in range(30):
        save_tuned(tune(f"{name} {index % 3}"))


def test_writers_at_the_same_time_leave_a_whole_file(tuned_file):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=save_many, args=(name,)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    json.loads(tuned_file.read_text())
    assert [path.name for path in tuned_file.parent.iterdir()] == [tuned_file.name]


# In Classifier.load


def test_auto_runs_what_was_tuned():
    save_tuned(tune(threads=2))
    for classifier in (Classifier.load(), Classifier.load(engine="auto")):
        assert classifier.setting == EngineSetting(ENGINES[-1], delegate=False, threads=2)
        assert classifier.engine == ENGINES[-1]


def test_what_the_caller_says_comes_before_what_was_tuned():
    save_tuned(tune(threads=2))
    tuned = ENGINES[-1]
    assert Classifier.load(threads=1).setting == EngineSetting(tuned, delegate=False, threads=1)
    assert Classifier.load(delegate=True).setting == EngineSetting(tuned, delegate=True, threads=2)


def test_named_engine_runs_as_if_nothing_had_been_tuned(engine):
    save_tuned(tune(threads=2))
    assert Classifier.load(engine=engine).setting == EngineSetting(engine)


def test_other_models_run_as_if_nothing_had_been_tuned():
    save_tuned(tune())
    assert Classifier.load("nano").setting == EngineSetting(ENGINES[0])


def test_copy_without_a_card_is_the_same_model(tmp_path):
    save_tuned(tune())
    path = tmp_path / "copy.tflite"
    path.write_bytes(find_model().read_bytes())
    assert Classifier.load(path).setting.delegate is False


def test_tuned_batches_are_used_and_read_the_same(image_clock):
    images = np.random.default_rng(0).integers(0, 256, (40, 28, 28), np.uint8)
    save_tuned(tune(engine=ENGINES[0]))
    image_clock(is_resized_faster=True)
    classifier = Classifier.load()
    confidences = [p.confidence for p in classifier.predict_batch(images)]
    assert [worker.size for worker in classifier._batches._workers] == [16]
    assert confidences == [classifier.predict(image).confidence for image in images]
