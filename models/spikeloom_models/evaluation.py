"""Accuracy of a network on labelled images, by the golden model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import InputError
from spikeloom.networks import golden
from spikeloom.networks.graph import Graph
from spikeloom.networks.position import with_position
from spikeloom.networks.signals import Spikes

from .data import Labelled


@dataclass(frozen=True)
class Evaluation:
    """What a network makes of labelled images.

    Members
    -------
    labels : class of each image, as the network sees it.
    accuracy : share of the images whose class is right.
    confusion : images by (label, class of the network).
    rates : by layer, mean of its outputs over images, steps, tokens and channels.
    additions : by layer, mean additions of an image.
    """

    labels: NDArray[np.int64]
    accuracy: float
    confusion: NDArray[np.int64]
    rates: dict[str, float]
    additions: dict[str, float]


def evaluate(
    graph: Graph,
    data: Labelled,
    *,
    jobs: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Classify `data` with the golden model of `graph`, on `jobs` processes."""
    images = fitted(graph, data.images)
    result = golden.run_chunks(graph, images, jobs=jobs, progress=progress)
    found = result.labels.astype(np.int64)
    classes = len(graph.classes)
    confusion = np.bincount(data.labels * classes + found, minlength=classes**2)
    return Evaluation(
        found,
        float(np.mean(found == data.labels)),
        confusion.reshape(classes, classes),
        {name: float(counts.mean()) / _size(graph, name) for name, counts in result.counts.items()},
        {name: float(counts.mean()) for name, counts in result.additions.items()},
    )


def fitted(graph: Graph, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`images` as the network takes them: with the channel of positions if it has one."""
    height, width, channels = graph.image
    if graph.embedding.position and images.shape[1:] == (height, width, channels - 1):
        return with_position(images, graph.embedding.patch)
    if images.shape[1:] != (height, width, channels):
        raise InputError(
            f"images of {images.shape[1:]} do not fit network {graph.name}, which takes "
            f"{graph.image}"
        )
    return images


def _size(graph: Graph, name: str) -> int:
    signal = graph.signals[name]
    assert isinstance(signal, Spikes)
    return signal.steps * signal.tokens * signal.dims
