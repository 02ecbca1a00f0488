"""Where a patch of the photograph looks, as T grows: an animation and a page with a slider."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from spikeloom.cores.ssa import golden

from ...report_html import render
from ..pages import grey_levels, packed

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 8  # patches across, and pixels across a patch
FRAMES = (1, 2, 3, 5, 8, 12, 20, 35, 60, 100)
MILLISECONDS = 700  # of a frame; the last one stays longer
OPACITY = 0.75  # of a score of 1


def chosen_patch(patches: NDArray) -> int:
    """The patch whose scores differ most from each other."""
    return int(golden.float_scores(patches, patches).std(1).argmax())


def animate(patches: NDArray, scores: NDArray, path: Path) -> None:
    """Write a GIF of the scores of `chosen_patch`, decoded from the first T steps of spikes
    `scores` (T, N, N), beside those in floating point."""
    token = chosen_patch(patches)
    exact = golden.float_scores(patches, patches)[token]
    frames = []
    for steps in (t for t in FRAMES if t <= len(scores)):
        decoded = scores[:steps, token].mean(0)
        error = np.sqrt(np.mean((decoded - exact) ** 2))
        titles = (f"by spikes, T = {steps}: error {error:.2f}", "in floating point")
        frames.append(_frame(patches, token, (decoded, exact), titles))
    times = [MILLISECONDS] * (len(frames) - 1) + [4 * MILLISECONDS]
    first, *others = frames
    first.save(path, save_all=True, append_images=others, duration=times, loop=0)


def page(patches: NDArray, scores: NDArray, saw: Sequence[str], after: str) -> str:
    """A page on which the reader chooses T and the patch; `saw` and `after` end it."""
    return render(
        "attention.html",
        photo=grey_levels(_image(patches)),
        exact=golden.float_scores(patches, patches).round(3).ravel().tolist(),
        scores=packed(scores),
        steps=len(scores),
        side=SIDE,
        token=chosen_patch(patches),
        opacity=OPACITY,
        saw=saw,
        after=after,
    )


def _image(patches: NDArray) -> NDArray:
    """The photograph from its patches."""
    grid = patches.reshape(SIDE, SIDE, SIDE, SIDE)
    return grid.transpose(0, 2, 1, 3).reshape(SIDE * SIDE, SIDE * SIDE)


def _frame(
    patches: NDArray, token: int, weights: Sequence[NDArray], titles: Sequence[str]
) -> Image.Image:
    """A frame: for each of `weights` (N,), the photograph under a red layer."""
    figure = Figure(figsize=(6.4, 3.5), layout="constrained", dpi=64)
    canvas = FigureCanvasAgg(figure)
    row, column = divmod(token, SIDE)
    for ax, weight, title in zip(figure.subplots(1, 2), weights, titles, strict=True):
        ax.imshow(_image(patches), cmap="gray")
        red = np.zeros((SIDE * SIDE, SIDE * SIDE, 4))
        red[..., 0] = 1
        red[..., 3] = OPACITY * np.kron(weight.reshape(SIDE, SIDE), np.ones((SIDE, SIDE)))
        ax.imshow(red)
        corner = (column * SIDE - 0.5, row * SIDE - 0.5)
        ax.add_patch(Rectangle(corner, SIDE, SIDE, fill=False, edgecolor="deepskyblue", lw=2))
        ax.set_title(title, fontsize=11)
        ax.set_axis_off()
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    # Maximum coverage keeps the few pixels of the frame blue.
    return picture.quantize(192, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
