import pytest

from edge_mnist.errors import TrainingError
from edge_mnist.training.history import EpochResult, parse_csv, render_csv


def test_history_is_read_as_it_was_written():
    history = [
        EpochResult(1, 0.51234567890123, 0.9, 0.4, 0.95, 1e-3, 7.5),
        EpochResult(2, 0.1, 1.0, 0.2, 0.99, 5e-9, 7.25),
    ]
    assert parse_csv(render_csv(history)) == history


@pytest.mark.parametrize("text", ["epoch,loss\n1,0.5\n", "hello\nworld\n", "epoch\nx,y\n"])
def test_other_table_is_refused(text):
    with pytest.raises(TrainingError, match="cannot read the history: expected columns epoch, "):
        parse_csv(text)
