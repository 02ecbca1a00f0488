"""The confusion matrix of an evaluation as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from spikeloom.networks.evaluation import Evaluation

LARGE = 20  # classes, above which cells hold no numbers
CELL, MARGIN = 0.5, 2.2  # inches


def draw_confusion(evaluation: Evaluation) -> Figure:
    """Images of each class (row) by the class that the network gives (column). The colour is the
    share of the row, the number in a cell counts images; the diagonal is right."""
    counts, names = np.array(evaluation.confusion), evaluation.classes
    totals = counts.sum(1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    side = MARGIN + CELL * min(len(names), LARGE)
    figure = Figure(figsize=(side + 0.6, side), layout="constrained")
    ax = figure.subplots()
    drawn = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(drawn, ax=ax, label="share of the images of a class", shrink=0.8)
    if len(names) <= LARGE:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = "w" if shares[row, column] > 0.5 else "k"
                ax.text(column, row, f"{count:,}", ha="center", va="center", color=colour, size=8)
        ticks = range(len(names))
        ax.set_xticks(ticks, names, rotation=60, ha="right", rotation_mode="anchor")
        ax.set_yticks(ticks, names)
    ax.set_xlabel(f"class that {evaluation.network} gives")
    ax.set_ylabel("true class")
    ax.set_title(
        f"{evaluation.network} on {evaluation.backend}: {100 * evaluation.accuracy:.2f} % of "
        f"{evaluation.images:,} images are right"
    )
    return figure
