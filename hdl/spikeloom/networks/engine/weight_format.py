"""Weights in memory: how wide a word of a lane is, and weights of two digits.

A weight that is wider than a lane's word is two of them, ``W = (high << shift) + low``. The lister
lists two events for each spike: one that adds the row of the low digits, and one that adds the row
of the high ones as constants are added, shifted. So the shift is that of constants, one for all
layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..graph import INPUT, Graph
from ..layers import Attention, Convolution, Layer, Linear, Neurons, PatchEmbedding
from ..layers.linear import FRACTION
from ..layers.weighted import Weighted, digit_limits
from .bitmaps import Columns, Places, padded
from .code_storage import reads_codes
from .constants import fewest_doubled_rows, fewest_step_rows, split
from .operation import PIECE_BITS
from .rests import step_constant, varied_rest

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEVER = 10**6  # more rows than any constant needs


@dataclass(frozen=True)
class WeightFormat:
    """How the engine stores the weights of a network.

    Parameters
    ----------
    network : Graph.
    shift : places by which high digits and constants are shifted.
    """

    network: Graph
    shift: int

    @property
    def bits(self) -> int:
        """Bits of a digit."""
        return self.network.word_bits

    def end(self, layer: Layer, values: Columns | Places) -> int:
        """The row behind the weights of a layer that reads `values`."""
        digits = self.network.digits(layer)
        return values.end if digits == 1 else digits * padded(values.end, PIECE_BITS)

    def rows(
        self,
        layer: Weighted,
        values: Columns | Places,
        columns: Columns,
        constants: Sequence[NDArray],
    ) -> NDArray:
        """The matrix of a layer in memory: rows of weights, and then `constants`, which are as
        wide. With two digits, each 16 rows of low digits are followed by those of the high ones."""
        end, digits = self.end(layer, values), self.network.digits(layer)
        rows = np.zeros((end + len(constants), len(constants[0])), np.int64)
        piece, bit = np.divmod(np.array(values.places), PIECE_BITS)
        for n, digit in enumerate(self._split(layer)):
            at = (digits * piece + n) * PIECE_BITS + bit
            rows[np.ix_(at, np.array(columns.places))] = digit
        rows[end:] = constants
        return rows

    def _split(self, layer: Weighted) -> list[NDArray]:
        """The digits of the weights, the low ones first."""
        if self.network.digits(layer) == 1:
            return [layer.weight]
        high_and_low = split(layer.weight, [1 << self.shift, 1], self.bits)
        assert high_and_low is not None  # by the choice of the shift
        return high_and_low[::-1]


def weight_format(network: Graph) -> WeightFormat:
    """The format whose shift is the one with the fewest entries in event lists, over all layers,
    of those with which all weights fit. Sums of phase codes need the shift `FRACTION`."""
    shifts: Sequence[int] = possible_shifts(network)
    if any(reads_codes(network, layer) for layer in network.layers):
        shifts = [FRACTION]
    costs = {shift: _entries(network, shift) for shift in shifts}
    return WeightFormat(network, min(costs, key=lambda shift: (costs[shift], -shift)))


def possible_shifts(network: Graph) -> range:
    """The shifts with which all weights fit one or two digits."""
    bits = network.word_bits
    wide = [layer.weight for layer in network.weighted if network.digits(layer) > 1]
    lowest = min((int(weight.min()) for weight in wide), default=0)
    highest = max((int(weight.max()) for weight in wide), default=0)
    first = 0
    while not (digit_limits(bits, first)[0] <= lowest and highest <= digit_limits(bits, first)[1]):
        first += 1
    return range(first, bits + 1)


def _entries(network: Graph, shift: int) -> int:
    """Entries of constants in event lists, over all layers."""
    total, bits = 0, network.word_bits
    for layer in network.layers:
        if not isinstance(layer, Linear | Attention | PatchEmbedding | Convolution | Neurons):
            continue
        if layer.inputs == (INPUT,):
            doubled = fewest_doubled_rows(step_constant(layer), shift, bits, network.pixel_bits - 1)
            count, times = sum(map(len, doubled or ())), 1
        else:
            constants = (step_constant(layer), varied_rest(layer))
            counts = [
                len(fewest_step_rows(one, shift, bits) or ())
                for one in constants
                if one is not None
            ]
            count, times = sum(counts) if all(counts) else 0, network.steps
        total += (count or NEVER) * times * getattr(layer, "outputs", 1)
    return total
