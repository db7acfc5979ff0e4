import dataclasses

import numpy as np
import pytest

from edge_mnist.layer_noise import (
    MAX_DB,
    Layer,
    LayerNoise,
    advise,
    measure_noise,
    signal_to_noise_db,
)


def layer(values, quantized, code_range=(0.0, 1.0), number=1, weights=None, quantized_weights=None):
    weights = np.ones(4, np.float32) if weights is None else weights
    return Layer(
        number,
        "conv_2d_1",
        np.asarray(values, np.float32),
        np.asarray(quantized, np.float32),
        code_range,
        weights,
        weights if quantized_weights is None else quantized_weights,
    )


def noise(number, added, used_codes=1.0):
    return LayerNoise(number, "conv_2d_1", [1], 30.0, added, 40.0, used_codes)


def test_ratio_in_decibels():
    signal = np.array([3.0, 4.0], np.float32)  # power 25
    assert signal_to_noise_db(signal, signal + np.array([0.5, 0], np.float32)) == pytest.approx(20)
    assert signal_to_noise_db(signal, signal) == MAX_DB
    assert signal_to_noise_db(np.zeros(2, np.float32), signal) == -MAX_DB


def test_rounding_to_codes_gives_the_noise_that_theory_says():
    # A uniform signal rounded to steps of q has noise of q**2 / 12: 6.02 dB a bit.
    values = np.random.default_rng(0).uniform(-1, 1, 100_000).astype(np.float32)
    step = 2 / 256
    found = signal_to_noise_db(values, np.rint(values / step) * step)
    assert found == pytest.approx(6.02 * 8, abs=0.1)


def test_each_layer_adds_to_the_noise_of_the_one_before():
    exact = np.linspace(0, 1, 50).reshape(5, 10)
    first = layer(exact, exact + 0.01)
    second = layer(exact, exact + 0.1, number=2)
    before, after = measure_noise([first, second])
    power = 99 / (6 * 49)  # the mean of (k/n)**2 for k from 0 to n is (2n + 1) / 6n
    assert before.added == pytest.approx(0.01**2 / power, rel=1e-3)
    assert after.added == pytest.approx((0.1**2 - 0.01**2) / power, rel=1e-3)
    assert (after.shape, after.number) == ([10], 2)


def test_codes_that_are_never_given_out_are_told():
    (found,) = measure_noise([layer([[0.0, 0.5]], [[0.0, 0.5]], code_range=(-0.5, 1.5))])
    assert found.used_codes == pytest.approx(0.25)


def test_factor_common_to_all_weights_is_no_noise():
    weights = np.array([1.0, -2.0, 3.0], np.float32)
    (found,) = measure_noise(
        [layer([[1.0]], [[1.0]], weights=weights, quantized_weights=weights / 255)]
    )
    assert found.weights_sqnr_db > 100


def test_advice_names_the_layer_that_loses_most():
    noises = [noise(1, 0.01), noise(2, 0.005), noise(3, 0.02), noise(4, -0.03)]
    assert advise(noises).startswith("layer 3 (conv_2d_1) costs most, 2 % of noise: train it")
    assert advise(noises[:2]).startswith("layer 1 (conv_2d_1) costs most, 1 % of noise: train it")
    assert "more channels" in advise(noises, "qat")
    wasteful = [dataclasses.replace(one, used_codes=0.4) for one in noises]
    assert "40 % of its codes only" in advise(wasteful, "qat")
