"""What the demo of a network measures on the golden model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from spikeloom.networks import golden
from spikeloom.networks.engine.schedule import OUTSIDE
from spikeloom.networks.layers import Attention
from spikeloom.networks.layers.patch_embedding import patches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikeloom.networks.graph import Graph
    from spikeloom.networks.network import Network


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A network on labelled images.

    Members
    -------
    core : the network. images : all images (B, Y, X, C) that it takes. labels : their classes.
    found : the classes that the network gives.
    spikes : by layer, its output (shown, T, N, D) for the first `shown` images.
    logits : of those images, (shown, classes).
    """

    core: Network
    images: NDArray
    labels: NDArray
    found: NDArray
    spikes: dict[str, NDArray]
    logits: NDArray
    shown: int

    @classmethod
    def of(cls, core: Network, images: NDArray, labels: NDArray, shown: int) -> Measured:
        """Classify all images; keep the spikes of the first `shown`."""
        found = golden.run_chunks(core.GRAPH, images).labels
        shown = min(shown, len(images))
        kept = golden.run(core.GRAPH, images[:shown], keep=True)
        return cls(
            core=core,
            images=images,
            labels=labels,
            found=found,
            spikes=kept.spikes,
            logits=kept.logits,
            shown=shown,
        )

    @property
    def mean_cycles(self) -> float:
        """The mean of `image_cycles`."""
        return float(self.image_cycles.mean())

    @property
    def right(self) -> int:
        """Number of images whose class is right."""
        return int((self.found == self.labels).sum())

    @property
    def example(self) -> int:
        """The first image whose class is right, or the first one if none of those shown is."""
        return int((self.found == self.labels)[: self.shown].argmax())

    @cached_property
    def cycles(self) -> dict[str, NDArray]:
        """By layer, the cycles (shown,) of the engine, see `Program.layer_cycles`."""
        images = golden.with_positions(self.core.GRAPH, self.images[: self.shown])
        per_image = [
            self.core.program.layer_cycles(
                images[n], {name: spikes[n] for name, spikes in self.spikes.items()}
            )
            for n in range(self.shown)
        ]
        return {layer: np.array([one[layer] for one in per_image]) for layer in per_image[0]}

    @cached_property
    def image_cycles(self) -> NDArray:
        """The engine's cycles (shown,) from start to the label."""
        return np.sum(list(self.cycles.values()), axis=0) + OUTSIDE

    @property
    def example_spikes(self) -> dict[str, NDArray]:
        """By layer, its output (T, N, D) for the example."""
        return {name: spikes[self.example] for name, spikes in self.spikes.items()}

    @cached_property
    def attention(self) -> dict[str, NDArray]:
        """By attention layer, `shared_spikes` of the example."""
        return {
            layer.name: shared_spikes(layer, self.example_spikes)
            for layer in self.core.GRAPH.layers
            if isinstance(layer, Attention)
        }

    @property
    def example_token(self) -> int:
        """The patch of the example with most contrast between its pixels."""
        graph = self.core.GRAPH
        image = without_position(graph, self.images[self.example])
        return int(patches(image, graph.embedding.patch).std(1).argmax())


def shared_spikes(layer: Attention, spikes: dict[str, NDArray]) -> NDArray:
    """The weights of an attention layer, (T, heads, queries, keys): the number of dimensions in
    which the spikes of the query and those of the key are both 1. The sum of v with these weights
    is the current of the layer's neurons."""
    q, k = (_by_head(spikes[name], layer.heads) for name in layer.inputs[:2])
    return q @ k.swapaxes(-1, -2)


def attended(layer: Attention, spikes: dict[str, NDArray]) -> NDArray:
    """The currents (T, N, D) of an attention layer: v, weighted by `shared_spikes`."""
    v = _by_head(spikes[layer.inputs[2]], layer.heads)
    currents = shared_spikes(layer, spikes) @ v
    steps, _, tokens, _ = currents.shape
    return currents.swapaxes(1, 2).reshape(steps, tokens, -1)


def pictures(graph: Graph, images: NDArray) -> NDArray:
    """Images (B, Y, X, C) as matplotlib draws them: (B, Y, X), or (B, Y, X, 3) in colour."""
    seen = without_position(graph, images)
    return seen if seen.shape[-1] == 3 else seen.mean(-1)


def without_position(graph: Graph, images: NDArray) -> NDArray:
    """Images (..., Y, X, C) without the channel of positions, if there is one."""
    return images[..., : graph.image[2] - graph.embedding.position]


def _by_head(spikes: NDArray, heads: int) -> NDArray:
    """Spikes (T, N, D) as integers (T, heads, N, D / heads)."""
    steps, tokens, _ = spikes.shape
    return spikes.reshape(steps, tokens, heads, -1).swapaxes(1, 2).astype(np.int64)
