import dataclasses

from edge_mnist.bench.advice import advise
from edge_mnist.bench.protocol import WarmUp


def test_nothing_to_say(make_row, make_report):
    report = make_report(make_row(), make_row(engine="ai-edge-litert", p50_us=21, ratio=1.05))
    assert advise(report) == []


def test_int8_slower_than_float32_is_said_in_words(make_row, make_report, make_model):
    models = [make_model("mine-int8"), make_model("mine-float", "float32")]
    rows = [make_row("mine-int8", p50_us=40.0), make_row("mine-float", p50_us=10.0, ratio=0.25)]
    (advice,) = advise(make_report(*rows, models=models))
    assert advice.startswith("int8 is 4.0 times slower than float32 in tflite-runtime")
    assert "mine-int8: 40.0 µs, mine-float: 10.0 µs" in advice
    assert "--tune" in advice


def test_formats_of_different_networks_are_not_compared(make_row, make_report, make_model):
    models = [make_model("one"), make_model("two", "float32", width=16)]
    rows = [make_row("one", p50_us=40.0), make_row("two", p50_us=10.0, ratio=0.25)]
    assert advise(make_report(*rows, models=models)) == []


def test_formats_are_compared_within_one_engine_only(make_row, make_report, make_model):
    models = [make_model("mine-int8"), make_model("mine-float", "float32")]
    float_row = make_row("mine-float", engine="ai-edge-litert", p50_us=10.0, ratio=0.25)
    assert advise(make_report(make_row("mine-int8", p50_us=40.0), float_row, models=models)) == []


def test_quicker_engine_is_named(make_row, make_report):
    report = make_report(make_row(), make_row(engine="ai-edge-litert", p50_us=8, ratio=0.4))
    (advice,) = advise(report)
    assert advice.startswith("micro is 2.5 times quicker in ai-edge-litert than in tflite-runtime")
    assert "edge-mnist bench micro --tune there makes that the default" in advice


def test_rows_without_figures_are_passed_over(make_row, make_report):
    failed = make_row(engine="ai-edge-litert", error="not installed", latency={}, warm_up={})
    assert advise(make_report(make_row(), failed)) == []


def test_what_sways_the_figures_is_said(make_row, make_report):
    shaky = make_row(warm_up={"predict": WarmUp(100, 3.0, False)})
    calm = make_report(shaky)
    busy = dataclasses.replace(calm.before, load_average=3.0, governor="powersave")
    hot = dataclasses.replace(calm.after, throttling=["throttled"])
    told = "\n".join(advise(dataclasses.replace(calm, before=busy, after=hot)))
    assert "durations kept changing" in told
    assert "micro in tflite-runtime" in told
    assert "load 3.0" in told
    assert "governor is powersave" in told
    assert "tells of throttled" in told
