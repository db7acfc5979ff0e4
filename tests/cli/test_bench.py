from edge_mnist.engines import ENGINE_MODULES, installed_engines
from edge_mnist.model_store import find_model

FIGURES = ("p50_us", "p90_us", "p99_us", "mean_us", "min_us")


def test_every_engine_is_measured_side_by_side(edge_mnist):
    results = edge_mnist("bench", "--runs", "20", "--json").json
    assert {r["engine"]: r["engine_version"] for r in results} == installed_engines()
    for result in results:
        assert result["size_bytes"] == find_model("micro").stat().st_size
        assert result["threads"] == 1
        assert result["cold_start_ms"] > 0
        assert result["resident_bytes"] > 1_000_000
        for stats in (result["inference"], result["preprocessing_and_inference"]):
            assert stats["runs"] == 20
            assert 0 < stats["min_us"] <= stats["p50_us"] <= stats["p90_us"] <= stats["p99_us"]


def test_table_is_for_people(engine, edge_mnist):
    path = find_model("micro")
    outcome = edge_mnist("bench", path, "--engine", engine, "--runs", "5", "--threads", "2")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0] == f"{path}: {path.stat().st_size:,} bytes"
    assert lines[1].endswith(", threads: 2, runs: 5")
    assert [line.split("  ")[0] for line in lines[4:6]] == [engine] * 2
    assert lines[-1].startswith(f"{engine} {installed_engines()[engine]}: cold start ")
    assert outcome.err == ""


def test_unknown_engine_is_answered_with_all_choices(edge_mnist):
    told = edge_mnist("bench", "--engine", "cpu").error
    assert told.startswith("unknown engine: expected ")
    assert told.endswith(", got 'cpu'")
    choices = told.removeprefix("unknown engine: expected ").removesuffix(", got 'cpu'")
    assert set(choices.split(", ")) == {"auto", "all", *ENGINE_MODULES}


def test_engine_that_is_not_installed_is_answered_with_the_remedy(edge_mnist_process):
    outcome = edge_mnist_process("bench", "--engine", "ai-edge-litert", without=["ai_edge_litert"])
    assert outcome.error.startswith("ai-edge-litert is not installed: got ")
    assert "; pip install ai-edge-litert" in outcome.error


def test_auto_measures_one_engine(edge_mnist):
    (result,) = edge_mnist("bench", "--engine", "auto", "--runs", "5", "--json").json
    assert result["engine"] in installed_engines()
