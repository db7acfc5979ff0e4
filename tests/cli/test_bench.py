import csv
import functools
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from edge_mnist import Classifier
from edge_mnist.bench.inputs import find_images
from edge_mnist.bench.protocol import Protocol
from edge_mnist.bench.report import to_json
from edge_mnist.bench.request import BenchRequest
from edge_mnist.bench.run import run_bench
from edge_mnist.engines import ENGINE_MODULES, EngineSetting, installed_engines, resolve_engine
from edge_mnist.machine import read_cpu_model
from edge_mnist.model_card import hash_bytes
from edge_mnist.model_store import find_model, shipped_models
from edge_mnist.tuned_settings import TunedSetting, save_tuned

QUICK = ("--duration", "0.02")
# Enough for every figure; what the command itself takes is in the tests with a process of its own.
FEW = {"min_runs": 6, "rounds": 6, "max_warmup_s": 0.1, "cold_starts": 1}
SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "benchmark.schema.json").read_text(encoding="utf-8")
)


@pytest.fixture(autouse=True)
def few_runs(monkeypatch):
    monkeypatch.setattr("edge_mnist.bench.protocol.Protocol", functools.partial(Protocol, **FEW))


@pytest.fixture(scope="module")
def measured():
    """The JSON of two models in one engine with its delegate."""
    request = BenchRequest(
        ("pico", "nano"), ("auto",), delegates=(True,), protocol=Protocol(0.02, **FEW)
    )
    return to_json(run_bench(request, *find_images(), lambda line: None))


@pytest.fixture
def bench(edge_mnist):
    """Return a function that measures in one engine with its delegate, quickly."""

    def run(*arguments):
        return edge_mnist("bench", *arguments, "--engine", "auto", "--delegate", "on", *QUICK)

    return run


def test_every_engine_is_measured_side_by_side(edge_mnist):
    outcome = edge_mnist("bench", *QUICK, "--json")
    assert outcome.code == 0
    jsonschema.validate(outcome.json, SCHEMA)
    settings = [row["setting"] for row in outcome.json["rows"]]
    assert [(one["engine"], one["delegate"]) for one in settings] == [
        (engine, delegate) for engine in installed_engines() for delegate in (True, False)
    ]
    (model,) = outcome.json["models"]
    assert model["sha256"] == hash_bytes(find_model("micro").read_bytes())


def test_table_is_for_people(bench):
    engine = resolve_engine()
    outcome = bench("pico", "--threads", "1,2", "--per-op")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0].startswith(f"pico: {find_model('pico').stat().st_size:,} bytes, int8, ")
    assert any(line.startswith(f"pico   {engine}, 2 threads") for line in lines)
    for title in ("latency of one image", "images a second", "start and memory", "pico: share of"):
        assert any(line.startswith(title) for line in lines)
    assert f"warming up pico in {engine}" in outcome.err


def test_all_measures_each_shipped_model(bench):
    outcome = bench("--all", "--csv")
    lines = list(csv.DictReader(io.StringIO(outcome.out)))
    assert list(dict.fromkeys(line["model"] for line in lines)) == [
        model.name for model in shipped_models()
    ]
    assert all(float(line["p50_us"]) > 0 for line in lines)


def test_out_keeps_the_result_in_every_form(bench):
    outcome = bench("pico", "nano", "--markdown", "--out", "kept")
    assert sorted(path.name for path in Path("kept").iterdir()) == [
        "bench.csv",
        "bench.json",
        "bench.md",
    ]
    assert Path("kept/bench.md").read_text() == outcome.out
    assert "| model | runner |" in outcome.out
    jsonschema.validate(json.loads(Path("kept/bench.json").read_text()), SCHEMA)


def test_what_cannot_be_measured_is_told_and_the_rest_is_measured(bench):
    outcome = bench("giant", "pico", "--json")
    assert outcome.code == 1
    errors = {row["model"]: row["error"] for row in outcome.json["rows"]}
    assert errors["pico"] is None
    assert "cannot find the model" in errors["giant"]


def test_check_passes_on_its_own_result_and_fails_on_a_better_one(bench, measured):
    reference = Path("reference.json")
    reference.write_text(measured)
    again = bench("pico", "nano", "--check", reference, "--tolerance", "1")
    assert again.code == 0, again.err
    assert f"nothing is slower than in {reference}" in again.err
    fields = json.loads(reference.read_text())
    for ratio in fields["rows"][1]["ratios"].values():
        ratio["ratio"] /= 10
    reference.write_text(json.dumps(fields))
    worse = bench("pico", "nano", "--check", reference, "--tolerance", "1")
    assert worse.code == 1
    assert "slower: nano in " in worse.err


def test_tune_says_what_it_chose_and_keeps_it(edge_mnist, monkeypatch, tuned_file):
    monkeypatch.setattr("edge_mnist.bench.tuning.usual_threads", lambda: (1,))
    monkeypatch.setattr("edge_mnist.bench.tuning.BATCH_SIZES", (32,))
    outcome = edge_mnist("bench", "pico", "--tune", *QUICK)
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1].startswith("chosen: ")
    kept = edge_mnist("bench", "pico", "--tune", *QUICK, "--json").json[0]
    assert set(kept["tuned"]) == set(TunedSetting.__dataclass_fields__)
    assert kept["path"] == str(tuned_file)
    assert tuned_file.is_file()
    for part in ("settings", "batches"):
        jsonschema.validate(kept[part], SCHEMA)


@pytest.mark.usefixtures("tuned_file")
def test_tuning_several_models_keeps_the_result_of_each(edge_mnist, monkeypatch):
    monkeypatch.setattr("edge_mnist.bench.tuning.usual_threads", lambda: (1,))
    monkeypatch.setattr("edge_mnist.bench.tuning.BATCH_SIZES", (32,))
    outcome = edge_mnist("bench", "pico", "nano", "--tune", *QUICK, "--out", "kept", "--json")
    assert len(outcome.json) == 2
    for model in ("pico", "nano"):
        result = json.loads(Path("kept", model, "bench.json").read_text())
        assert {row["model"] for row in result["rows"]} == {model}


@pytest.mark.usefixtures("tuned_file")
def test_models_of_one_name_keep_their_results_apart(edge_mnist, monkeypatch):
    monkeypatch.setattr("edge_mnist.bench.tuning.usual_threads", lambda: (1,))
    monkeypatch.setattr("edge_mnist.bench.tuning.BATCH_SIZES", (32,))
    copy = Path("mine/pico.tflite")
    copy.parent.mkdir()
    copy.write_bytes(find_model("nano").read_bytes())
    edge_mnist("bench", "pico", copy, "--tune", *QUICK, "--out", "kept")
    kept = [json.loads(Path("kept", name, "bench.json").read_text()) for name in ("pico", "pico-2")]
    assert [result["models"][0]["name"] for result in kept] == ["pico", str(copy)]


def test_tune_tells_what_sways_the_figures(edge_mnist, monkeypatch, tuned_file):
    monkeypatch.setattr("edge_mnist.bench.tuning.usual_threads", lambda: (1,))
    monkeypatch.setattr("edge_mnist.bench.tuning.BATCH_SIZES", (32,))
    monkeypatch.setattr("os.getloadavg", lambda: (99.0, 0.0, 0.0))
    *_, advice, choice = edge_mnist("bench", "pico", "--tune", *QUICK).out.split("\n\n")
    assert "the machine was busy before the start (load 99.0)" in advice
    assert choice.startswith("chosen: ")
    assert str(tuned_file) in choice


def test_tuning_a_model_that_is_not_there_is_told_before_the_others_are_measured(edge_mnist):
    outcome = edge_mnist("bench", "pico", "giant", "--tune", *QUICK)
    assert outcome.error.startswith("cannot find the model")
    assert outcome.err.count("\n") == 1


@pytest.fixture
def tuned(tuned_file):
    """Two models, tuned to run without the delegate."""
    for model in ("pico", "nano"):
        save_tuned(
            TunedSetting(
                EngineSetting(resolve_engine(), delegate=False),
                batch_size=8,
                model_sha256=hash_bytes(find_model(model).read_bytes()),
                engine_version=installed_engines()[resolve_engine()],
                cpu=read_cpu_model(),
                tuned_on="2026-01-01",
                p50_us=1.0,
                default_p50_us=2.0,
            )
        )
    assert not Classifier.load("pico").setting.delegate


@pytest.mark.usefixtures("tuned")
def test_forget_leads_back_to_the_default(edge_mnist):
    outcome = edge_mnist("bench", "--forget", "pico", "small")
    assert (outcome.code, outcome.out) == (
        0,
        "pico: forgotten what was tuned\nsmall: nothing was tuned\n",
    )
    assert Classifier.load("pico").setting.delegate
    assert not Classifier.load("nano").setting.delegate


@pytest.mark.usefixtures("tuned")
def test_forget_without_models_forgets_all(edge_mnist):
    assert edge_mnist("bench", "--forget", "--json").json == {"all models": 2}
    assert Classifier.load("nano").setting.delegate
    assert edge_mnist("bench", "--forget").out == "all models: nothing was tuned\n"


def test_odd_names_leave_tables_and_lines_whole(edge_mnist):
    name = '-a|b,"c"\x1b[31m\ndé日.tflite'
    Path(name).write_bytes(find_model("pico").read_bytes())
    options = ("--engine", "auto", "--delegate", "on", *QUICK, "--out", "kept")
    outcome = edge_mnist("bench", *options, "--", name)
    assert outcome.code == 0, outcome.err
    told = outcome.out + outcome.err
    assert "\x1b" not in told + Path("kept/bench.csv").read_text()
    lines = list(csv.DictReader(io.StringIO(Path("kept/bench.csv").read_text())))
    assert {line["model"] for line in lines} == {'-a|b,"c" [31m dé日.tflite'}
    rows = [row for row in Path("kept/bench.md").read_text().splitlines() if row.startswith("| -a")]
    assert rows
    assert all(row.startswith(r'| -a\|b,"c" [31m dé日.tflite | ') for row in rows)
    assert json.loads(Path("kept/bench.json").read_text())["models"][0]["name"] == name


def test_what_is_in_the_way_of_the_results_is_told_before_measuring(edge_mnist):
    Path("notes").write_text("")
    outcome = edge_mnist("bench", "--out", "notes")
    assert outcome.error == "--out: expected a folder, or a name that is free, got the file notes"
    assert outcome.err.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals to send")
def test_sigterm_leaves_no_process_and_no_folder(tmp_path):
    program = "from edge_mnist.cli.app import main; main()"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", program, "bench", "pico", "--duration", "30"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    for line in process.stderr:
        if line.startswith("warming up"):
            break
    assert list(temporary.iterdir())
    process.terminate()
    assert process.communicate(timeout=30)[0] == ""
    assert process.returncode == 128 + signal.SIGTERM
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--engine", "cpu"], "unknown engine: expected all, auto, "),
        (["--threads", "two"], "--threads: expected whole numbers, as 1,2,4, got 'two'"),
        (["--threads", "0"], "threads: expected at least 1, got 0"),
        (["--delegate", "maybe"], "--delegate: expected on, off, both, got 'maybe'"),
        (["--duration", "0"], "duration: expected 0.02 to 600 s, got 0"),
        (["pico", "--all"], "--all: expected no models beside it, got pico"),
        (["--json", "--csv"], "the format: expected one of --json, --csv, --markdown, got "),
        (["--tune", "--compare"], "--tune: expected no --compare beside it"),
        (["--tune", "--threads", "2"], "--tune: expected no --threads beside it"),
        (["--tune", "--engine", "auto"], "--tune: expected no --engine beside it"),
        (["--host", "pi", "--compare"], "--host: expected no --compare beside it"),
        (["--forget", "--tune"], "--forget: expected no --tune beside it"),
        (["--forget", "pico", "--all"], "--all: expected no models beside it, got pico"),
        (["--forget", "giant"], "cannot find the model: expected a file, or one of: "),
        (["--check", "none.json"], "cannot use none.json: got No such file or directory"),
    ],
)
def test_wrong_options_are_answered_before_anything_is_measured(arguments, message, edge_mnist):
    outcome = edge_mnist("bench", *arguments)
    assert outcome.error.startswith(message)
    assert outcome.err.count("\n") == 1


def test_check_against_something_else_is_refused(edge_mnist, tmp_path):
    (tmp_path / "notes.json").write_text("{}")
    outcome = edge_mnist("bench", "--check", tmp_path / "notes.json")
    assert outcome.error.startswith("cannot read the benchmark: expected what edge-mnist bench")


def test_what_nothing_can_be_held_against_is_refused_before_measuring(bench, measured):
    reference = Path("reference.json")
    reference.write_text(measured)
    wrong = bench("pico", "nano", "--check", reference, "--tolerance", "-1")
    assert (wrong.out, wrong.error) == ("", "tolerance: expected 0 or more, got -1")
    fields = json.loads(measured)
    reference.write_text(json.dumps({**fields, "rows": fields["rows"][:1]}))
    alone = bench("pico", "--check", reference)
    assert alone.out == ""
    assert alone.error.startswith("the reference has no ratios")


def test_progress_is_told_while_it_measures(edge_mnist_process):
    outcome = edge_mnist_process("bench", "pico", "--engine", "auto", "--delegate", "on", *QUICK)
    assert outcome.code == 0
    told = outcome.err.splitlines()
    assert told[0].startswith("starting pico in ")
    assert "round 1 of 20" in told


def test_engine_that_is_not_installed_is_answered_with_the_remedy(edge_mnist_process):
    outcome = edge_mnist_process(
        "bench", "--engine", "ai-edge-litert", *QUICK, "--json", without=["ai_edge_litert"]
    )
    assert outcome.code == 1
    for row in outcome.json["rows"]:
        assert row["error"].startswith("ai-edge-litert is not installed: got ")
        assert "; pip install ai-edge-litert" in row["error"]


def test_auto_measures_one_engine(edge_mnist):
    result = edge_mnist("bench", "--engine", "auto", *QUICK, "--json").json
    assert {row["setting"]["engine"] for row in result["rows"]} <= set(ENGINE_MODULES)
    assert len({row["setting"]["engine"] for row in result["rows"]}) == 1


def test_interrupted_measurement_prints_no_figures(edge_mnist, monkeypatch):
    def interrupt(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("edge_mnist.bench.contest.Worker.ask", interrupt)
    outcome = edge_mnist("bench", "pico", *QUICK)
    assert (outcome.code, outcome.out) == (130, "")
    assert outcome.err.splitlines()[-1].startswith("interrupted; nothing is told")
