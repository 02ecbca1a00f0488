"""Where currents lie in their memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..graph import Graph
from ..layers import Pooling, Residual
from ..ranges import Range
from ..signals import Currents, Spikes
from .bitmaps import Bitmap, Places, allocate, padded
from .source import Source
from .window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping


class CurrentStorage:
    """A region of the memory of currents for each signal, before and after they have addresses.

    Parameters
    ----------
    network : Graph. lanes : of a word. unit : outputs to whose multiple a row is padded.
    """

    def __init__(self, network: Graph, lanes: int, unit: int) -> None:
        self._network = network
        self._lanes = lanes
        self._unit = unit
        self._regions: dict[str, Bitmap] = {}
        self._phased = any(
            isinstance(one, Spikes) and one.shift > 0 for one in network.signals.values()
        )
        self._signals: Mapping[str, Currents] = {
            name: signal for name, signal in network.signals.items() if isinstance(signal, Currents)
        }

    @property
    def bits(self) -> int:
        """Bits of a current."""
        ranges = (Range(signal.low, signal.high) for signal in self._signals.values())
        return max((one.bits for one in ranges), default=0)

    def groups(self, name: str) -> int:
        """Words of a step of a token."""
        return padded(self._signals[name].dims, self._unit) // self._lanes

    def rows(self, name: str) -> int:
        """Steps that are stored: in networks of phase codes, one of currents that are constant."""
        signal = self._signals[name]
        return 1 if self._phased and signal.constant else signal.steps

    def read(self, operation: int, *names: str, window: Pooling | None = None) -> Source:
        """Currents that an operation reads: one signal or two, which are added."""
        regions = [self._region(name) for name in names]
        for region in regions:
            region.used(operation)
        source = Source(regions[0], 0, names, Places((0,)), second=regions[-1])
        if window is None:
            return source
        grid = window.grid_of(self._signals[names[0]], names[0])
        return replace(source, window=Window(window.windows, grid, shared=True))

    def write(self, name: str, operation: int) -> Bitmap:
        """The region of a signal that an operation writes."""
        region = self._region(name)
        region.used(operation)
        return region

    def allocate(self) -> int:
        """Give addresses. Returns the words of the memory."""
        return allocate(list({id(one): one for one in self._regions.values()}.values()), 0)

    def _region(self, name: str) -> Bitmap:
        """The region of a signal. The sum of a shortcut replaces its first summand, if all layers
        that read that come before."""
        if name not in self._regions:
            layer, signal = self._network.layer(name), self._signals[name]
            if isinstance(layer, Residual) and self._replaces(layer):
                self._regions[name] = self._region(layer.inputs[0])
            else:
                groups = self.groups(name)
                words = signal.tokens * self.rows(name) * groups
                self._regions[name] = Bitmap(groups, words, [name])
        return self._regions[name]

    def _replaces(self, layer: Residual) -> bool:
        first, *others = layer.inputs
        readers = [one for one in self._network.layers if first in one.inputs]
        return first not in others and readers[-1] is layer
