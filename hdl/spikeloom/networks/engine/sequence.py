"""The exact cycles of images that follow each other, on one engine or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .schedule import OUTSIDE, operation_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .program import Program

# From the label of a run to the first logit of the next one, if that was computed ahead.
BETWEEN = 2


@dataclass(frozen=True)
class ImageTime:
    """Cycles of an image from its start to its label, and those of its `outputs`: from the first
    logit to the label."""

    cycles: int
    outputs: int

    @classmethod
    def of(cls, program: Program, spikes: Mapping[str, NDArray], pixels: NDArray) -> ImageTime:
        """Parameters as for `operation_counts`."""
        cycles, outputs = OUTSIDE, None
        for operation, count in operation_counts(program, spikes, pixels):
            cycles += count
            if outputs is not None:
                outputs += count
            elif operation.logits:
                outputs = 2 * operation.logits
        return cls(cycles, outputs or 0)


def sequence_cycles(times: Sequence[ImageTime], engines: int) -> list[int]:
    """Cycles from the first start to the label of each image, if `start` stays high, each image is
    present when its engine is free, and no output stalls.

    An image waits for the engine whose turn it is, and with its outputs for the run before.
    """
    labels: list[int] = []
    for n, time in enumerate(times):
        begin = labels[n - engines] + 1 if n >= engines else 0
        label = begin + time.cycles
        if labels:
            label = max(label, labels[-1] + BETWEEN + time.outputs)
        labels.append(label)
    return labels
