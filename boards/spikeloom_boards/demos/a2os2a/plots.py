"""Plots of the `a2os2a` demo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from spikeloom.cores.a2os2a import schedule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikeloom.cores.a2os2a.core import A2OS2A

matplotlib.rcParams["font.size"] = 9
TERNARY = ListedColormap(["tab:blue", "white", "tab:red"])


def plot_spikes(trace: Any, config: A2OS2A, path: Path) -> None:
    """Plot inputs and outputs of one time step, token by dimension."""
    step = config.steps - 1
    panels = (
        ("Q: binary neurons", trace.q[step], {"cmap": "Greys", "vmin": 0, "vmax": 1}),
        ("K: ReLU, 8 bits", trace.k[step], {"cmap": "viridis"}),
        ("V: ternary neurons", trace.v[step], {"cmap": TERNARY, "vmin": -1, "vmax": 1}),
        ("sums (Q K$^T$) V", trace.sums[step], {"cmap": "RdBu_r"}),
        ("output neurons", trace.output[step], {"cmap": "Greys", "vmin": 0, "vmax": 1}),
    )
    figure = Figure(figsize=(15, 3.6), layout="constrained")
    for ax, (title, values, look) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        if look["cmap"] == "RdBu_r":
            look = look | {"vmax": np.abs(values).max(), "vmin": -np.abs(values).max()}
        shown = ax.imshow(values, interpolation="nearest", **look)
        share = np.count_nonzero(values) / values.size
        ax.set_title(f"{title}\n{share:.0%} nonzero")
        ax.set_xlabel("dimension d")
        if values.min() < -1 or values.max() > 1:
            figure.colorbar(shown, ax=ax, shrink=0.8)
    figure.axes[0].set_ylabel("token")
    figure.suptitle(f"Time step {step + 1} of {config.steps}", fontsize=9)
    figure.savefig(path, dpi=130)


def plot_attention(image: NDArray, scores: Sequence[NDArray], path: Path) -> None:
    """Plot the photograph, its scores in floating point and in integers, and the error."""
    exact, decoded = scores
    figure = Figure(figsize=(13, 3.6), layout="constrained")
    axes = figure.subplots(1, 4)
    axes[0].imshow(image, cmap="gray")
    axes[0].set_xticks(np.arange(-0.5, 64, 8), [])
    axes[0].set_yticks(np.arange(-0.5, 64, 8), [])
    axes[0].grid(color="w", linewidth=0.4)
    axes[0].set_title("64 tokens: patches of 8 x 8 pixels")
    shades = {"vmin": 0, "vmax": exact.max(), "cmap": "viridis"}
    axes[1].imshow(exact, **shades)
    axes[1].set_title("scores Q K$^T$, neurons in floating point")
    shown = axes[2].imshow(decoded, **shades)
    axes[2].set_title("scores of the integers")
    figure.colorbar(shown, ax=axes[1:3], label="score, mean over steps")
    error = decoded - exact
    limit = np.abs(error).max()
    shown = axes[3].imshow(error, cmap="RdBu", vmin=-limit, vmax=limit)
    correlation = np.corrcoef(decoded.ravel(), exact.ravel())[0, 1]
    axes[3].set_title(f"difference, correlation {correlation:.5f}")
    figure.colorbar(shown, ax=axes[3], label="score error")
    for ax in axes[1:]:
        ax.set_xlabel("key token j")
    axes[1].set_ylabel("query token i")
    figure.savefig(path, dpi=130)


def plot_cycles(measured: Any, config: A2OS2A, photograph: Any, path: Path) -> None:
    """Plot cycles of both orders against density, and the number of nonzero values for `kv`."""
    figure = Figure(figsize=(5.8, 4.2), layout="constrained")
    ax = figure.subplots()
    labels = {"kv": "kv: state first", "qk": "qk: scores first"}
    for order, cycles in measured.items():
        ax.loglog(list(cycles), list(cycles.values()), "o-", markersize=4, label=labels[order])
    densities = np.array(list(measured["kv"]))
    dense = 2 * config.tokens * config.head_dim * config.groups
    ax.loglog(densities, densities * dense, "k--", linewidth=0.8, label="nonzero values, kv")
    ax.axhline(schedule.cycles(config), color="0.8", linewidth=0.8, zorder=0)
    ax.axvline(photograph, color="tab:green", linewidth=1, label="the photograph's Q and K")
    ax.set_xlabel("share of nonzero values")
    ax.set_ylabel("cycles per attention, RTL")
    ax.set_title(f"N = D = {config.tokens}, {config.lanes} lanes: a zero costs `kv` no cycle")
    ax.grid(which="both", alpha=0.2)
    ax.legend()
    figure.savefig(path, dpi=130)
