"""The models that ship are what their recipes make, and keep to their sizes."""

import dataclasses

import pytest

from edge_mnist.model_store import shipped_models
from edge_mnist.training.config import load_config
from edge_mnist.training.recipes import find_recipe

MAX_BYTES = {"pico": 4096, "nano": 8192, "micro": 16_384, "small": 65_536, "large": 1_000_000}

per_model = pytest.mark.parametrize("model", shipped_models(), ids=lambda model: model.name)


def test_the_family_is_complete():
    assert [model.name for model in shipped_models()] == list(MAX_BYTES)


@per_model
def test_file_keeps_to_its_size(model):
    assert model.path.stat().st_size <= MAX_BYTES[model.name]


@per_model
def test_configuration_beside_the_model_is_its_recipe(model):
    config = load_config(model.path.with_suffix(".train.json"))
    settings = dataclasses.asdict(config)
    assert settings | model.card.training == settings  # a card may be older than a setting
    assert dataclasses.replace(config, seed=0) == find_recipe(model.name)


@per_model
def test_int8_reads_what_float_reads(model):
    assert set(model.card.agreement) == {"tflite-runtime", "ai-edge-litert"}
    for share in model.card.agreement.values():
        assert float(share.removesuffix(" %")) >= 99.8


@per_model
def test_model_can_reject(model):
    assert 0 < model.card.rejection_threshold < 1
