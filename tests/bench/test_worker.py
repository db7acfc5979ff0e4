import pytest

from edge_mnist.bench import worker
from edge_mnist.bench.inputs import find_images
from edge_mnist.engines import EngineSetting, resolve_engine
from edge_mnist.model_store import find_model


@pytest.fixture
def loaded(monkeypatch):
    """The default model in an engine whose import takes ten seconds, by a clock of its own."""
    now_ns = [0]

    def take_ten_seconds(_engine):
        now_ns[0] += 10_000_000_000

    monkeypatch.setattr(worker, "CLOCK", lambda: now_ns[0])
    monkeypatch.setattr(worker, "import_engine", take_ten_seconds)
    content = find_model("micro").read_bytes()
    return worker.load_model(content, EngineSetting(resolve_engine()), find_images()[0])


def test_steady_memory_is_read_before_there_is_more_than_the_model(monkeypatch):
    seen = []

    class Watched:
        def __init__(self, *_arguments, **_options):
            seen.append("load")

        def predict(self, image):
            seen.append("predict")

        def predict_batch(self, images):
            seen.append("batch")

    def read_memory(field_name):
        seen.append(field_name)
        return len(seen)

    monkeypatch.setattr(worker, "Classifier", Watched)
    monkeypatch.setattr(worker, "read_memory", read_memory)
    content = find_model("micro").read_bytes()
    loaded = worker.load_model(content, EngineSetting(resolve_engine()), find_images()[0])
    assert seen[:3] == ["load", "predict", "VmHWM"]
    assert seen[3] == seen[-2] == "predict"
    assert seen[-1] == "VmRSS"
    assert loaded.start.resident_bytes == len(seen)


def test_importing_the_engine_is_no_part_of_loading_a_model(loaded):
    assert (loaded.start.load_ms, loaded.start.first_inference_ms) == (0, 0)
