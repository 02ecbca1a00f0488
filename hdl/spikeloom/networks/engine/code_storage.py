"""Where phase codes lie in their memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..layers import Linear
from ..signals import Spikes
from .bitmaps import Bitmap, Columns, allocate, padded
from .operation import PIECE_BITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..graph import Graph
    from ..layers import Layer


class CodeStorage:
    """A region of the memory of codes for each signal, before and after they have addresses.

    Parameters
    ----------
    network : Graph. columns : of a signal. unit : neurons to whose multiple a row is padded.
    """

    def __init__(self, network: Graph, columns: Callable[[str], Columns], unit: int) -> None:
        self._network = network
        self._columns = columns
        self._unit = unit
        self._regions: dict[str, Bitmap] = {}

    def region(self, name: str, operation: int) -> Bitmap:
        """The region of a signal that an operation reads or writes."""
        if name not in self._regions:
            signal = self._network.signals[name]
            assert isinstance(signal, Spikes)
            row_words = padded(self._columns(name).end, self._unit) // PIECE_BITS
            self._regions[name] = Bitmap(row_words, signal.tokens * row_words, [name])
        region = self._regions[name]
        region.used(operation)
        return region

    def allocate(self) -> int:
        """Give addresses. Returns the words of the memory."""
        return allocate(list(self._regions.values()), 0)


def is_code(network: Graph, name: str) -> bool:
    """Whether a signal is a phase code."""
    signal = network.signals[name]
    return isinstance(signal, Spikes) and signal.shift > 0


def reads_codes(network: Graph, layer: Layer) -> bool:
    """Whether a layer is a linear one of phase codes."""
    return isinstance(layer, Linear) and is_code(network, layer.inputs[0])
