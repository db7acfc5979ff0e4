import numpy as np
import pytest
import tf_keras

from edge_mnist.errors import ModelError
from edge_mnist.model_store import find_model, models_dir
from edge_mnist.quantization.convert import convert_float
from edge_mnist.quantization.rebuild import rebuild
from edge_mnist.training.adoption import adopt
from edge_mnist.training.architectures import build
from edge_mnist.training.base import open_base
from edge_mnist.training.config import load_config
from edge_mnist.training.run import predict_logits

pytestmark = pytest.mark.train


@pytest.fixture
def images(optdigits):
    return optdigits.train.images[:300]


@pytest.mark.parametrize("name", ["pico", "nano", "micro"])
def test_adopted_network_is_of_the_architecture_and_gives_the_same(name, images, optdigits):
    plain = rebuild((models_dir() / f"{name}.tflite").read_bytes())
    model = adopt(plain, images)
    assert model.name == name
    assert model.count_params() == build(name).count_params()
    others = optdigits.validation.images
    expected, found = predict_logits(plain, others), predict_logits(model, others)
    assert np.abs(found - expected).max() < 1e-3


def test_normalization_has_the_statistics_of_the_images(images):
    model = adopt(rebuild((models_dir() / "micro.tflite").read_bytes()), images)
    batch = images[..., None].astype(np.float32) / 255
    # Of the same images, training measures what is used outside of it.
    in_use, in_training = model(batch, training=False), model(batch, training=True)
    assert np.abs(in_use - in_training).max() < 0.01 * np.abs(in_use).max()


def test_network_without_normalization_is_adopted_too(images):
    trained = build("tutorial-3x3")
    model = adopt(rebuild(convert_float(trained, "float32")), images)
    assert model.name == "tutorial-3x3"
    found, expected = predict_logits(model, images), predict_logits(trained, images)
    assert np.abs(found - expected).max() < 1e-4


def test_foreign_network_is_refused_with_what_it_is(images):
    image = tf_keras.Input((28, 28, 1))
    tensor = tf_keras.layers.Conv2D(3, 7, activation="relu")(image)
    logits = tf_keras.layers.Dense(10)(tf_keras.layers.Flatten()(tensor))
    with pytest.raises(ModelError) as caught:
        adopt(tf_keras.Model(image, logits), images)
    assert str(caught.value).startswith(
        "the model cannot be trained further: expected a network of one of the architectures pico,"
    )
    assert "got one with kernels of 7x7x1x3, 1452x10; add its layers to" in str(caught.value)


def test_same_kernels_with_other_strides_are_another_network(images):
    image = tf_keras.Input((28, 28, 1))
    tensor = image
    for filters, size in ((8, 4), (16, 3)):
        tensor = tf_keras.layers.Conv2D(filters, size, padding="same", activation="relu")(tensor)
        tensor = tf_keras.layers.AveragePooling2D(2)(tensor)
    tensor = tf_keras.layers.Flatten()(tensor[:, :6, :6])
    for units in (10, 10):
        tensor = tf_keras.layers.Dense(units)(tensor)
    with pytest.raises(ModelError, match="the model cannot be trained further"):
        adopt(tf_keras.Model(image, tensor), images)


def test_base_is_opened_with_its_training(images):
    base = open_base("micro", images, rebuild)
    shipped = load_config(find_model("micro").with_suffix(".train.json"))
    assert (base.model.name, base.training) == ("micro", shipped)
    assert 0 < base.temperature < 1


def test_run_is_a_base(tiny_run, images):
    base = open_base(str(tiny_run.folder), images, rebuild)
    assert base.training == tiny_run.config
    again = open_base(str(tiny_run.folder / "model.keras"), images, rebuild)
    for one, other in zip(base.model.get_weights(), again.model.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_softmax_at_the_end_is_left_out(tmp_path, images):
    trained = build("tutorial-3x3")
    outputs = tf_keras.layers.Softmax()(trained.output)
    path = tmp_path / "softmax.tflite"
    path.write_bytes(convert_float(tf_keras.Model(trained.input, outputs), "float32"))
    base = open_base(str(path), images, rebuild)
    assert base.training.arch == "tutorial-3x3"
    expected = predict_logits(trained, images)
    assert np.abs(predict_logits(base.model, images) - expected).max() < 1e-4


def test_file_that_is_not_its_cards_is_refused(tmp_path, images):
    for suffix in (".tflite", ".json"):
        source = (models_dir() / f"pico{suffix}").read_bytes()
        (tmp_path / f"pico{suffix}").write_bytes(source + bytes(suffix == ".tflite"))
    with pytest.raises(ModelError, match="is not the file that its card describes: expected SHA"):
        open_base(str(tmp_path / "pico.tflite"), images, rebuild)


def test_other_files_are_refused(tmp_path, images):
    (tmp_path / "model.h5").write_text("")
    with pytest.raises(ModelError, match=r"cannot train .*model\.h5 further: expected a shipped"):
        open_base(str(tmp_path / "model.h5"), images, rebuild)
