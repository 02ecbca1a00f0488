"""How near phase codes are to the vision transformer that they were converted from.

    python examples/conversion_pictures.py WEIGHTS DIR [FOLDER]

`WEIGHTS` is a network of ``spikeloom train --arch vit`` of the default sizes, `DIR` its data.
Prints a Markdown table, and writes ``conversion.png`` to FOLDER (default: docs/images): agreement
over T, correlation by stage, and where a patch looks, in floating point and in spikes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from spikeloom.cores.spiked.golden.head import trace
from spikeloom.cores.spiked.golden.phase_code import decode, from_spike_train
from spikeloom.networks import golden
from spikeloom.networks.layers import Attention
from spikeloom.networks.layers.phase_coded import PhaseCoded
from spikeloom_models.data import Labelled, read_data
from spikeloom_models.phase_conversion import VisionNetwork, convert
from spikeloom_models.torch import VisionTransformer

CALIBRATED, TESTED = 200, 300
CODES = {3: (16, 24, 32, 40), 2: (8, 12, 16, 20), 1: (4, 6, 8, 10)}  # steps by shift of the base
IMAGE, PATCH, HEAD = 0, 24, 0  # whose attention is drawn: the patch in the middle


def base_name(shift: int) -> str:
    return f"{2**shift}/{2**shift - 1}" if shift > 1 else "2"


class Comparison:
    """The vision transformer on test images, and its conversions."""

    def __init__(self, weights: str, folder: str):
        self.model = VisionTransformer().eval()
        self.model.load_state_dict(load_file(weights))
        self.calibration = read_data(folder, "train", 10).images[:CALIBRATED]
        self.test: Labelled = read_data(folder, "test", 10).first(TESTED)
        images = torch.from_numpy(self.test.images.copy())
        with torch.no_grad():
            self.classes = self.model(images).argmax(1).numpy()
            self.signals = {key: x.numpy() for key, x in self.model.signals(images).items()}

    def converted(self, steps: int, shift: int):
        """The network in phase codes, and what the golden model makes of the test images."""
        network = VisionNetwork(self.model, steps, shift)
        graph = convert(network, self.calibration, name="vit").graph
        pixels = golden.with_positions(graph, self.test.images)
        return graph, golden.run(graph, pixels, keep=True)

    def row(self, steps: int, shift: int, labels: NDArray) -> tuple[float, float]:
        """Shares of the test images: right, and of the same class as in floating point."""
        right, same = (float(np.mean(labels == one)) for one in (self.test.labels, self.classes))
        print(
            f"| {base_name(shift)} | {steps} | {100 * right:.1f} | {100 * same:.1f} |", flush=True
        )
        return right, same

    def correlations(self, spikes: dict[str, NDArray], shift: int) -> dict[str, float]:
        """The mean correlation of each stage's values with floating point, over its heads."""
        base, found = 2**shift / (2**shift - 1), {}
        for name, train in spikes.items():
            value = np.tensordot(train, base ** -np.arange(train.shape[1], dtype=float), (1, 0))
            wanted = self.signals[name]
            if wanted.ndim == 4:  # heads have scales of their own
                pairs = zip(
                    np.split(value, wanted.shape[1], -1), wanted.swapaxes(0, 1), strict=True
                )
            else:
                pairs = [(value, wanted)]
            found[name] = float(
                np.mean([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs])
            )
        return found

    def attention(self, layer: Attention, graph, spikes: dict[str, NDArray]):
        """Probabilities of a head for one image, (queries, keys): floating point, spikes."""
        block = layer.name.split(".")[0]
        score = self.signals[f"{block}.score"][IMAGE, HEAD]
        exponents = np.exp(score - score.max(-1, keepdims=True))
        config = PhaseCoded().config(layer, [graph.signals[name] for name in layer.inputs])
        heads = (np.split(spikes[name][IMAGE], layer.heads, -1)[HEAD] for name in layer.inputs)
        head = trace(config, *(from_spike_train(train) for train in heads))
        found = decode(config, head.probabilities)
        return tuple(one / one.sum(-1, keepdims=True) for one in (exponents, found))


def draw(comparison: Comparison, path: Path) -> None:
    figure = plt.figure(figsize=(13, 8), layout="constrained")
    upper, lower = figure.subfigures(2, 1)
    over_steps, by_stage = upper.subplots(1, 2)
    print(f"| base | T | right of {TESTED} images, % | same class as floating point, % |")
    print("|---|---|---|---|")
    for shift, all_steps in CODES.items():
        shares = []
        for steps in all_steps:
            graph, found = comparison.converted(steps, shift)
            shares.append(comparison.row(steps, shift, found.labels))
        label = f"B = {base_name(shift)}"
        over_steps.plot(all_steps, [100 * same for _, same in shares], marker="o", label=label)
        stages = comparison.correlations(found.spikes, shift)
        by_stage.plot(list(stages.values()), marker="o", label=f"{label}, T = {steps}")
        by_stage.set_xticks(range(len(stages)), list(stages), rotation=60, ha="right")
        if shift == max(CODES):
            draw_attention(lower, comparison, graph, found.spikes)
    over_steps.set(xlabel="time steps T", ylabel="same class as floating point, %")
    over_steps.legend()
    by_stage.set(ylabel="correlation with floating point")
    by_stage.legend()
    figure.savefig(path, dpi=110)


def draw_attention(figure, comparison: Comparison, graph, spikes: dict[str, NDArray]) -> None:
    """The picture, and for each block where one patch looks."""
    layers = [layer for layer in graph.layers if isinstance(layer, Attention)]
    axes = figure.subplots(1, 1 + 2 * len(layers))
    rows = graph.image[0] // comparison.model.shape.patch[0]
    axes[0].imshow(comparison.test.images[IMAGE, ..., 0], cmap="gray")
    axes[0].set_title("picture, and the patch that looks", fontsize=9)
    side = comparison.model.shape.patch[0]
    y, x = (side * place - 0.5 for place in divmod(PATCH, rows))
    axes[0].add_patch(plt.Rectangle((x, y), side, side, fill=False, edgecolor="tab:orange"))
    for number, layer in enumerate(layers):
        maps = comparison.attention(layer, graph, spikes)
        for axis, values, kind in zip(
            axes[1 + 2 * number :], maps, ("softmax", "spikes"), strict=False
        ):
            axis.imshow(values[PATCH].reshape(rows, -1), vmin=0, vmax=maps[0][PATCH].max())
            axis.set_title(f"block {number}, head {HEAD}: {kind}", fontsize=9)
    for axis in axes:
        axis.set_xticks([])
        axis.set_yticks([])


def main(weights: str, folder: str, output: str = "docs/images") -> None:
    torch.set_num_threads(1)
    draw(Comparison(weights, folder), Path(output) / "conversion.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
