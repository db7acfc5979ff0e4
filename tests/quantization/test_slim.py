import numpy as np
import pytest

from edge_mnist.isolation import run_isolated
from edge_mnist.quantization import convert
from edge_mnist.quantization.slim import slim

pytestmark = pytest.mark.train


@pytest.fixture(scope="module", params=["int8", "float32", "float16", "dynamic"])
def converted(request, trained, digits):
    """A .tflite as TensorFlow writes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convert, "slim", bytes)
        if request.param == "int8":
            return convert.convert_int8(trained.model, digits.train.images[:100])
        return convert.convert_float(trained.model, request.param)


def test_outputs_stay_the_same_to_the_bit(converted, digits, run_bare, engine):
    noise = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)
    images = np.concatenate([digits.test.images[:150], noise])
    before, after = (
        run_bare(content, images, engine)["outputs"] for content in (converted, slim(converted))
    )
    assert before.tobytes() == after.tobytes()


def test_file_becomes_smaller(converted):
    assert len(slim(converted)) < len(converted) - 1000


def test_names_are_gone(converted):
    assert b"serving_default" in converted or b"Identity" in converted
    for name in (b"serving_default", b"Identity", b"conv2d", b"min_runtime_version"):
        assert name not in slim(converted)


def test_slim_of_slim_is_the_same(converted):
    assert slim(slim(converted)) == slim(converted)


def test_int8_needs_no_reshape(trained, digits):
    content = convert.convert_int8(trained.model, digits.train.images[:100])
    assert "FULLY_CONNECTED" in run_isolated(content, digits.test.images[:1]).operators
    assert "RESHAPE" not in run_isolated(content, digits.test.images[:1]).operators
