import csv
import dataclasses
import io

from edge_mnist.bench.advice import advise
from edge_mnist.bench.tables import describe, list_tables, to_csv
from edge_mnist.latency import LatencyStats


def test_rows_are_told_with_their_ratio(make_row, make_report):
    report = make_report(make_row(), make_row("small", p50_us=50.0, ratio=2.5))
    latency, start = list_tables(report)
    assert "against micro in tflite-runtime" in latency.title
    first, second = (dict(zip(latency.header, row, strict=True)) for row in latency.rows)
    assert (first["model"], first["p50"], first["ratio"]) == ("micro", "20.0", "1")
    assert (second["model"], second["p50"], second["ratio"]) == (
        "small",
        "50.0",
        "2.50 (2.45 to 2.55)",
    )
    assert dict(zip(start.header, start.rows[0], strict=True))["peak, MiB"] == "44.0"


def test_what_failed_is_told_with_the_reason(make_row, make_report):
    failed = make_row("small", error="it crashes", latency={}, warm_up={})
    *_, table = list_tables(make_report(make_row(), failed))
    assert (table.title, table.rows) == (
        "not measured",
        [["small", "tflite-runtime", "it crashes"]],
    )


def test_operators_are_told_on_demand_and_called_what_they_are(make_row, make_report):
    report = make_report(make_row())
    assert not any("share of multiply-adds" in table.title for table in list_tables(report))
    *_, table = list_tables(report, per_op=True)
    assert "share of multiply-adds (not of time" in table.title
    assert table.rows == [["1", "CONV_2D", "1x12x12x8", "208", "28,800", "100.0 %"]]


def test_board_that_stands_for_its_processor_is_told_once(make_row, make_report):
    report = make_report(make_row())
    board = dataclasses.replace(report.machine, device="Raspberry Pi 4", cpu="Raspberry Pi 4")
    told = "\n".join(describe(dataclasses.replace(report, machine=board)))
    assert told.count("Raspberry Pi 4") == 1


def test_description_tells_machine_protocol_and_inputs(make_row, make_report):
    told = "\n".join(describe(make_report(make_row())))
    for part in ("15,408 bytes", "int8", "Test CPU, 4 cores", "load 0.10", "governor performance"):
        assert part in told
    for part in ("1 s and 50 runs", "20 turns", "drawn digits", "steps by 40 ns", "adds 60 ns"):
        assert part in told


def test_clock_that_tells_no_time_is_told(make_row, make_report):
    none = LatencyStats(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 6)
    latency = dict.fromkeys(("predict", *(f"batch {n}" for n in (1, 8, 32, 128, 256))), none)
    report = make_report(make_row(latency=latency), make_row("small", latency=latency))
    (throughput,) = (table for table in list_tables(report) if table.title.startswith("images"))
    assert throughput.rows[0][2:] == ["not told"] * 5
    assert advise(report) == []


def test_csv_has_a_line_a_measure_and_a_failure(make_row, make_report):
    failed = make_row("small", error='not, "so"', latency={}, warm_up={})
    report = make_report(make_row(), make_row("large", ratio=2.0), failed)
    lines = list(csv.DictReader(io.StringIO(to_csv(report))))
    assert [line["model"] for line in lines] == ["micro", "large", "small"]
    assert (lines[0]["p50_us"], lines[0]["ratio"], lines[0]["error"]) == ("20.0", "", "")
    assert (lines[1]["measure"], float(lines[1]["ratio"])) == ("predict", 2.0)
    assert (lines[2]["p50_us"], lines[2]["error"]) == ("", 'not, "so"')
