import numpy as np
import pytest

from edge_mnist.engines import installed_engines
from edge_mnist.errors import ExportError
from edge_mnist.quantization.convert import convert_float, convert_int8
from edge_mnist.quantization.parity import check_parity
from edge_mnist.training.run import predict_logits

pytestmark = pytest.mark.train

ENGINES = list(installed_engines())


@pytest.fixture(scope="module")
def int8(marked):
    return convert_int8(marked.model, marked.images[:100])


def check(content, marked, logits=None, *, images=1000, is_int8=True, max_bytes=100_000):
    """Check an export on the last images."""
    if logits is None:
        logits = predict_logits(marked.model, marked.images)
    examples = marked.examples.take(np.arange(1000 - images, 1000))
    return check_parity(content, examples, logits[-images:], is_int8=is_int8, max_bytes=max_bytes)


def disagree(marked, count):
    """The Keras model's outputs, as if it read the last images as another digit."""
    logits = predict_logits(marked.model, marked.images)
    logits[-count:] = np.roll(logits[-count:], 1, axis=1)
    return logits


def test_every_engine_agrees_with_the_model(int8, marked):
    report = check(int8, marked)
    assert report.agreement == dict.fromkeys(installed_engines(), 1.0)
    assert report.engines == installed_engines()
    assert report.run.engine == ENGINES[0]
    np.testing.assert_array_equal(report.run.outputs.argmax(axis=1), marked.labels)


@pytest.mark.parametrize(("images", "flips"), [(1000, 2), (1000, 1), (100, 1)])
def test_one_flip_in_500_is_let_through(images, flips, int8, marked):
    report = check(int8, marked, disagree(marked, flips), images=images)
    assert list(report.agreement.values()) == pytest.approx([1 - flips / images] * len(ENGINES))


@pytest.mark.parametrize(
    ("images", "flips", "got"), [(1000, 3, "3 of 1,000"), (100, 2, "2 of 100")]
)
def test_more_flips_are_refused(images, flips, got, int8, marked):
    with pytest.raises(ExportError) as caught:
        check(int8, marked, disagree(marked, flips), images=images)
    assert str(caught.value) == (
        f"the export in {ENGINES[0]} does not agree with the Keras model: "
        f"expected at most 1 image in 500 read differently, got {got}; try the other --method"
    )


@pytest.mark.parametrize("number_format", ["float32", "dynamic"])
def test_floats_do_not_pass_for_int8(number_format, marked):
    content = convert_float(marked.model, number_format)
    with pytest.raises(ExportError) as caught:
        check(content, marked, is_int8=True)
    message = str(caught.value)
    assert message.startswith(
        "the export is not int8 throughout: expected int32, int8, uint8, got "
    )
    assert "float32" in message
    assert check(content, marked, is_int8=False).agreement[ENGINES[0]] == 1


def test_size_is_checked_to_the_byte(int8, marked):
    assert check(int8, marked, max_bytes=len(int8)).agreement
    with pytest.raises(ExportError) as caught:
        check(int8, marked, max_bytes=len(int8) - 1)
    assert str(caught.value) == (
        f"the export is too large: expected at most {len(int8) - 1:,} bytes, got {len(int8):,}; "
        "train a smaller architecture, or raise --max-bytes"
    )


@pytest.mark.parametrize("damage", ["text", "cut off"])
def test_export_that_an_engine_refuses_is_refused(damage, int8, marked):
    content = b"not a model" * 20 if damage == "text" else int8[: len(int8) // 2]
    with pytest.raises(ExportError) as caught:
        check(content, marked)
    assert str(caught.value).startswith(f"{ENGINES[0]} does not run the export: got ")
