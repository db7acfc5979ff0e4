import dataclasses
import json

import pytest

from edge_mnist.errors import TrainingError
from edge_mnist.training.architectures import ARCHITECTURES
from edge_mnist.training.config import Augmentation, TrainConfig, load_config
from edge_mnist.training.recipes import DEFAULT_RECIPE, RECIPES, find_recipe

pytestmark = pytest.mark.train

OPTIMIZERS = "('adam', 'adamw')"
SCHEDULES = "('constant', 'cosine', 'one-cycle')"
DEVICES = "('auto', 'cpu', 'gpu')"


@pytest.mark.parametrize("recipe", RECIPES)
def test_configuration_comes_back_from_json(recipe, tmp_path):
    path = tmp_path / "config.json"
    config = dataclasses.replace(find_recipe(recipe), seed=7, patience=4, device="cpu")
    path.write_text(config.to_json())
    assert load_config(path) == config


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("epochs", 0, "at least 1"),
        ("epochs", -3, "at least 1"),
        ("batch_size", 0, "at least 1"),
        ("branches", 0, "at least 1"),
        ("learning_rate", 0.0, "above 0"),
        ("learning_rate", -0.1, "above 0"),
        ("learning_rate", float("inf"), "above 0"),
        ("learning_rate", float("nan"), "above 0"),
        ("weight_decay", -0.1, "at least 0"),
        ("weight_decay", float("nan"), "at least 0"),
        ("label_smoothing", -0.1, "0 up to below 1"),
        ("label_smoothing", 1.0, "0 up to below 1"),
        ("validation_split", 0.0, "above 0 and below 1"),
        ("validation_split", 1.0, "above 0 and below 1"),
        ("patience", 0, "at least 1"),
        ("seed", -1, "0 up to 2147483647"),
        ("seed", 2**31, "0 up to 2147483647"),
        ("optimizer", "sgd", OPTIMIZERS),
        ("schedule", "linear", SCHEDULES),
        ("device", "tpu", DEVICES),
    ],
)
def test_field_out_of_range_is_refused(field, value, expected):
    with pytest.raises(TrainingError) as caught:
        TrainConfig(**{"arch": "micro", "epochs": 1, field: value})
    assert str(caught.value) == f"{field.replace('_', ' ')}: expected {expected}, got {value}"


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Augmentation)])
@pytest.mark.parametrize("value", [-1.0, float("nan")])
def test_augmentation_out_of_range_is_refused(field, value):
    with pytest.raises(TrainingError, match=rf"{field.split('_')[0]}.*expected .*0.*got {value}"):
        Augmentation(**{field: value})


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param("epochs: 5", id="not JSON"),
        pytest.param("[1, 2]", id="a list"),
        pytest.param('{"epochs": 5}', id="no architecture"),
        pytest.param('{"arch": "micro", "epochs": 5, "momentum": 1}', id="unknown field"),
        pytest.param('{"arch": "micro", "epochs": "5"}', id="text for a number"),
        pytest.param('{"arch": "micro", "epochs": 5, "augmentation": 1}', id="augmentation"),
        pytest.param('{"arch": "micro", "epochs": 5, "augmentation": {"flip": true}}', id="flip"),
        pytest.param("\udcff", id="not text"),
    ],
)
def test_other_files_are_refused_as_configuration(content, tmp_path):
    path = tmp_path / "config.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(TrainingError) as caught:
        load_config(path)
    assert str(caught.value).startswith(
        f"cannot read the training configuration {path}: "
        "expected a config.json that edge-mnist train wrote, got "
    )


@pytest.mark.parametrize(
    ("fields", "got"),
    [
        ({"epochs": 5}, "no arch"),
        ({"arch": "micro", "epochs": 5, "momentum": 1, "dropout": 0}, "unknown dropout, momentum"),
        ({"arch": "micro", "epochs": 5, "augmentation": {"flip": True}}, "unknown flip"),
    ],
)
def test_fields_that_are_missing_or_unknown_are_named(fields, got, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(fields))
    with pytest.raises(TrainingError, match=f"got {got}$"):
        load_config(path)


@pytest.mark.parametrize("missing", [True, False], ids=["missing", "folder"])
def test_configuration_that_is_no_file_is_refused(missing, tmp_path):
    path = tmp_path / "nothing" if missing else tmp_path
    with pytest.raises(TrainingError, match="cannot read the training configuration") as caught:
        load_config(path)
    assert str(path) in str(caught.value)


def test_configuration_out_of_range_in_a_file_is_refused(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"arch": "micro", "epochs": 0}))
    with pytest.raises(TrainingError, match="epochs: expected at least 1, got 0"):
        load_config(path)


@pytest.mark.parametrize("field", ["epochs", "batch_size", "patience", "seed"])
def test_half_a_count_is_refused(field, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"arch": "micro", "epochs": 1, field: 2.5}))
    with pytest.raises(TrainingError, match=rf"{field.replace('_', '.')}.*expected .*got .*2\.5"):
        load_config(path)


def test_every_recipe_trains_an_architecture_that_exists():
    assert {config.arch for config in RECIPES.values()} == set(ARCHITECTURES)
    assert all(name == config.recipe for name, config in RECIPES.items())


@pytest.mark.parametrize(
    ("recipe", "fields"),
    [
        (
            "tutorial-4x4",
            {
                "arch": "tutorial-4x4",
                "epochs": 5,
                "batch_size": 32,
                "optimizer": "adam",
                "validation_split": 0.3,
                "augmentation": None,
            },
        ),
        (
            "tutorial-3x3",
            {"arch": "tutorial-3x3", "epochs": 5, "batch_size": 32, "optimizer": "adam"},
        ),
        ("classic-dropout", {"arch": "classic", "epochs": 15, "batch_size": 128}),
        ("classic-validation", {"arch": "classic", "epochs": 10, "validation_split": 0.2}),
        ("classic-augmented", {"arch": "classic-bn", "epochs": 15}),
    ],
)
def test_published_recipes_keep_the_published_settings(recipe, fields):
    config = find_recipe(recipe)
    assert {name: getattr(config, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("recipe", "stops_early", "varies_images"),
    [
        ("tutorial-4x4", True, False),
        ("tutorial-3x3", True, False),
        ("classic-dropout", False, False),
        ("classic-validation", False, False),
        ("classic-augmented", False, True),
        (DEFAULT_RECIPE, False, True),
    ],
)
def test_recipes_stop_early_and_vary_images_as_published(recipe, stops_early, varies_images):
    config = find_recipe(recipe)
    assert (config.patience is not None) == stops_early
    assert (config.augmentation is not None) == varies_images


def test_unknown_recipe_is_answered_with_the_known_ones():
    with pytest.raises(TrainingError) as caught:
        find_recipe("best")
    assert str(caught.value) == f"unknown recipe: expected {', '.join(RECIPES)}, got 'best'"
