import dataclasses
import hashlib
import json

import pytest

from edge_mnist.errors import ModelError
from edge_mnist.model_card import hash_bytes, load_card, render_markdown, save_card
from edge_mnist.model_store import find_model, models_dir, shipped_models

CARD = load_card(find_model())


def test_card_comes_back_as_it_was_saved(tmp_path):
    card = dataclasses.replace(CARD, name="mine", temperature=1.25, training={"arch": "tiny"})
    save_card(card, tmp_path / "mine.tflite")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.json", "mine.md"]
    assert load_card(tmp_path / "mine.tflite") == card
    assert (tmp_path / "mine.md").read_text(encoding="utf-8") == render_markdown(card)


def test_model_without_a_card_has_none(tmp_path):
    assert load_card(tmp_path / "mine.tflite") is None


def test_hash_is_sha256():
    assert hash_bytes(b"abc") == hashlib.sha256(b"abc").hexdigest()


@pytest.mark.parametrize("model", shipped_models(), ids=lambda model: model.name)
def test_shipped_page_is_its_cards(model):
    assert model.path.with_suffix(".md").read_text(encoding="utf-8") == render_markdown(model.card)


@pytest.mark.parametrize(
    "line",
    [
        "# mine",
        "| parameters | 12,345 |",
        "| multiply-adds | 6,789,000 |",
        "| size | 23,456 bytes |",
        "| numbers | int8 (method: ptq) |",
        "| output | ten logits; softmax(logits / temperature) gives the probabilities "
        "(temperature 1.25) |",
        "| operators | CONV_2D, SOFTMAX |",
        f"| trained on | mnist (SHA-256 {'ab' * 8}…) |",
        f"| SHA-256 | `{'cd' * 32}` |",
        "| int8 test | 98.77 % | 98.12 to 99.00 % | 10,000 | how it was done |",
        "| tflite-runtime | 2.14.0 | 99.99 % |",
        '    "seed": 17',
        "Made with numpy 1.2.3, tensorflow 4.5.6.",
    ],
)
def test_page_carries_the_figures(line):
    accuracy = dataclasses.replace(
        CARD.accuracy["int8 test"],
        accuracy=0.98765,
        low=0.9812,
        high=0.99,
        images=10_000,
        protocol="how it was done",
    )
    card = dataclasses.replace(
        CARD,
        name="mine",
        parameters=12_345,
        multiply_adds=6_789_000,
        size_bytes=23_456,
        quantization={"method": "ptq"},
        output_kind="logits",
        temperature=1.25,
        operators=["CONV_2D", "SOFTMAX"],
        data={"name": "mnist", "sha256": "ab" * 32},
        sha256="cd" * 32,
        accuracy={"int8 test": accuracy},
        engines={"tflite-runtime": "2.14.0"},
        agreement={"tflite-runtime": "99.99 %"},
        training={"seed": 17},
        versions={"numpy": "1.2.3", "tensorflow": "4.5.6"},
    )
    assert line in render_markdown(card).splitlines()


def without(name):
    fields = dataclasses.asdict(CARD)
    del fields[name]
    return json.dumps(fields)


def having(**changed):
    return json.dumps({**dataclasses.asdict(CARD), **changed})


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("", "JSONDecodeError: "),
        ("{", "JSONDecodeError: "),
        ("[]", "TypeError: "),
        ("{}", "KeyError: 'accuracy'"),
        (b"\xff\xfe", "UnicodeDecodeError: "),
        (without("sha256"), "TypeError: "),
        (having(sha256=None), ""),
        (having(surprise=1), "TypeError: "),
        (having(accuracy=None), "AttributeError: "),
        (having(accuracy={"int8 test": {}}), "TypeError: "),
        (having(temperature="warm"), "TypeError: "),
        (having(temperature=0), "temperature 0 and output_kind 'logits'"),
        (having(temperature=-1), "temperature -1 and output_kind 'logits'"),
        (having(temperature=float("nan")), "temperature nan and output_kind 'logits'"),
        (having(temperature=float("inf")), "temperature inf and output_kind 'logits'"),
        (
            having(rejection_threshold=1.5),
            f"temperature {CARD.temperature} and output_kind 'logits' and sha256 {CARD.sha256!r} "
            "and rejection_threshold 1.5",
        ),
        (having(rejection_threshold="high"), "TypeError: "),
        (having(output_kind="scores"), f"temperature {CARD.temperature} and output_kind 'scores'"),
    ],
    ids=[
        *("empty", "cut off", "a list", "no fields", "binary", "no hash", "null hash"),
        *("more", "accuracy null", "accuracy empty", "warm", "0", "-1", "nan", "inf"),
        *("threshold", "high", "scores"),
    ],
)
def test_unreadable_card_is_named(tmp_path, text, got):
    path = tmp_path / "mine.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ModelError) as error:
        load_card(tmp_path / "mine.tflite")
    message = str(error.value)
    assert message.startswith(
        f"cannot read the model card {path}: expected a card that edge-mnist quantize wrote, "
        f"got {got}"
    )
    assert message.endswith(
        "; export the model again, or delete the card to run the model without it"
    )


def test_card_of_another_kind_of_model_is_no_card_of_a_digit_model():
    with pytest.raises(ModelError) as error:
        load_card(models_dir() / "vision" / "pairs.tflite")
    message = str(error.value)
    assert "expected one that reads one digit, got two digits that touch" in message
    assert message.endswith("; edge-mnist models lists what ships")
