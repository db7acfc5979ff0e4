import dataclasses

import pytest

from edge_mnist import Classifier
from edge_mnist.bench.inputs import find_images
from edge_mnist.bench.protocol import Protocol
from edge_mnist.bench.tuning import choose, tune
from edge_mnist.engines import installed_engines
from edge_mnist.errors import ModelError
from edge_mnist.latency import Ratio


def test_quickest_is_chosen(make_row):
    rows = [make_row(), make_row("b", ratio=0.5), make_row("c", ratio=0.4)]
    assert choose(rows, "predict") is rows[2]


def test_what_may_be_noise_is_not_chosen(make_row):
    unsure = make_row("b", ratio=0.9)
    unsure = dataclasses.replace(unsure, ratios={"predict": Ratio(0.9, 0.7, 1.01)})
    rows = [make_row(), unsure]
    assert choose(rows, "predict") is rows[0]


def test_what_two_processes_of_the_same_differ_by_is_not_chosen(make_row):
    quicker = make_row("b", ratio=0.98)
    quicker = dataclasses.replace(quicker, ratios={"predict": Ratio(0.98, 0.979, 0.981)})
    rows = [make_row(), quicker]
    assert choose(rows, "predict") is rows[0]


def test_steadier_of_two_is_chosen(make_row):
    shaky, steady = make_row("b", ratio=0.4), make_row("c", ratio=0.42)
    shaky = dataclasses.replace(shaky, ratios={"predict": Ratio(0.4, 0.3, 0.6)})
    rows = [make_row(), shaky, steady]
    assert choose(rows, "predict") is steady


def test_of_those_alike_the_first_is_chosen(make_row):
    rows = [make_row(), make_row("one thread", ratio=0.5), make_row("two threads", ratio=0.49)]
    assert choose(rows, "predict") is rows[1]


def test_what_reads_other_digits_is_not_chosen(make_row):
    rows = [make_row(), make_row("b", ratio=0.2, agreement=0.99), make_row("c", ratio=0.8)]
    assert choose(rows, "predict") is rows[2]


def test_what_failed_is_not_chosen(make_row):
    rows = [make_row(), make_row("b", error="no")]
    assert choose(rows, "predict") is rows[0]


def test_default_that_fails_is_told(make_row):
    with pytest.raises(ModelError, match="cannot be run in tflite-runtime: got no"):
        choose([make_row(error="no"), make_row("b", ratio=0.5)], "predict")


def test_what_is_found_is_used_from_then_on(monkeypatch, tuned_file):
    monkeypatch.setattr("edge_mnist.bench.tuning.usual_threads", lambda: (1,))
    quick = Protocol(duration_s=0.05, warmup_window_s=0.005, max_warmup_s=0.2, cold_starts=1)
    images, inputs = find_images()
    tuning = tune("pico", images, inputs, lambda line: None, quick)
    rows = tuning.settings.rows
    # Every engine with and without its delegate, what is used untuned first.
    assert len(rows) == 2 * len(installed_engines())
    assert rows[0].setting == Classifier.load("nano").setting
    assert tuning.tuned.setting in [row.setting for row in rows]
    assert Classifier.load("pico").setting == tuning.tuned.setting
    assert tuning.path == tuned_file


@pytest.mark.parametrize(("second_ratio", "is_chosen"), [(0.5, True), (1.0, False)])
@pytest.mark.usefixtures("tuned_file")
def test_what_wins_once_has_to_win_again(
    monkeypatch, make_row, make_report, second_ratio, is_chosen
):
    ratios = iter([0.5, second_ratio, 1.0])

    def hold(protocol, models, contestants, inputs, say):
        ratio = next(ratios)
        rows = []
        for number, contestant in enumerate(contestants):
            (measure,) = contestant.measures
            row = make_row(contestant.model)
            figures = {measure: row.latency["predict"]}
            compared = {measure: Ratio(ratio, ratio, ratio)} if number else {}
            row = dataclasses.replace(row, setting=contestant.setting, runner=contestant.runner)
            rows.append(dataclasses.replace(row, latency=figures, ratios=compared))
        return make_report(*rows)

    monkeypatch.setattr("edge_mnist.bench.tuning.hold_contest", hold)
    images, inputs = find_images()
    tuning = tune("pico", images, inputs, lambda line: None, Protocol())
    first, second, *_ = tuning.settings.rows
    assert tuning.tuned.setting == (second if is_chosen else first).setting


def test_model_that_is_not_there_is_told(monkeypatch):
    images, inputs = find_images()
    with pytest.raises(ModelError, match="cannot find the model"):
        tune("giant", images, inputs, lambda line: None, Protocol())
