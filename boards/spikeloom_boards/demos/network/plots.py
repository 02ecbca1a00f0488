"""Plots of the demo of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from .measured import Measured, pictures

if TYPE_CHECKING:
    from numpy.typing import NDArray

matplotlib.rcParams["font.size"] = 9
COLUMNS = 8  # of the pictures
PANELS = 5  # in a row of the rasters
TICKS = 8  # steps with a number below a raster, at most
RIGHT, WRONG, ENGINE = "tab:green", "tab:red", "tab:blue"
# From transparent to red, so that the picture below stays visible.
LOOK = LinearSegmentedColormap.from_list("look", [(1, 0, 0, 0), (1, 0, 0, 0.9)])


def draw_pictures(measured: Measured) -> Figure:
    """The first images with the class that the network gives, and the true one if it is
    wrong."""
    classes, count = measured.core.GRAPH.classes, measured.shown
    rows = -(-count // COLUMNS)
    figure = Figure(figsize=(12, 1.75 * rows + 0.5), layout="constrained")
    axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for ax in axes[count:]:
        ax.set_axis_off()
    images = pictures(measured.core.GRAPH, measured.images[:count])
    right = measured.found[:count] == measured.labels[:count]
    for n, ax in enumerate(axes[:count]):
        ax.imshow(images[n], cmap="gray", vmin=0, vmax=255)
        ax.text(0.5, 0.5, n, color="w", fontsize=7, va="top")
        ax.set_xticks([])
        ax.set_yticks([])
        colour = RIGHT if right[n] else WRONG
        for side in ax.spines.values():
            side.set(color=colour, linewidth=2)
        found, truth = (classes[one[n]] for one in (measured.found, measured.labels))
        weight = "normal" if right[n] else "bold"
        ax.set_title(found, color="k" if right[n] else WRONG, fontweight=weight, fontsize=10)
        if not right[n]:
            ax.set_xlabel(f"true: {truth}", color=WRONG, fontsize=10, labelpad=3)
    figure.suptitle(
        f"Class that {measured.core.NAME} gives: {right.sum()} of these {count} are right; "
        "below a wrong one, the true class"
    )
    return figure


def draw_spikes(measured: Measured) -> Figure:
    """The spikes of each layer for the example: a column of a panel for each step and token,
    a row for each neuron."""
    spikes = measured.example_spikes
    rows = -(-(len(spikes) + 1) // PANELS)
    figure = Figure(figsize=(13, 2.1 * rows + 0.5), layout="constrained")
    axes = figure.subplots(rows, PANELS, squeeze=False).ravel()
    for ax in axes[len(spikes) + 1 :]:
        ax.set_axis_off()
    image = pictures(measured.core.GRAPH, measured.images)[measured.example]
    _draw_example(axes[0], image, measured.core.GRAPH.embedding.patch)
    axes[0].set_title(f"the image: {measured.core.GRAPH.tokens} patches")
    for ax, (name, one) in zip(axes[1:], spikes.items(), strict=False):
        steps, tokens, dims = one.shape
        ax.imshow(
            one.transpose(2, 0, 1).reshape(dims, -1),
            cmap="gray_r",
            vmin=0,
            vmax=max(1, one.max()),
            aspect="auto",
            interpolation="nearest",
        )
        for step in range(1, steps):
            ax.axvline(step * tokens - 0.5, color=ENGINE, linewidth=1)
        marked = range(0, steps, -(-steps // TICKS))
        ax.set_xticks(
            [(step + 0.5) * tokens - 0.5 for step in marked],
            [f"t = {step}" if steps <= TICKS // 2 else str(step) for step in marked],
        )
        ax.tick_params(axis="x", length=0)
        ax.set_yticks([0, dims - 1])
        ax.set_title(f"{name}: {100 * (one > 0).mean():.0f} %")
    figure.suptitle(
        "Spikes of each layer (black), and their share. "
        f"Across: {measured.core.GRAPH.tokens} patches in each of "
        f"{measured.core.GRAPH.steps} steps; down: neurons"
    )
    return figure


def draw_attention(measured: Measured) -> Figure:
    """Where the example's token looks: a row for each attention layer and head, a column for
    each step, and the mean of all steps."""
    graph, token = measured.core.GRAPH, measured.example_token
    image = pictures(graph, measured.images)[measured.example]
    heads = [
        (f"{name}\nhead {head}", counts[:, head, token])
        for name, counts in measured.attention.items()
        for head in range(counts.shape[1])
    ]
    titles = [f"t = {step}" for step in range(graph.steps)] + ["mean of the steps"]
    shades = Normalize(0, max(1, *(counts.max() for _, counts in heads)))
    size = (2.1 * len(titles) + 1.1, 2.0 * len(heads) + 0.5)
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.1))
    axes = figure.subplots(len(heads), len(titles), squeeze=False)
    height, width = graph.embedding.patch
    for row, (name, counts) in zip(axes, heads, strict=True):
        row[0].set_ylabel(name)
        for ax, weights in zip(row, [*counts, counts.mean(0)], strict=True):
            _draw_example(ax, image, graph.embedding.patch, token)
            weights = weights.reshape(graph.image[0] // height, graph.image[1] // width)
            area = (-0.5, image.shape[1] - 0.5, image.shape[0] - 0.5, -0.5)
            ax.imshow(weights, cmap=LOOK, norm=shades, extent=area, interpolation="nearest")
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title)
    bar = figure.colorbar(ScalarMappable(shades, LOOK), ax=axes, aspect=40)
    bar.set_label("spikes that query and key share")
    bar.locator = MaxNLocator(integer=True)
    bar.update_ticks()
    figure.suptitle(f"Where patch {token} (blue frame) looks: q . k with every patch")
    return figure


def draw_cycles(
    measured: Measured, resources: Sequence[tuple[str, int, int, float]], device: str
) -> Figure:
    """The engine's cycles of each layer, the mean of the first images, inside those of the
    worst case; and what share of a device is used (`resources`: rows of `report.utilisation`)."""
    mean = {layer: cycles.mean() for layer, cycles in measured.cycles.items()}
    figure = Figure(figsize=(12, 0.27 * len(mean) + 1.3), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2, 1))
    _bars(left, mean, measured.core.program.layer_cycles())
    left.set_title(
        f"Cycles of each layer, {measured.core.lanes} lanes: {measured.mean_cycles:,.0f} an image"
    )

    names = [f"{what}\n{used:,} of {there:,}" for what, used, there, _ in resources]
    shares = [share for *_, share in resources]
    right.barh(names, [100] * len(names), height=0.4, color="0.9")
    right.barh(names, shares, height=0.4, color=ENGINE)
    for n, share in enumerate(shares):
        right.text(102, n, f"{share:.0f} %", va="center")
    right.set_xlim(0, 118)
    right.set_xlabel("% of the device")
    right.invert_yaxis()
    right.set_title(f"{device}, after synthesis")
    return figure


def _bars(ax: Any, mean: Mapping[str, float], worst: Mapping[str, int]) -> None:
    """Bars of the cycles of each layer inside those of the worst case."""
    names = list(mean)
    ax.barh(
        names, [worst[name] for name in names], color="0.9", label="maximum, if every neuron fired"
    )
    ax.barh(names, list(mean.values()), color=ENGINE, label="mean of the images shown")
    for n, name in enumerate(names):
        share = 100 * mean[name] / worst[name]
        ax.text(worst[name], n, f" {mean[name]:,.0f} ({share:.0f} %)", va="center", fontsize=8)
    ax.set_xlim(0, 1.2 * max(worst.values()))
    ax.set_xlabel("cycles; % of the maximum")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.invert_yaxis()


def _draw_example(
    ax: Any, image: NDArray, patch: tuple[int, ...], token: int | None = None
) -> None:
    """Draw an image, dark on white, with its patches, and a frame around one of them."""
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=700)
    height, width = patch
    ax.set_xticks(np.arange(-0.5, image.shape[1], width), [])
    ax.set_yticks(np.arange(-0.5, image.shape[0], height), [])
    ax.tick_params(length=0)
    ax.grid(color="0.85", linewidth=0.4)
    if token is not None:
        row, column = divmod(token, image.shape[1] // width)
        corner = (column * width - 0.5, row * height - 0.5)
        ax.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=ENGINE, linewidth=2))
