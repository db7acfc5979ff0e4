import numpy as np
import pytest

from edge_mnist.quantization.temperature import fit_temperature

pytestmark = pytest.mark.train


def softmax(logits):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def negative_log_likelihood(logits, labels):
    return -np.log(softmax(logits)[np.arange(len(labels)), labels]).mean()


@pytest.fixture(scope="module")
def calibrated():
    """Logits whose softmax tells how often each label comes up."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (20_000, 10))
    labels = (softmax(logits).cumsum(axis=1) < random.random((20_000, 1))).sum(axis=1)
    return logits, np.minimum(labels, 9)


def test_calibrated_logits_are_left_alone(calibrated):
    assert fit_temperature(*calibrated) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("factor", [0.2, 0.5, 3, 10])
def test_scaled_logits_take_as_much_temperature(factor, calibrated):
    logits, labels = calibrated
    expected = factor * fit_temperature(logits, labels)
    assert fit_temperature(factor * logits, labels) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("factor", [0.3, 4])
def test_temperature_makes_the_labels_most_likely(factor, calibrated):
    logits, labels = factor * calibrated[0], calibrated[1]
    best = fit_temperature(logits, labels)
    found = negative_log_likelihood(logits / best, labels)
    for other in (1, 0.9 * best, 1.1 * best):
        assert found < negative_log_likelihood(logits / other, labels)


def test_exported_confidence_is_calibrated_on_validation(qat, digits, run_bare):
    from edge_mnist.engines import installed_engines

    engine = next(iter(installed_engines()))
    answer = run_bare(qat["micro"].path.read_bytes(), digits.validation.images, engine)
    scale, zero_point = answer["quantization"]
    logits = scale * (answer["outputs"].astype(np.float64) - zero_point)
    temperature, labels = qat["micro"].card.temperature, digits.validation.labels
    found = negative_log_likelihood(logits / temperature, labels)
    for other in (0.8 * temperature, 1.25 * temperature):
        assert found < negative_log_likelihood(logits / other, labels)
