"""The process that a peer is measured in: what `bench/worker.py` is for the engines."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from edge_mnist.bench.worker import COPIED, Loaded, serve, start_up
from edge_mnist.comparison.peers import installed_peers, load_peer


def main(options: str) -> None:
    """Serve a network in a peer; the JSON names the peer, the twin and a .npy file of images."""
    named: dict[str, Any] = json.loads(options)
    peer, twin = named["peer"], Path(named["twin"])

    def load() -> Loaded:
        images = np.load(named["images"])
        run, start = start_up(
            lambda: load_peer(peer, twin), lambda run: run(images[0]), installed_peers()[peer]
        )
        return Loaded(
            calls={COPIED: lambda number: run(images[number % len(images)])},
            read=lambda: [int(np.argmax(run(image))) for image in images],
            start=start,
        )

    serve(load)
