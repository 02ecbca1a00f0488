"""The golden model of a network: integers, layer by layer, for batches of images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .graph import INPUT, Graph
from .layers import Convolution, Layer
from .position import with_position
from .signals import Currents, Spikes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

CHUNK_BYTES = 30e6  # of a chunk of images: small enough for caches, large enough for speed
MAX_CHUNK = 256


@dataclass
class Result:
    """The outputs of a batch of images, and what each layer did.

    Members
    -------
    logits : int32 (B, classes).
    counts : by layer, the sum of the magnitudes of its output (its spikes) in each image, int64
        (B,).
    additions : by layer, additions with nonzero operands in each image, int64 (B,).
    spikes : by layer, its output (B, T, N, D), uint8, or int8 if there are negative ones; empty
        unless they were asked for.
    """

    logits: NDArray
    counts: dict[str, NDArray]
    additions: dict[str, NDArray]
    spikes: dict[str, NDArray] = field(default_factory=dict)

    @property
    def labels(self) -> NDArray:
        """The class of each image: the largest logit, the first one if several are equal."""
        return self.logits.argmax(1)


def run(graph: Graph, images: ArrayLike, *, keep: bool = False) -> Result:
    """Run a network on images (B, Y, X, C) of uint8, with or without the channel of positions;
    `keep` returns the spikes of every layer.

    All images are processed at once; see `run_chunks` for many.
    """
    pixels = with_positions(graph, np.asarray(images, np.uint8)) >> (8 - graph.pixel_bits)
    values: dict[str, NDArray] = {INPUT: pixels}
    last_use = {name: layer.name for layer in graph.layers for name in layer.inputs}
    result = Result(np.empty(0), {}, {})
    for layer in graph.layers:
        sources, inputs = graph.sources(layer), [values[name] for name in layer.inputs]
        output = values[layer.name] = layer.compute(sources, inputs)
        result.additions[layer.name] = layer.additions(sources, inputs)
        if isinstance(graph.signals[layer.name], Spikes):
            magnitude = np.abs(output) if output.dtype.kind == "i" else output
            result.counts[layer.name] = magnitude.sum((1, 2, 3), dtype=np.int64)
        if not keep:
            for name in {*layer.inputs}:
                if last_use[name] == layer.name:
                    del values[name]
    result.logits = values.pop(graph.classifier.name)
    if keep:
        result.spikes = {name: values[name] for name in result.counts}
    return result


def with_positions(graph: Graph, images: NDArray) -> NDArray:
    """Images (..., Y, X, C) with the channel of positions, if the network has one."""
    embedding = graph.embedding
    if embedding.position and images.shape[-1] == graph.image[2] - 1:
        return with_position(images, embedding.patch)
    return images


def chunk_size(graph: Graph) -> int:
    """Images that are processed at once."""
    return max(1, min(MAX_CHUNK, int(CHUNK_BYTES / image_bytes(graph))))


def image_bytes(graph: Graph) -> float:
    """Approximate peak memory of one image in bytes."""
    spikes = [one for one in graph.signals.values() if isinstance(one, Spikes | Currents)]
    largest = max(signal.steps * signal.tokens * signal.dims for signal in spikes)
    alive = sum(
        signal.steps * signal.tokens * signal.dims * (1 if isinstance(signal, Spikes) else 4)
        for signal in spikes
    )
    height, width, channels = graph.image
    windows = max((window_bytes(graph, layer) for layer in graph.layers), default=0)
    return 13.0 * largest + min(alive, 8 * largest) + 6 * height * width * channels + windows


def window_bytes(graph: Graph, layer: Layer) -> int:
    """Memory of the windows of a convolution for one image, as integers and as floats."""
    if not isinstance(layer, Convolution):
        return 0
    signal = graph.signals[layer.name]
    assert isinstance(signal, Spikes | Currents)
    steps = 1 if INPUT in layer.inputs else signal.steps
    return 6 * steps * signal.tokens * len(layer.weight)


def run_chunks(
    graph: Graph,
    images: NDArray,
    *,
    jobs: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Result:
    """Run many images (B, Y, X, C) in chunks, on `jobs` processes (default: one per processor)."""
    size = chunk_size(graph)
    chunks = [images[n : n + size] for n in range(0, len(images), size)]
    results = []
    for result in _results(graph, chunks, jobs):
        results.append(result)
        progress(min(len(results) * size, len(images)), len(images))
    return joined(results)


def joined(results: list[Result]) -> Result:
    """The results of consecutive batches as one."""
    names = results[0].counts, results[0].additions
    return Result(
        np.concatenate([one.logits for one in results]),
        {name: np.concatenate([one.counts[name] for one in results]) for name in names[0]},
        {name: np.concatenate([one.additions[name] for one in results]) for name in names[1]},
    )


def _results(graph: Graph, chunks: list[NDArray], jobs: int | None) -> Iterator[Result]:
    if len(chunks) == 1 or jobs == 1:
        return (run(graph, chunk) for chunk in chunks)
    from joblib import Parallel, delayed

    calls = (delayed(run)(graph, chunk) for chunk in chunks)
    results: Any = Parallel(jobs or -1, return_as="generator")(calls)  # joblib has no types
    return iter(results)
