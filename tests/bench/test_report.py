import json
from pathlib import Path

import jsonschema
import pytest

from edge_mnist.bench.report import from_json, to_json
from edge_mnist.errors import InvalidInputError

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "benchmark.schema.json").read_text(encoding="utf-8")
)


@pytest.fixture
def report(make_row, make_report):
    failed = make_row("large", error="it crashes", latency={}, warm_up={})
    return make_report(make_row(), make_row("small", ratio=2.0), failed, advice=["rest"])


def test_json_is_as_its_schema_says(report):
    jsonschema.validate(json.loads(to_json(report)), SCHEMA)


def test_schema_refuses_what_is_no_report(report):
    fields = json.loads(to_json(report))
    del fields["rows"][0]["latency"]["predict"]["p50_us"]
    with pytest.raises(jsonschema.ValidationError, match="p50_us"):
        jsonschema.validate(fields, SCHEMA)


def test_json_is_read_again_as_it_was(report):
    assert from_json(to_json(report)) == report


PREFIX = "cannot read the benchmark: expected what edge-mnist bench --json wrote, of schema 1, got "


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("no JSON", "Expecting value: line 1 column 1 (char 0)"),
        ("[" * 100_000, "it is nested too deeply"),
        ("\xff", "Expecting value: line 1 column 1 (char 0)"),
        ("[1]", "it is a list, not an object"),
        ("null", "it is null, not an object"),
        ("{}", "schema none"),
        ('{"schema": 99}', "schema 99"),
        ('{"schema": [1, "\\u001b[2J"]}', "schema [1, '\\x1b[2J']"),
        ('{"schema": 1}', "edge_mnist is missing"),
        ('{"schema": 1, "\\u001b[31mred": 1}', "there is no  [31mred"),
    ],
)
def test_what_is_no_report_is_refused(text, got):
    with pytest.raises(InvalidInputError) as told:
        from_json(text)
    assert str(told.value) == " ".join((PREFIX + got).split())


@pytest.mark.parametrize(
    ("path", "value", "got"),
    [
        (["rows", 0, "latency", "predict", "p50_us"], "20", "is text, not a number"),
        (["rows", 0, "latency", "predict", "p50_us"], True, "is true or false, not a number"),
        (["rows", 0, "latency", "predict", "p50_us"], 10**400, "is too large"),
        (["rows", 0, "latency", "predict", "runs"], 1.5, "is a number, not a whole number"),
        (["rows", 1, "ratios", "predict"], None, "is null, not an object"),
        (["rows", 1, "baseline"], ["micro"], "holds 1 values, not 2"),
        (["rows", 1, "baseline"], "micro", "is text, not a list"),
        (["rows", 0, "model"], 7, "is a whole number, not text"),
        (["rows", 0, "setting"], "auto", "is text, not an object"),
        (["machine", "cores"], "4", "is text, not a whole number"),
        (["machine", "cpu_features"], {}, "is an object, not a list"),
        (["models", 0, "anatomy", "operators", 0, "output_shape"], [1, "2"], "is text"),
        (["rows"], None, "is null, not a list"),
    ],
)
def test_wrong_types_are_named_with_their_place(report, path, value, got):
    fields = part = json.loads(to_json(report))
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    with pytest.raises(InvalidInputError) as told:
        from_json(json.dumps(fields))
    place = "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in path)[1:]
    assert str(told.value).startswith(f"{PREFIX}{place}")
    assert got in str(told.value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_what_is_no_finite_number_is_refused(report, number):
    text = to_json(report).replace('"p50_us": 20.0', f'"p50_us": {number}', 1)
    with pytest.raises(InvalidInputError, match=r"is no number|is too large"):
        from_json(text)


def test_protocol_out_of_range_is_refused(report):
    text = to_json(report).replace('"duration_s": 1.0', '"duration_s": -1.0')
    with pytest.raises(InvalidInputError, match=r"cannot read the benchmark: .* got duration"):
        from_json(text)
