"""Running many images through a model, in larger batches and by several threads where it helps."""

import dataclasses
import math
import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import ModelError
from edge_mnist.graph import Graph
from edge_mnist.preprocessing import NUM_CLASSES

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

# Images of one call when a batch is resized. Larger ones gain nothing (benchmarks/runtime.py).
RESIZED_BATCH = 32
# And of those that do not fill such a one: a line of digits is about as long.
SMALL_BATCH = 8

# How often it is tried which way is faster, of which the quickest counts: what else runs disturbs
# one try, hardly all. What takes longer than this is disturbed by less than it may gain.
MAX_TRIES = 3
LONG_TRY_S = 0.05


class BatchRunner:
    """Runs any number of images through a model.

    Images go through interpreters that are resized to a batch, where these are faster and give the
    same. Of the threads that the model's setting allows each takes an interpreter: one image's
    work is too small to be shared, that of many images is not.
    """

    def __init__(self, single: Graph, size: int) -> None:
        """Prepare batches of a size, and small ones for what does not fill such a one.

        What does not fill these is run one by one.

        Args:
            single: The model, for one image.
            size: Images of a resized batch, at least 1; 1 for none.
        """
        self._single = single
        self._size = size
        self._max_workers = min(single.setting.threads, count_cores())
        self._workers: list[Graph] = []
        self._is_of_use: bool | None = None if size > 1 else False
        self._pool: ThreadPoolExecutor | None = None
        self._smaller = BatchRunner(single, SMALL_BATCH) if size > SMALL_BATCH else None

    def run(self, codes: NDArray[np.uint8]) -> NDArray[Any]:
        """Return the outputs [N, 10], uint8 or float32 as the model gives them.

        Args:
            codes: uint8 [N, 28, 28, 1] as the model's input takes them.
        """
        outputs = np.empty((len(codes), NUM_CLASSES), self._single.output_dtype)
        self._run_into(outputs, codes)
        return outputs

    def _run_into(self, outputs: NDArray[Any], codes: NDArray[np.uint8]) -> None:
        whole = 0
        if len(codes) >= self._size and self._can_resize(codes[: self._size]):
            whole = len(codes) - len(codes) % self._size
            self._run_whole(codes[:whole], outputs)
        if self._smaller is None:
            _run_each(self._single, codes, outputs, range(whole, len(codes)))
        else:
            self._smaller._run_into(outputs[whole:], codes[whole:])

    def _run_whole(self, codes: NDArray[np.uint8], outputs: NDArray[Any]) -> None:
        batches = range(0, len(codes), self._size)
        count = min(len(batches), self._max_workers)
        while len(self._workers) < count:
            self._workers.append(self._load_worker())
        # All take from it, so that one whose core is busy elsewhere takes less.
        left = iter(batches)
        first, *others = self._workers[:count]
        helping = [self._submit(worker, codes, outputs, left) for worker in others]
        _run_each(first, codes, outputs, left)
        for other in helping:
            other.result()

    def _submit(self, *arguments: Any) -> Any:
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor  # costs 10 ms

            self._pool = ThreadPoolExecutor(self._max_workers - 1, "edge-mnist")
        return self._pool.submit(_run_each, *arguments)

    def _can_resize(self, codes: NDArray[np.uint8]) -> bool:
        """Return whether a resized batch is faster here and gives the same; tried once.

        It depends on the network, the engine and the processor, so it is measured.
        """
        if self._is_of_use is None:
            try:
                worker = self._load_worker()
                resized = worker.run(codes)
            except (ModelError, ValueError, RuntimeError):
                # A graph that was written for one image only, by a reshape to [1, n].
                self._is_of_use = False
                return False
            single = np.empty((len(codes), NUM_CLASSES), self._single.output_dtype)
            single_s, resized_s = self._time(worker, codes, single)
            is_same = resized.shape == single.shape and np.array_equal(resized, single)
            self._is_of_use = is_same and resized_s < single_s * self._max_workers
            self._workers = [worker] if self._is_of_use else []
        return self._is_of_use

    def _time(
        self, worker: Graph, codes: NDArray[np.uint8], single: NDArray[Any]
    ) -> tuple[float, float]:
        """Return the seconds that the images take one by one, and in one resized batch.

        Args:
            worker: The model, resized to so many images.
            codes: uint8 [N, 28, 28, 1].
            single: Filled with the outputs of the images one by one.
        """
        single_s = resized_s = math.inf
        for _ in range(MAX_TRIES):
            started = time.perf_counter()
            _run_each(self._single, codes, single, range(len(codes)))
            between = time.perf_counter()
            worker.run(codes)
            ended = time.perf_counter()
            single_s = min(single_s, between - started)
            resized_s = min(resized_s, ended - between)
            if ended - started > LONG_TRY_S:
                break
        return single_s, resized_s

    def _load_worker(self) -> Graph:
        setting = dataclasses.replace(self._single.setting, threads=1)
        return self._single.load_again(setting, self._size)


def _run_each(
    graph: Graph, codes: NDArray[np.uint8], outputs: NDArray[Any], starts: Iterable[int]
) -> None:
    """Run what follows each start, as many images as the graph takes, and put in what it gives."""
    for start in starts:
        outputs[start : start + graph.size] = graph.run(codes[start : start + graph.size])


def count_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
