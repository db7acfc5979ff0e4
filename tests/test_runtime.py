import copy
import hashlib
import importlib
import json
import pickle
import re
import shutil

import numpy as np
import pytest

from edge_mnist import Classifier
from edge_mnist.batches import RESIZED_BATCH
from edge_mnist.engines import ENGINE_MODULES, installed_engines
from edge_mnist.errors import InvalidInputError, MissingDependencyError, ModelError
from edge_mnist.model_store import find_model, shipped_models

MICRO = find_model()
RANDOM = np.random.default_rng(0).integers(0, 256, (100, 28, 28), np.uint8)
ENGINES = list(installed_engines())
MODELS = [model.path for model in shipped_models()]


@pytest.fixture
def cardless(tmp_path):
    """Return a function that writes a model without a card."""

    def write(content=None):
        path = tmp_path / "mine.tflite"
        path.write_bytes(MICRO.read_bytes() if content is None else content)
        return path

    return write


def softmax(values):
    weights = np.exp(values - values.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def run_bare(path, engine, images):
    """Return what a bare interpreter gives: float64 [N, 10], dequantized."""
    module = importlib.import_module(ENGINE_MODULES[engine])
    interpreter = module.Interpreter(model_content=path.read_bytes())
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    outputs = []
    for image in images:
        interpreter.set_tensor(source["index"], image.reshape(1, 28, 28, 1))
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(target["index"])[0])
    scale, zero_point = target["quantization"]
    return (np.array(outputs, np.float64) - zero_point) * scale


# The shipped models


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_file_is_the_one_that_the_card_describes(path):
    card, content = json.loads(path.with_suffix(".json").read_text()), path.read_bytes()
    assert card["name"] == path.stem
    assert card["size_bytes"] == len(content)
    assert card["sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_accuracy_on_mnists_test_images_is_the_cards(mnist, engine, path):
    classifier = Classifier.load(path, engine=engine)
    read = [prediction.digit for prediction in classifier.predict_batch(mnist.test.images)]
    right = (np.array(read) == mnist.test.labels).sum()
    told = json.loads(path.with_suffix(".json").read_text())["accuracy"]["int8 test"]
    # The card tells what tflite-runtime reads; another engine rounds in other places.
    assert told["protocol"].startswith("int8 in tflite-runtime;")
    assert abs(right - round(told["accuracy"] * 10_000)) <= (engine != "tflite-runtime") * 3


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_probabilities_are_the_softmax_of_the_graphs_outputs(engine, path):
    classifier = Classifier.load(path, engine=engine)
    card = json.loads(path.with_suffix(".json").read_text())
    assert classifier.output_kind == card["output_kind"] == "logits"
    expected = softmax(run_bare(path, engine, RANDOM) / card["temperature"])
    for image, probabilities in zip(RANDOM, expected, strict=True):
        prediction = classifier.predict(image)
        assert prediction.probabilities == pytest.approx(probabilities, abs=1e-12)
        assert prediction.probabilities.dtype == np.float64
        assert prediction.probabilities.sum() == pytest.approx(1, abs=1e-12)
        assert prediction.digit == prediction.probabilities.argmax()
        assert type(prediction.digit) is int
        assert prediction.confidence == prediction.probabilities[prediction.digit]


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_one_by_one_and_in_batches_give_the_same(mnist, engine, path, image_clock):
    images = mnist.test.images
    classifier = Classifier.load(path, engine=engine)
    alone = [classifier.predict(image) for image in images]
    for is_resized_faster in (True, False):
        image_clock(is_resized_faster=is_resized_faster)
        classifier = Classifier.load(path, engine=engine)
        batch = classifier.predict_batch(images)
        assert classifier._batches._is_of_use is is_resized_faster
        assert [p.digit for p in batch] == [p.digit for p in alone]
        assert [p.confidence for p in batch] == [p.confidence for p in alone]
        np.testing.assert_array_equal(
            [p.probabilities for p in batch], [p.probabilities for p in alone]
        )


@pytest.mark.skipif(len(ENGINES) < 2, reason="only one engine is installed")
def test_engines_read_the_same_digits(mnist):
    images = mnist.test.images[:2000]
    first, second = (
        [p.digit for p in Classifier.load(engine=name).predict_batch(images)] for name in ENGINES
    )
    assert np.mean(np.array(first) == second) > 0.999


# Arrays


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 100])
def test_batch_of_any_size(engine, count):
    classifier = Classifier.load(engine=engine)
    batch = classifier.predict_batch(RANDOM[:count])
    assert [p.confidence for p in batch] == [
        classifier.predict(image).confidence for image in RANDOM[:count]
    ]


@pytest.mark.parametrize(
    "view",
    [
        lambda images: images[..., None],
        np.asfortranarray,
        lambda images: np.repeat(images, 2, axis=2)[:, :, ::2],
        lambda images: images[:, ::-1, ::-1].copy()[:, ::-1, ::-1],
        lambda images: images.transpose(0, 2, 1).copy().transpose(0, 2, 1),
        lambda images: np.stack([images, images], axis=-1)[..., :1],
    ],
    ids=["axis", "fortran", "strided", "reversed", "transposed", "channel"],
)
def test_layout_in_memory_does_not_matter(engine, view):
    classifier = Classifier.load(engine=engine)
    images = RANDOM[:40]
    expected = [p.confidence for p in classifier.predict_batch(images)]
    viewed = view(images)
    assert [p.confidence for p in classifier.predict_batch(viewed)] == expected
    assert [classifier.predict(image).confidence for image in viewed] == expected


def test_images_from_a_mapped_file_are_read(tmp_path):
    np.save(tmp_path / "images.npy", RANDOM)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    classifier = Classifier.load()
    expected = classifier.predict(RANDOM[3]).confidence
    assert classifier.predict_batch(mapped)[3].confidence == expected
    assert classifier.predict(mapped[3]).confidence == expected


def test_image_is_left_as_it_was():
    image = RANDOM[0].copy()
    image.setflags(write=False)
    Classifier.load().predict(image)
    assert np.array_equal(image, RANDOM[0])


NORMALIZE = "bring a picture into shape with edge_mnist.preprocessing.normalize_digit"
SCALE = "scale it to 0 to 255 and convert it: np.rint(image).astype(np.uint8)"
CONVERT = "convert it: image.astype(np.uint8)"
ARRAY = "use a NumPy array"


@pytest.mark.parametrize(
    ("image", "got", "remedy"),
    [
        (None, "NoneType", ARRAY),
        ([[0] * 28] * 28, "list", ARRAY),
        ("seven.png", "str", ARRAY),
        (np.uint8(7), "uint8", ARRAY),
        (np.zeros((28, 28), np.float32), "float32 [28, 28]", SCALE),
        (np.zeros((28, 28)), "float64 [28, 28]", SCALE),
        (np.full((28, 28), np.nan, np.float32), "float32 [28, 28] with NaN", SCALE),
        (np.zeros((28, 28), np.int8), "int8 [28, 28]", CONVERT),
        (np.zeros((28, 28), np.int64), "int64 [28, 28]", CONVERT),
        (np.zeros((20, 28), np.uint8), "uint8 [20, 28]", NORMALIZE),
        (np.zeros((3, 20, 28), np.uint8), "uint8 [3, 20, 28]", NORMALIZE),
        (np.zeros((28, 28, 3), np.uint8), "uint8 [28, 28, 3]", NORMALIZE),
        (np.zeros((2, 28, 28, 3), np.uint8), "uint8 [2, 28, 28, 3]", NORMALIZE),
        (np.zeros(784, np.uint8), "uint8 [784]", NORMALIZE),
        (np.zeros((2, 784), np.uint8), "uint8 [2, 784]", NORMALIZE),
        (np.zeros((), np.uint8), "uint8 []", NORMALIZE),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 30 else "",
)
def test_wrong_images_are_refused(image, got, remedy):
    classifier = Classifier.load()
    for use, expected in (
        (classifier.predict, "uint8 [28, 28] or [28, 28, 1]"),
        (classifier.predict_batch, "uint8 [N, 28, 28]"),
        (classifier.run, "uint8 [N, 28, 28]"),
    ):
        with pytest.raises(InvalidInputError) as error:
            use(image)
        assert str(error.value) == f"wrong image: expected {expected}, got {got}; {remedy}"


def test_batch_is_no_image_and_an_image_is_no_batch():
    classifier = Classifier.load()
    with pytest.raises(InvalidInputError, match=r"got uint8 \[1, 28, 28\]; bring a picture"):
        classifier.predict(RANDOM[:1])
    with pytest.raises(InvalidInputError, match=r"got uint8 \[28, 28\]; bring a picture"):
        classifier.predict_batch(RANDOM[0])


def test_images_are_still_read_after_a_wrong_one():
    classifier = Classifier.load()
    before = classifier.predict(RANDOM[0]).confidence
    with pytest.raises(InvalidInputError):
        classifier.predict(None)
    assert classifier.predict(RANDOM[0]).confidence == before


# Files


def test_model_without_a_card_is_used_with_temperature_1(cardless, engine):
    path = cardless()
    expected = softmax(run_bare(path, engine, RANDOM[:5]))
    for name in (path, str(path)):
        classifier = Classifier.load(name, engine=engine)
        predictions = classifier.predict_batch(RANDOM[:5])
        assert [p.probabilities for p in predictions] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is too short: expected a .tflite file, got 0 bytes"),
        (b"\x1c\0\0\0TFL3" * 7, "it is too short: expected a .tflite file, got 56 bytes"),
        (b"<!doctype html>" * 9, "it is not a .tflite file: expected TFL3 at byte 4, got b'ctyp'"),
        (MICRO.read_bytes()[4:], "it is not a .tflite file: expected TFL3 at byte 4, got "),
        (MICRO.read_bytes()[:64], None),
        (MICRO.read_bytes()[:8000], None),
        (MICRO.read_bytes()[:-100], None),
        (b"\xff\xff\xff\x7f" + MICRO.read_bytes()[4:], "it is damaged: expected a root inside "),
        (b"\x04\0\0\0" + MICRO.read_bytes()[4:], "it is damaged: expected a root inside "),
    ],
    ids=[
        *("empty", "56 bytes", "html", "no head", "64 bytes", "half", "no tail"),
        *("root outside", "root in the head"),
    ],
)
@pytest.mark.parametrize("has_card", [False, True])
def test_broken_files_are_named(cardless, content, message, has_card):
    path = cardless(content)
    if has_card:
        shutil.copy(MICRO.with_suffix(".json"), path.with_suffix(".json"))
        message = message or "it is not the file that its card describes: expected SHA-256 "
    with pytest.raises(ModelError) as error:
        Classifier.load(path)
    assert str(error.value).startswith(f"cannot use the model {path}: {message or ''}")


def test_file_that_cannot_be_read_is_named(cardless, monkeypatch):
    path = cardless()

    def fail(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", fail)
    with pytest.raises(ModelError) as error:
        Classifier.load(path)
    assert str(error.value).startswith(f"cannot read the model {path}: got ")
    assert "Permission denied" in str(error.value)


def test_model_that_does_not_fit_its_card_is_refused(tmp_path):
    content = bytearray(MICRO.read_bytes())
    content[-1] ^= 1
    path = tmp_path / "mine.tflite"
    path.write_bytes(content)
    shutil.copy(MICRO.with_suffix(".json"), tmp_path / "mine.json")
    with pytest.raises(ModelError) as error:
        Classifier.load(path)
    expected, got = (hashlib.sha256(c).hexdigest()[:12] for c in (MICRO.read_bytes(), content))
    assert str(error.value) == (
        f"cannot use the model {path}: it is not the file that its card describes: "
        f"expected SHA-256 {expected}…, got {got}…; export or fetch both again"
    )


def test_unreadable_card_is_named(cardless):
    path = cardless()
    path.with_suffix(".json").write_text("{")
    with pytest.raises(ModelError) as error:
        Classifier.load(path)
    assert f"cannot read the model card {path.with_suffix('.json')}: " in str(error.value)
    assert "delete the card to run the model without it" in str(error.value)


@pytest.mark.parametrize("has_card", [True, False])
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"engine": "onnx"},
            InvalidInputError,
            "unknown engine: expected auto, tflite-runtime, ai-edge-litert, got 'onnx'",
        ),
        ({"threads": 0}, InvalidInputError, "threads: expected at least 1, got 0"),
        (
            {"engine": "ai-edge-litert"},
            MissingDependencyError,
            "ai-edge-litert is not installed: got none; pip install .*",
        ),
    ],
    ids=["engine", "threads", "missing"],
)
def test_wrong_arguments_are_refused(cardless, monkeypatch, has_card, options, error, message):
    if error is MissingDependencyError:
        monkeypatch.setattr("edge_mnist.engines.is_installed", lambda engine: False)
    with pytest.raises(error, match=f"^{message}$"):
        Classifier.load(MICRO if has_card else cardless(), **options)


def test_unknown_model_is_answered_with_those_there_are():
    with pytest.raises(ModelError, match=r"^cannot find the model: .*micro.*, got 'giant'$"):
        Classifier.load("giant")


# What the graph says of itself, with an interpreter that is made up


@pytest.mark.parametrize(
    ("quantization", "code"),
    [
        ((1 / 255, 0), lambda pixel: pixel),
        ((0.0, 0), lambda pixel: pixel),
        # No pixel is half a code away from two of these.
        ((5 / 255, 7), lambda pixel: (pixel + 2) // 5 + 7),
        ((3 / 255, 100), lambda pixel: (pixel + 1) // 3 + 100),
        # 2.55 is ten times brighter than white: codes end at 255, and never wrap around.
        ((0.1 / 255, 0), lambda pixel: min(10 * pixel, 255)),
        ((1 / 255, 20), lambda pixel: min(pixel + 20, 255)),
        ((1 / 255, -20), lambda pixel: max(pixel - 20, 0)),
    ],
)
def test_pixels_become_the_codes_of_the_files_scale(fake_model, quantization, code):
    model = fake_model(input_quantization=quantization)
    classifier = Classifier(model.content)
    image = np.zeros((28, 28), np.uint8)
    image.reshape(-1)[:256] = np.arange(256)
    expected = np.array([code(pixel) for pixel in image.reshape(-1).tolist()])
    classifier.predict(image)
    assert np.array_equal(model.seen[-1].reshape(-1), expected)
    classifier.predict_batch(image[None])
    assert np.array_equal(model.seen[-1].reshape(-1), expected)


LOGITS = np.array([3.0, -1.0, 0.5, 2.0, -4.0, 6.0, 5.5, 0.0, 1.0, -2.5])
UINT8 = {"output_quantization": (0.5, 10)}
FLOAT32 = {"output_quantization": (0.0, 0), "output_dtype": np.float32}


@pytest.mark.parametrize("temperature", [1.0, 0.5, 3.0])
@pytest.mark.parametrize(
    ("facts", "outputs"), [(UINT8, LOGITS / 0.5 + 10), (FLOAT32, LOGITS)], ids=["uint8", "float32"]
)
def test_logits_are_divided_by_the_temperature(fake_model, facts, outputs, temperature):
    model = fake_model(respond=lambda codes: outputs, **facts)
    classifier = Classifier(model.content, temperature=temperature)
    assert classifier.output_kind == "logits"
    expected = softmax(LOGITS / temperature)
    for prediction in (classifier.predict(RANDOM[0]), *classifier.predict_batch(RANDOM[:2])):
        assert prediction.probabilities == pytest.approx(expected, abs=1e-6)
        assert prediction.digit == 5
        assert prediction.confidence == prediction.probabilities[5]
    raw = classifier.run(RANDOM[:2])
    assert raw.dtype == facts.get("output_dtype", np.uint8)
    assert classifier.dequantize(raw) == pytest.approx(np.stack([LOGITS, LOGITS]))


@pytest.mark.parametrize("temperature", [1.0, 0.7])
@pytest.mark.parametrize("output_kind", ["logits", "probabilities"])
@pytest.mark.parametrize(
    "facts", [{"output_quantization": (0.37, 93)}, FLOAT32], ids=["uint8", "float32"]
)
def test_batch_is_decoded_to_the_same_bits(fake_model, facts, output_kind, temperature):
    outputs = np.random.default_rng(3).integers(1, 256, (500, 10))
    outputs[:50] = np.clip(outputs[:50], 100, 103)  # ties, and digits that are near each other
    if facts is FLOAT32:
        outputs = outputs / 17
    left = iter(np.concatenate([outputs, outputs]))
    model = fake_model(respond=lambda codes: next(left), **facts)
    classifier = Classifier(
        model.content, output_kind=output_kind, temperature=temperature, rejection_threshold=0.3
    )
    images = np.zeros((500, 28, 28), np.uint8)
    alone = [classifier.predict(image) for image in images]
    together = classifier.predict_batch(images)
    assert {p.digit for p in alone} == set(range(10))
    for name in ("digit", "confidence", "rejection_score", "rejected"):
        values = [getattr(p, name) for p in alone]
        assert [getattr(p, name) for p in together] == values
        assert {type(getattr(p, name)) for p in alone + together} == {type(values[0])}
    np.testing.assert_array_equal(
        [p.probabilities for p in together], [p.probabilities for p in alone]
    )


SHARES = np.array([0, 16, 0, 32, 0, 8, 176, 0, 16, 8])  # of 256


@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize(
    ("facts", "outputs"),
    [({"output_quantization": (1 / 256, 0)}, SHARES), (FLOAT32, SHARES / 256)],
    ids=["uint8", "float32"],
)
def test_softmax_outputs_are_told_and_taken_as_they_are(fake_model, facts, outputs, temperature):
    model = fake_model(respond=lambda codes: outputs, **facts)
    classifier = Classifier(model.content, temperature=temperature)
    assert classifier.output_kind == "probabilities"
    prediction = classifier.predict(RANDOM[0])
    assert prediction.probabilities == pytest.approx(SHARES / 256)
    assert prediction.digit == 6
    assert prediction.confidence == pytest.approx(176 / 256)


def test_softmax_in_whole_codes_is_made_to_sum_to_1(fake_model):
    # Rounding each of ten to 1/256 leaves them at 250 in all.
    model = fake_model(respond=lambda codes: [25] * 10, output_quantization=(1 / 256, 0))
    prediction = Classifier(model.content).predict(RANDOM[0])
    assert prediction.probabilities == pytest.approx([0.1] * 10)


@pytest.mark.parametrize("offset", [0, -8])
@pytest.mark.parametrize(
    ("facts", "scale", "zero_point"),
    [({"output_quantization": (0.5, 60)}, 0.5, 60), (FLOAT32, 1, 0)],
    ids=["uint8", "float32"],
)
def test_rejection_score_is_the_share_of_an_eleventh_logit_of_0(
    fake_model, facts, scale, zero_point, offset
):
    logits = LOGITS + offset
    model = fake_model(respond=lambda codes: logits / scale + zero_point, **facts)
    classifier = Classifier(model.content, temperature=2.0, rejection_threshold=0.5)
    prediction = classifier.predict(RANDOM[0])
    assert prediction.rejection_score == pytest.approx(softmax(np.append(logits / 2, 0))[-1])
    assert prediction.rejected is (offset < 0)


def test_rejection_threshold_itself_is_kept(fake_model):
    model = fake_model(respond=lambda codes: LOGITS, **FLOAT32)
    score = Classifier(model.content).predict(RANDOM[0]).rejection_score
    for threshold, rejected in ((score, False), (np.nextafter(score, 0), True)):
        classifier = Classifier(model.content, rejection_threshold=threshold)
        assert classifier.predict(RANDOM[0]).rejected is rejected


def test_nothing_is_rejected_without_a_threshold(fake_model):
    model = fake_model(respond=lambda codes: LOGITS - 100, **FLOAT32)
    prediction = Classifier(model.content).predict(RANDOM[0])
    assert prediction.rejection_score == pytest.approx(1)
    assert prediction.rejected is False


def test_prediction_unpacks_to_three():
    for prediction in (
        Classifier.load().predict(RANDOM[0]),
        *Classifier.load().predict_batch(RANDOM[:2]),
    ):
        digit, confidence, probabilities = prediction
        assert confidence == probabilities[digit] == probabilities.max()
        assert probabilities is prediction.probabilities


def test_prediction_can_be_copied_and_sent_to_another_process():
    prediction = Classifier.load().predict(RANDOM[0])
    for same in (copy.deepcopy(prediction), pickle.loads(pickle.dumps(prediction))):
        assert repr(same) == repr(prediction)
        assert np.array_equal(same.probabilities, prediction.probabilities)


def test_prediction_is_shown_with_its_digit():
    prediction = Classifier.load().predict(RANDOM[0])
    assert repr(prediction).startswith(f"Prediction(digit={prediction.digit}, confidence=")


def test_huge_logits_do_not_overflow(fake_model):
    model = fake_model(respond=lambda codes: [255] * 10, output_quantization=(100.0, 0))
    prediction = Classifier(model.content).predict(RANDOM[0])
    assert prediction.confidence == pytest.approx(0.1)
    assert 0 <= prediction.rejection_score < 1e-6


def test_cards_output_kind_comes_before_the_guess(fake_model):
    model = fake_model(respond=lambda codes: SHARES, output_quantization=(1 / 256, 0))
    prediction = Classifier(model.content, output_kind="logits").predict(RANDOM[0])
    assert prediction.probabilities == pytest.approx(softmax(SHARES / 256))


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            {"input_shape": (1, 32, 32, 3)},
            "it takes another input: expected uint8 [1, 28, 28, 1], got uint8 [1, 32, 32, 3]",
        ),
        (
            {"input_shape": (1, 784)},
            "it takes another input: expected uint8 [1, 28, 28, 1], got uint8 [1, 784]",
        ),
        (
            {"input_dtype": np.int8},
            "it takes another input: expected uint8 [1, 28, 28, 1], got int8 [1, 28, 28, 1]",
        ),
        (
            {"output_shape": (1, 1000)},
            "it gives another output: expected uint8 or float32 [1, 10], got uint8 [1, 1000]",
        ),
        (
            {"output_dtype": np.int8},
            "it gives another output: expected uint8 or float32 [1, 10], got int8 [1, 10]",
        ),
    ],
)
def test_model_of_another_kind_is_refused(fake_model, facts, message):
    model = fake_model(**facts)
    with pytest.raises(ModelError) as error:
        Classifier(model.content)
    assert str(error.value) == (
        f"{message}; convert the Keras model it came from with edge-mnist quantize"
    )


def test_what_the_interpreter_says_of_a_bad_model_is_passed_on(fake_model, monkeypatch, engine):
    model = fake_model()

    def refuse(**options):
        raise ValueError("Didn't find op for\n builtin opcode 'FOO'")

    monkeypatch.setattr(model, "Interpreter", refuse)
    message = f"{engine} cannot load the model: got Didn't find op for builtin opcode 'FOO'"
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        Classifier(model.content, engine=engine)


# Resized batches


def brightness(codes):
    """Give one output that tells images apart."""
    return [int(codes.mean())] + [0] * 9


@pytest.mark.parametrize("count", [7, 8, 32, 63, 64, 100])
def test_faster_resized_batch_is_used(fake_model, image_clock, count):
    model = fake_model(respond=brightness, respond_resized=brightness)
    image_clock(is_resized_faster=True)
    outputs = Classifier(model.content).run(RANDOM[:count])
    assert outputs.tolist() == [brightness(image) for image in RANDOM[:count]]
    # After a trial whole batches are run resized, then smaller ones, and the rest one by one.
    expected, left = [], count
    for size in (32, 8):
        if left >= size:
            expected += [size, *[1] * size, size] + [size] * (left // size)
            left %= size
    assert [len(codes) for codes in model.seen] == expected + [1] * left


@pytest.mark.parametrize("respond_resized", [None, brightness, lambda codes: [0] * 10])
def test_slower_wrong_or_impossible_resized_batch_is_not_used(
    fake_model, image_clock, respond_resized
):
    model = fake_model(respond=brightness, respond_resized=respond_resized)
    image_clock(is_resized_faster=respond_resized is not brightness)
    classifier = Classifier(model.content)
    for _ in range(2):
        model.seen.clear()
        outputs = classifier.run(RANDOM)
        assert outputs.tolist() == [brightness(image) for image in RANDOM]
    # What was found out once is not tried again.
    assert [len(codes) for codes in model.seen] == [1] * 100


def test_resized_batch_gets_the_codes_of_the_files_scale(fake_model, image_clock):
    model = fake_model(
        respond=brightness, respond_resized=brightness, input_quantization=(5 / 255, 7)
    )
    image_clock(is_resized_faster=True)
    Classifier(model.content).run(RANDOM[:32])
    assert np.array_equal(model.seen[-1][..., 0], (RANDOM[:32].astype(int) + 2) // 5 + 7)


def test_batch_size_is_that_of_the_resized_batches(fake_model, image_clock):
    model = fake_model(respond=brightness, respond_resized=brightness)
    image_clock(is_resized_faster=True)
    Classifier(model.content, batch_size=8).run(RANDOM[:20])
    assert [len(codes) for codes in model.seen] == [8] + [1] * 8 + [8] + [8, 8] + [1] * 4


def test_batch_size_of_1_runs_one_by_one(fake_model):
    model = fake_model(respond=brightness, respond_resized=brightness)
    Classifier(model.content, batch_size=1).run(RANDOM)
    assert [len(codes) for codes in model.seen] == [1] * 100


@pytest.mark.parametrize("size", [0, -1])
def test_batch_size_below_1_is_refused(fake_model, size):
    model = fake_model()
    with pytest.raises(InvalidInputError, match=f"^batch_size: expected at least 1, got {size}$"):
        Classifier(model.content, batch_size=size)


# Threads


@pytest.mark.parametrize(("cores", "helpers"), [(1, 1), (2, 2), (8, 3)])
def test_threads_share_batches_and_not_single_images(
    fake_model, image_clock, monkeypatch, cores, helpers
):
    monkeypatch.setattr("edge_mnist.batches.count_cores", lambda: cores)
    model = fake_model(respond=brightness, respond_resized=brightness)
    image_clock(is_resized_faster=True)
    images = np.concatenate([RANDOM] * 3)[: 9 * RESIZED_BATCH]
    outputs = Classifier(model.content, threads=3).run(images)
    assert outputs.tolist() == [brightness(image) for image in images]
    # One image's own interpreter may use them all; no more interpreters run than cores.
    assert model.threads == [3] + [1] * helpers


def test_no_more_threads_than_batches_are_started(fake_model, image_clock, monkeypatch):
    monkeypatch.setattr("edge_mnist.batches.count_cores", lambda: 8)
    model = fake_model(respond=brightness, respond_resized=brightness)
    image_clock(is_resized_faster=True)
    Classifier(model.content, threads=8).run(RANDOM[:70])
    assert model.threads == [8, 1, 1]


def test_threads_read_the_same(mnist, engine, image_clock):
    images = mnist.test.images[:1000]
    alone = Classifier.load(engine=engine).run(images)
    image_clock(is_resized_faster=True)
    classifier = Classifier.load(engine=engine, threads=2)
    for _ in range(3):
        assert np.array_equal(classifier.run(images), alone)


def test_failure_in_any_thread_is_raised(fake_model, image_clock, monkeypatch):
    monkeypatch.setattr("edge_mnist.batches.count_cores", lambda: 2)
    model = fake_model(respond=brightness, respond_resized=brightness)
    image_clock(is_resized_faster=True)
    classifier = Classifier(model.content, threads=2)
    classifier.run(RANDOM)

    def fail(codes):
        raise RuntimeError("the delegate has gone")

    monkeypatch.setattr(classifier._batches._workers[1], "run", fail)

    def run_until_it_takes_its_share():
        for _ in range(100):
            classifier.run(np.concatenate([RANDOM] * 10))

    with pytest.raises(RuntimeError, match=r"^the delegate has gone$"):
        run_until_it_takes_its_share()
