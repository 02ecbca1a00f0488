"""Plots of the `ssa` demo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from spikeloom.cores.ssa import golden
from spikeloom.cores.ssa.core import ENGINES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikeloom.cores.ssa.core import SSA

matplotlib.rcParams["font.size"] = 9


def plot_attention(patches: NDArray, traces: Mapping[str, Any], path: Path) -> None:
    """Plot the photograph, its float attention matrix, and the matrix of each engine's spikes."""
    reference = golden.float_scores(patches, patches)
    figure = Figure(figsize=(13, 3.6), layout="constrained")
    axes = figure.subplots(1, 2 + len(traces))
    image = patches.reshape(8, 8, 8, 8).transpose(0, 2, 1, 3).reshape(64, 64)
    axes[0].imshow(image, cmap="gray")
    axes[0].set_xticks(np.arange(-0.5, 64, 8), [])
    axes[0].set_yticks(np.arange(-0.5, 64, 8), [])
    axes[0].grid(color="w", linewidth=0.4)
    axes[0].set_title("64 tokens: patches of 8 x 8 pixels")
    shades = {"vmin": 0, "vmax": reference.max(), "cmap": "viridis"}
    shown = axes[1].imshow(reference, **shades)
    axes[1].set_title("scores Q K$^T$ / D, floating point")
    for ax, (engine, trace) in zip(axes[2:], traces.items(), strict=True):
        decoded = trace.scores.mean(axis=0)
        error = np.sqrt(np.mean((decoded - reference) ** 2))
        ax.imshow(decoded, **shades)
        ax.set_title(f"engine {engine}, T = {len(trace.scores)}\nRMS difference {error:.3f}")
    figure.colorbar(shown, ax=axes[1:], label="score (spike rate)")
    for ax in axes[1:]:
        ax.set_xlabel("key token j")
    axes[1].set_ylabel("query token i")
    figure.savefig(path, dpi=130)


def plot_error(
    patches: NDArray,
    reference: NDArray,
    make_config: Callable[..., SSA],
    path: Path,
    longest: int = 300,
) -> None:
    """Plot the RMSE of the decoded output against T, and the RMSE of independent spikes."""
    steps = np.unique(np.geomspace(1, longest, 24).astype(int))
    spread = np.sqrt(np.mean(reference * (1 - reference)))
    figure = Figure(figsize=(5.6, 4.2), layout="constrained")
    ax = figure.subplots()
    ax.loglog(steps, spread / np.sqrt(steps), "k--", label=r"$\sqrt{p(1-p)/T}$, independent spikes")
    for engine, mark in zip(ENGINES, ("o-", "s-"), strict=True):
        output = golden.run(make_config(longest, engine), patches, patches, patches)
        sums = output.cumsum(axis=0, dtype=float)
        rmse = [np.sqrt(np.mean((sums[t - 1] / t - reference) ** 2)) for t in steps]
        ax.loglog(steps, rmse, mark, markersize=4, label=f"engine {engine}, photograph")
    for t in (10, 100):
        ax.axvline(t, color="0.8", linewidth=0.8, zorder=0)
    ax.set_xlabel("time steps T")
    ax.set_ylabel("RMSE of decoded output against floating point")
    ax.set_title("Output error falls with the root of T")
    ax.legend()
    ax.grid(which="both", alpha=0.2)
    figure.savefig(path, dpi=130)


def plot_raster(trace: Any, path: Path, steps: int = 40) -> None:
    """Plot the spikes of one token over time: inputs, scores and output."""
    rates = trace.q.mean(axis=(0, 2))
    token = int(np.argmin(np.abs(rates - 0.5)))  # neither black nor white
    rows = {
        f"Q of token {token}": trace.q[:steps, token],
        f"K of token {token}": trace.k[:steps, token],
        f"V of token {token}": trace.v[:steps, token],
        f"scores of query {token}": trace.scores[:steps, token],
        f"output of token {token}": trace.output[:steps, token],
    }
    figure = Figure(figsize=(13, 4.2), layout="constrained")
    axes = figure.subplots(1, len(rows), sharex=True)
    for ax, (title, spikes) in zip(axes, rows.items(), strict=True):
        times, channels = np.nonzero(spikes)
        ax.scatter(times, channels, s=3, marker="|", color="k", linewidths=1.2)
        ax.set_title(f"{title}\nmean rate {spikes.mean():.2f}")
        ax.set_xlabel("time step t")
        ax.set_ylim(-1, spikes.shape[1])
        ax.set_ylabel("key token j" if "scores" in title else "dimension d")
    figure.savefig(path, dpi=130)
