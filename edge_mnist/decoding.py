"""From a model's outputs to predictions."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.model_card import OutputKind
from edge_mnist.prediction import Prediction

# No logit counts for more than this: exp of 710 is past the largest float64.
MAX_LOGIT = 700


class OutputDecoder:
    """Turns outputs into predictions; those of a batch are equal to the bit to those of each.

    Nearly all models give out uint8 logits. For these everything that depends on one code stands in
    tables, which take a third of the time of NumPy's functions on ten numbers.
    """

    def __init__(
        self,
        quantization: tuple[float, int] | None,
        output_kind: OutputKind,
        temperature: float,
        rejection_threshold: float | None,
    ) -> None:
        """Prepare the tables.

        Args:
            quantization: Scale and zero point of the uint8 outputs; None for float32 ones.
            output_kind: What the outputs stand for.
            temperature: What logits are divided by before the softmax, above 0.
            rejection_threshold: The rejection score above which an image is no digit; None to
                reject nothing.
        """
        self._quantization = quantization
        self._output_kind = output_kind
        self._temperature = temperature
        # No score is above 1.
        self._threshold = 1.0 if rejection_threshold is None else float(rejection_threshold)
        self._has_tables = quantization is not None and output_kind == "logits"
        if quantization is not None and self._has_tables:
            scale, zero_point = quantization
            # The weight of an output that lies k codes below the highest: its softmax's numerator.
            self._weights_below = [math.exp(-k * scale / temperature) for k in range(256)]
            # The odds of each code's logit against one of 0, that of the class "no digit".
            self._odds = [
                math.exp(min((code - zero_point) * scale / temperature, MAX_LOGIT))
                for code in range(256)
            ]
            self._tables = np.array([self._weights_below, self._odds])

    def decode(self, outputs: NDArray[Any]) -> Prediction:
        """Turn the outputs for one image into a prediction.

        Args:
            outputs: [1, 10], uint8 or float32 as the model gives them.
        """
        if not self._has_tables:
            return self._decode_values(outputs)[0]
        codes: list[int] = outputs.tolist()[0]
        highest = max(codes)
        below = self._weights_below
        weights = [below[highest - code] for code in codes]
        # In the order of `decode_batch`; Python's sum rounds differently from 3.12 on.
        a, b, c, d, e, f, g, h, i, j = weights
        total = a + b + c + d + e + f + g + h + i + j
        score = 1 / (1 + self._odds[highest] * total)
        return Prediction(
            codes.index(highest), 1 / total, score, score > self._threshold, weights, total
        )

    def decode_batch(self, outputs: NDArray[Any]) -> list[Prediction]:
        """Turn the outputs for many images into a prediction each.

        Args:
            outputs: [N, 10], uint8 or float32 as the model gives them.
        """
        if not self._has_tables:
            return self._decode_values(outputs)
        weights_below, odds = self._tables
        highest = outputs.max(axis=1)
        weights = weights_below[highest[:, None] - outputs]
        totals = _sum_rows(weights)
        return self._predict(
            outputs.argmax(axis=1), 1 / totals, 1 / (1 + odds[highest] * totals), weights, totals
        )

    def dequantize(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """Return what raw outputs stand for: float64 of the same shape."""
        values = outputs.astype(np.float64)
        if self._quantization is not None:
            scale, zero_point = self._quantization
            values = (values - zero_point) * scale
        return values

    def _decode_values(self, outputs: NDArray[Any]) -> list[Prediction]:
        values, digits = self.dequantize(outputs), outputs.argmax(axis=1)
        rows = np.arange(len(values))
        if self._output_kind == "logits":
            values = values / self._temperature
            scores = compute_rejection_scores(values)
            values = np.exp(values - values.max(axis=1, keepdims=True))
        else:
            scores = 1 - values[rows, digits]
        totals = _sum_rows(values)
        return self._predict(digits, values[rows, digits] / totals, scores, values, totals)

    def _predict(
        self,
        digits: NDArray[np.intp],
        confidences: NDArray[np.float64],
        scores: NDArray[np.float64],
        weights: NDArray[np.float64],
        totals: NDArray[np.float64],
    ) -> list[Prediction]:
        return list(
            map(
                Prediction,
                digits.tolist(),
                confidences.tolist(),
                scores.tolist(),
                (scores > self._threshold).tolist(),
                weights,
                totals.tolist(),
            )
        )


def compute_rejection_scores(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how little each row of logits speaks for any digit.

    The probability of an eleventh class whose logit is always 0, which is what networks are
    trained to give to outliers; a monotonous function of the energy of Liu, Wang, Owens and Li,
    "Energy-based Out-of-distribution Detection", NeurIPS 2020.

    Args:
        logits: float64 [N, 10], divided by the temperature.

    Returns:
        float64 [N], 0 to 1.
    """
    peaks = logits.max(axis=1)
    energies = peaks + np.log(np.exp(logits - peaks[:, None]).sum(axis=1))
    scores: NDArray[np.float64] = 1 / (1 + np.exp(np.minimum(energies, MAX_LOGIT)))
    return scores


def _sum_rows(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return float64 [N], the sum of each row, added from left to right whatever N is."""
    totals = weights[:, 0].copy()
    for column in weights.T[1:]:
        totals += column
    return totals
