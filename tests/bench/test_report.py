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


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("no JSON", "JSONDecodeError"),
        ("[1]", "TypeError"),
        ("{}", "KeyError: 'schema'"),
        ('{"schema": 99}', "ValueError: schema 99"),
        ('{"schema": 1, "machine": {}}', "TypeError"),
    ],
)
def test_what_is_no_report_is_refused(text, got):
    with pytest.raises(InvalidInputError) as told:
        from_json(text)
    assert "cannot read the benchmark: expected what edge-mnist bench --json wrote" in str(
        told.value
    )
    assert got in str(told.value)
