"""Plots of the `spiked` demo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from spikeloom.cores.spiked import golden
from spikeloom.cores.spiked.tables import winner_fraction, winner_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikeloom.cores.spiked.core import Spiked

matplotlib.rcParams["font.size"] = 9
ROW = 24  # the plotted token: the middle of the window


def plot_attention(operands: Sequence[NDArray], trace: Any, config: Spiked, path: Path) -> None:
    """Plot the softmax attention matrix, the matrix decoded from spikes, and the difference."""
    q, k, _ = operands
    reference = golden.softmax_attention(q, k, np.eye(len(q)))
    p = golden.decode(config, trace.probabilities)
    decoded = p / p.sum(axis=1, keepdims=True)
    figure = Figure(figsize=(10.5, 3.4), layout="constrained")
    axes = figure.subplots(1, 3)
    shades = {"vmin": 0, "vmax": reference.max(), "cmap": "viridis"}
    shown = axes[0].imshow(reference, **shades)
    axes[0].set_title("softmax, floating point")
    axes[1].imshow(decoded, **shades)
    axes[1].set_title(f"from spikes, B = {config.base:g}, T = {config.steps}")
    figure.colorbar(shown, ax=axes[:2], label="attention")
    error = decoded - reference
    limit = np.abs(error).max()
    shown = axes[2].imshow(error, cmap="RdBu", vmin=-limit, vmax=limit)
    axes[2].set_title(f"difference, RMS {np.sqrt((error**2).mean()):.4f}")
    figure.colorbar(shown, ax=axes[2], label="attention error")
    for ax in axes:
        ax.set_xlabel("key token j")
    axes[0].set_ylabel("query token i")
    figure.savefig(path, dpi=130)


def plot_raster(operands: Sequence[NDArray], trace: Any, config: Spiked, path: Path) -> None:
    """Plot the spike times of one token for each stage: red positive, blue negative."""
    stages = {
        "Q": operands[0][ROW],
        "scores": trace.scores[ROW],
        "probabilities": trace.probabilities[ROW],
        "output": trace.output[ROW],
    }
    figure = Figure(figsize=(10.5, 3.4), layout="constrained")
    axes = figure.subplots(1, len(stages), sharex=True)
    for ax, (name, codes) in zip(axes, stages.items(), strict=True):
        neurons = np.arange(len(codes))
        for sign, colour, label in ((1, "tab:red", "positive"), (-1, "tab:blue", "negative")):
            fires = np.sign(codes) == sign
            ax.scatter(
                abs(codes[fires]) - 1, neurons[fires], s=14, marker="s", c=colour, label=label
            )
        ax.set_title(f"{name}: {np.count_nonzero(codes)} of {len(codes)} fire")
        ax.set_xlabel("time step")
        ax.set_xlim(-1, config.steps)
    axes[0].set_ylabel("neuron")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower right", ncols=2)
    figure.suptitle(
        f"Token {ROW}: one spike per neuron; an earlier spike means a larger value", fontsize=9
    )
    figure.savefig(path, dpi=130)


def plot_shift(trace: Any, config: Spiked, path: Path) -> None:
    """Plot the potentials of one row minus the winner's, and their crossings of the threshold."""
    unit = 2 ** winner_fraction(config)
    levels = np.array([0, *winner_table(config)]) / unit
    scores = trace.scores[ROW].astype(int)
    earliest = scores[scores > 0].min(initial=config.steps + 1)
    winner = levels[earliest] if earliest <= config.steps else 0
    potentials = np.sign(scores) * levels[abs(scores)] - winner
    fires = trace.probabilities[ROW].astype(int)

    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    ax = figure.subplots()
    steps = np.arange(config.steps)
    ax.plot(steps, 0.5 - steps, "k", label="threshold, falling by ln B per step")
    ax.plot([], [], "o", color="tab:red", markersize=3, label="the winner: B$^{-m}$ is largest")
    ax.plot([], [], "o", color="tab:green", markersize=3, label="the others, below it")
    for potential, code in zip(potentials, fires, strict=True):
        end = code - 1 if code else config.steps - 1
        colour = "tab:red" if potential == 0 else "tab:green"
        ax.plot([0, end], [potential] * 2, color=colour, linewidth=0.6, alpha=0.6)
        if code:
            ax.plot(end, potential, "o", color=colour, markersize=3)
    ax.set_xlabel("time step m")
    ax.set_ylabel("potential u, in units of ln B")
    count = f"{np.count_nonzero(fires)} of {len(fires)} neurons fire"
    ax.set_title(f"Softmax by a falling threshold, token {ROW}: {count}")
    ax.legend()
    ax.grid(alpha=0.3)
    figure.savefig(path, dpi=130)
