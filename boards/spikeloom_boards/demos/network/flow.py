"""A page on which the reader chooses a picture and sees its spikes flow layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...report_html import render
from ..pages import packed, png_address
from .measured import pictures

if TYPE_CHECKING:
    from .measured import Measured

MAX_PICTURES = 12  # which keep the page below a megabyte


def flow_page(measured: Measured, saw: Sequence[str], after: str) -> str:
    """The page; `saw` and `after` end it."""
    graph = measured.core.GRAPH
    count = min(MAX_PICTURES, measured.shown)
    images = pictures(graph, measured.images[:count])
    names = list(graph.classes)
    chosen = [
        {
            "number": n,
            "address": png_address(images[n]),
            "found": names[measured.found[n]],
            "truth": names[measured.labels[n]],
            "right": bool(measured.found[n] == measured.labels[n]),
            "logits": measured.logits[n].tolist(),
            "spikes": packed(np.concatenate([one[n].ravel() for one in measured.spikes.values()])),
        }
        for n in range(count)
    ]
    layers = [
        {"name": name, "shape": spikes.shape[1:], "kind": graph.layer(name).KIND.replace("_", " ")}
        for name, spikes in measured.spikes.items()
    ]
    return render(
        "flow.html",
        network=measured.core.NAME,
        pictures=chosen,
        layers=layers,
        classes=names,
        steps=graph.steps,
        example=min(measured.example, count - 1),
        saw=saw,
        after=after,
    )
