"""Each peer in a process of its own, as benchmarks run them."""

import numpy as np
import pytest

from edge_mnist.comparison.peers import find_peer, installed_peers
from edge_mnist.model_store import find_model
from edge_mnist.quantization.rebuild import rebuild

pytestmark = pytest.mark.train

PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from edge_mnist.comparison.peers import load_peer

name, twin, images, answer = sys.argv[1:]
run = load_peer(name, Path(twin))
np.save(answer, np.stack([run(image) for image in np.load(images)]))
"""


@pytest.mark.parametrize("name", installed_peers())
def test_peer_alone_says_what_the_model_says(name, run_fresh, twin, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)
    images[:10, :, 14:] = 0  # no symmetry: what is turned or mirrored would show
    np.save(tmp_path / "images.npy", images)
    answer = tmp_path / "answer.npy"
    (imported,) = run_fresh(PROGRAM, name, twin, tmp_path / "images.npy", answer)
    outputs = np.load(answer)
    assert outputs.dtype == np.float32
    model = rebuild(find_model().read_bytes())
    expected = model(images[..., None].astype(np.float32) / 255, training=False).numpy()
    assert outputs == pytest.approx(expected, abs=1e-3)
    others = {"tensorflow", "onnxruntime", "tf2onnx"} - set(find_peer(name).modules)
    assert not set(imported.split()) & others


def test_tensorflow_with_more_threads_is_refused(run_fresh, twin):
    program = """
import os, sys
from pathlib import Path
for variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.pop(variable, None)
import tensorflow as tf
from edge_mnist.comparison.peers import load_peer
from edge_mnist.errors import InvalidInputError

tf.constant(1.0) + 1
try:
    load_peer("tf.function", Path(sys.argv[1]))
except InvalidInputError as exc:
    print(exc)
"""
    said = run_fresh(program, twin)[0]
    assert said.startswith("TensorFlow has computed in this process before, with more than one")
    assert said.endswith("load its peers in a process of their own")
