import json

from edge_mnist.model_store import find_model, models_dir


def test_shipped_models_are_listed_for_people(edge_mnist):
    outcome = edge_mnist("models")
    header, *rows = outcome.out.splitlines()
    assert outcome.code == 0
    assert header.split()[:2] == ["name", "bytes"]
    assert len(rows) == len(list(models_dir().glob("*.tflite")))
    (default,) = (row for row in rows if "(default)" in row)
    path = find_model()
    assert default.startswith(path.stem)
    assert f"{path.stat().st_size:,}" in default
    assert default.endswith(str(path))


def test_json_is_the_cards(edge_mnist):
    cards = edge_mnist("models", "--json").json
    for card in cards:
        assert card == json.loads((models_dir() / f"{card['name']}.json").read_text())
    assert [card["size_bytes"] for card in cards] == sorted(card["size_bytes"] for card in cards)
