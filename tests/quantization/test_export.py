import dataclasses
import hashlib
import json

import numpy as np
import pytest
import tf_keras

from edge_mnist.dataset import Examples
from edge_mnist.engines import installed_engines
from edge_mnist.errors import ExportError, InvalidInputError, ModelError
from edge_mnist.evaluation import evaluate
from edge_mnist.model_card import load_card
from edge_mnist.quantization.config import ExportConfig
from edge_mnist.quantization.export import TrainedModel, export_model, open_source
from edge_mnist.runtime import Classifier
from edge_mnist.training.config import TrainConfig
from edge_mnist.training.run import predict_logits, save_model

pytestmark = pytest.mark.train

EXPORTS = ("ptq", "qat", "micro-float32", "micro-float16", "micro-dynamic")
INT8 = ("ptq", "qat")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def source(marked):
    training = TrainConfig(arch="marked", epochs=1, batch_size=100, device="cpu")
    return TrainedModel(marked.model, training, marked.dataset)


@pytest.mark.parametrize("name", EXPORTS)
def test_bare_interpreter_reads_digits(name, exports, digits, run_bare, engine):
    content = exports[name].path.read_bytes()
    answer = run_bare(content, digits.test.images, engine)
    outputs = answer["outputs"]
    dtype = "uint8" if name in INT8 else "float32"
    assert list(answer["input"]) == ["uint8", "1", "28", "28", "1"]
    assert list(answer["output"]) == [dtype, "1", "10"]
    assert (outputs.argmax(axis=1) == digits.test.labels).mean() > 0.93


@pytest.mark.parametrize("name", INT8)
def test_int8_export_is_integers_throughout(name, exports, digits, run_bare, engine):
    answer = run_bare(exports[name].path.read_bytes(), digits.test.images[:1], engine)
    assert set(answer["dtypes"]) <= {"int8", "int32", "uint8"}


def test_float32_export_gives_the_keras_logits(floats, trained, digits, run_bare, engine):
    content = floats["micro-float32"].path.read_bytes()
    outputs = run_bare(content, digits.test.images[:50], engine)["outputs"]
    logits = predict_logits(trained.model, digits.test.images[:50])
    np.testing.assert_allclose(outputs, logits, rtol=1e-3, atol=1e-3)


def test_int8_export_comes_within_its_steps_of_the_keras_logits(ptq, trained, digits, run_bare):
    engine = next(iter(installed_engines()))
    answer = run_bare(ptq["micro"].path.read_bytes(), digits.test.images, engine)
    scale, zero_point = answer["quantization"]
    values = scale * (answer["outputs"].astype(np.float64) - zero_point)
    logits = predict_logits(trained.model, digits.test.images)
    assert np.abs(values - logits).mean() < 0.05 * np.ptp(logits)


def test_int8_and_float16_are_smaller_than_float32(exports):
    size = {name: len(export.path.read_bytes()) for name, export in exports.items()}
    assert max(size["ptq"], size["qat"], size["micro-dynamic"]) < size["micro-float16"]
    assert size["micro-float16"] < size["micro-float32"]


@pytest.mark.parametrize("name", EXPORTS)
def test_card_describes_the_file(name, exports, trained):
    export = exports[name]
    content = export.path.read_bytes()
    card = json.loads(export.path.with_suffix(".json").read_text())
    assert card["name"] == export.path.stem
    assert card["size_bytes"] == len(content)
    assert card["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["parameters"] == trained.model.count_params()
    assert card["architecture"] == "micro"
    assert card["data"] == {"name": "mnist", "sha256": trained.dataset.sha256}
    assert TrainConfig(**{**card["training"], "augmentation": trained.training.augmentation}) == (
        trained.training
    )
    assert set(card["agreement"]) == set(card["engines"]) == set(installed_engines())
    assert load_card(export.path) == export.card


@pytest.mark.parametrize("name", EXPORTS)
def test_card_tells_what_can_be_measured_again(name, exports, trained, digits, run_bare):
    card = exports[name].card
    engine = next(iter(installed_engines()))
    keras = predict_logits(trained.model, digits.test.images)
    exported = run_bare(exports[name].path.read_bytes(), digits.test.images, engine)["outputs"]
    for label, outputs in (("float", keras), (card.number_format, exported)):
        expected = evaluate(outputs.argmax(axis=1), digits.test.labels)
        told = card.accuracy[f"{label} test"]
        assert (told.accuracy, told.images) == (pytest.approx(expected.accuracy), 500)
        assert card.accuracy[f"{label} validation"].images == 2500


@pytest.mark.parametrize("name", EXPORTS)
def test_page_beside_the_file_tells_the_card(name, exports):
    export = exports[name]
    page = export.path.with_suffix(".md").read_text()
    assert page.startswith(f"# {export.path.stem}\n")
    assert f"{export.card.size_bytes:,} bytes" in page
    assert export.card.sha256 in page
    assert f"{100 * export.card.accuracy['float test'].accuracy:.2f} %" in page


@pytest.mark.parametrize(("name", "method"), [("ptq", "ptq"), ("qat", "qat")])
def test_card_tells_how_int8_was_made(name, method, exports):
    assert exports[name].card.number_format == "int8"
    assert exports[name].card.quantization["method"] == method


@pytest.mark.parametrize("name", ["ptq", "qat"])
def test_threshold_rejects_one_validation_digit_in_150(name, exports, digits):
    predictions = Classifier.load(exports[name].path).predict_batch(digits.validation.images)
    share = np.mean([prediction.rejected for prediction in predictions])
    assert 1 / 300 < share < 1 / 100


def test_nothing_is_left_beside_the_exports(ptq, qat, floats):
    for exports in (ptq, qat, floats):
        expected = {f"{name}{suffix}" for name in exports for suffix in (".tflite", ".json", ".md")}
        assert set(contents(next(iter(exports.values())).path.parent)) == expected


def test_both_keeps_the_better_one_on_validation(both_without_test, exports):
    export, said = both_without_test
    accuracy = {name: exports[name].card.accuracy["int8 validation"].accuracy for name in INT8}
    assert [line for line in said if line.endswith(" on validation")] == [
        f"{name}: {100 * share:.2f} % on validation" for name, share in accuracy.items()
    ]
    assert export.card.quantization["method"] == max(accuracy, key=accuracy.get)


def test_export_does_not_depend_on_the_test_images(both_without_test, exports):
    export, _ = both_without_test
    assert "int8 test" not in export.card.accuracy
    with_test = exports[export.card.quantization["method"]]
    assert export.path.read_bytes() == with_test.path.read_bytes()
    assert export.card.temperature == with_test.card.temperature


@pytest.mark.parametrize("method", ["ptq", "qat"])
def test_no_method_looks_at_the_test_images(method, source, marked, tmp_path):
    config = ExportConfig(int8=True, method=method, qat_epochs=1)
    noise = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)
    contents = []
    for test in (None, marked.examples, Examples(noise, marked.labels[:50])):
        dataset = dataclasses.replace(marked.dataset, test=test)
        seen = dataclasses.replace(source, dataset=dataset)
        (export,) = export_model(seen, config, folder=tmp_path)
        contents.append(export.path.read_bytes())
    assert contents[0] == contents[1] == contents[2]


def test_card_tells_the_accuracy_on_each_split(source, marked, tmp_path):
    wrong = dataclasses.replace(marked.examples, labels=(marked.labels + 1) % 10)
    dataset = dataclasses.replace(marked.dataset, test=wrong)
    config = ExportConfig(floats=("float32",))
    (export,) = export_model(dataclasses.replace(source, dataset=dataset), config, folder=tmp_path)
    assert export.card.accuracy["float32 validation"].accuracy == 1
    assert export.card.accuracy["float32 test"].accuracy == 0


def test_name_of_the_file_can_be_chosen(source, tmp_path):
    config = ExportConfig(int8=True, method="ptq", floats=("float16",), name="mine")
    exports = export_model(source, config, folder=tmp_path)
    assert [export.path for export in exports] == [
        tmp_path / "mine.tflite",
        tmp_path / "mine-float16.tflite",
    ]


@pytest.mark.parametrize("name", ["../stray", "deeper/name", "/stray", ".."])
def test_name_with_a_folder_in_it_is_refused(name):
    with pytest.raises(InvalidInputError, match="--name: expected a file's name without a folder"):
        ExportConfig(floats=("float32",), name=name)


def test_export_that_is_too_large_is_refused_and_nothing_is_touched(source, tmp_path):
    for suffix in (".tflite", ".json", ".md"):
        (tmp_path / f"mine{suffix}").write_text("the old one")
    before = contents(tmp_path)
    config = ExportConfig(int8=True, method="ptq", max_bytes=1000, name="mine")
    with pytest.raises(ExportError) as caught:
        export_model(source, config, folder=tmp_path)
    message = str(caught.value)
    assert message.startswith("the export is too large: expected at most 1,000 bytes, got ")
    assert message.endswith("; train a smaller architecture, or raise --max-bytes")
    assert contents(tmp_path) == before


def test_one_failing_format_keeps_the_others_from_being_written(source, tmp_path):
    config = ExportConfig(int8=True, method="ptq", floats=("float32",), max_bytes=15_000)
    with pytest.raises(ExportError, match="expected at most 15,000 bytes, got"):
        export_model(source, config, folder=tmp_path)
    assert contents(tmp_path) == {}


def nest(model):
    """The same network inside another, which quantization-aware training refuses."""
    image = tf_keras.Input((28, 28, 1))
    return tf_keras.Model(image, model(image), name="nest")


def test_model_that_cannot_be_fine_tuned_is_refused_with_the_way_out(source, marked, tmp_path):
    nested = dataclasses.replace(source, model=nest(marked.model))
    with pytest.raises(ExportError) as caught:
        export_model(nested, ExportConfig(int8=True), folder=tmp_path)
    message = str(caught.value)
    assert message.startswith("cannot prepare the model for quantization-aware training: got ")
    assert message.endswith("; use --method ptq")


def test_both_takes_the_one_that_works(source, marked, tmp_path):
    nested, said = dataclasses.replace(source, model=nest(marked.model)), []
    config = ExportConfig(int8=True, method="both")
    (export,) = export_model(nested, config, folder=tmp_path, say=said.append)
    assert export.card.quantization["method"] == "ptq"
    assert any(line.startswith("qat fails: cannot prepare the model") for line in said)


def test_both_tells_each_failure_if_neither_works(source, tmp_path):
    config = ExportConfig(int8=True, method="both", qat_epochs=1, max_bytes=1000)
    with pytest.raises(ExportError) as caught:
        export_model(source, config, folder=tmp_path)
    assert str(caught.value).startswith(
        "neither method gives a good export: got ptq: the export is too large"
    )
    assert "; qat: the export is too large" in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {},
            "nothing to export: expected at least one of --int8, --float16, --dynamic, --float32, "
            "got none",
        ),
        ({"int8": True, "method": "gptq"}, "--method: expected qat, ptq, both, got 'gptq'"),
        ({"int8": True, "max_bytes": 0}, "--max-bytes: expected at least 1, got 0"),
        ({"int8": True, "qat_epochs": 0}, "--qat-epochs: expected at least 1, got 0"),
    ],
)
def test_export_out_of_range_is_refused(fields, message):
    with pytest.raises(InvalidInputError) as caught:
        ExportConfig(**fields)
    assert str(caught.value) == message


def test_source_is_opened_with_the_data_of_its_run(trained, tmp_path):
    asked = []

    def load(*request):
        asked.append(request)
        return trained.dataset

    config = dataclasses.replace(trained.training, data="optdigits", validation_split=0.4)
    (tmp_path / "config.json").write_text(config.to_json())
    save_model(trained.model, tmp_path / "model.keras")
    assert open_source(tmp_path, None, load).training == config
    assert open_source(tmp_path, "mnist", load).training.data == "mnist"
    assert asked == [("optdigits", 0.4), ("mnist", 0.4)]


def test_model_without_a_run_is_taken_as_trained_by_default(source, marked, tmp_path):
    save_model(marked.model, tmp_path / "alone.keras")
    opened = open_source(tmp_path / "alone.keras", None, lambda data, split: source.dataset)
    assert (opened.training.arch, opened.training.recipe) == ("marked", "unknown")
    assert opened.training.data == "mnist"


def test_run_that_was_trained_on_a_gpu_is_quantized_without_one(source, trained, tmp_path):
    config = dataclasses.replace(trained.training, device="gpu")
    (tmp_path / "config.json").write_text(config.to_json())
    save_model(trained.model, tmp_path / "model.keras")
    assert open_source(tmp_path, None, lambda data, split: source.dataset).model is not None


def test_missing_source_is_refused(tmp_path):
    with pytest.raises(ModelError, match="cannot find the trained model: expected a run folder"):
        open_source(tmp_path, None, lambda data, split: None)
