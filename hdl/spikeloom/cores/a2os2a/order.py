"""Common interface of the two orders of the sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from .operands import beat, held_beat, output_data

if TYPE_CHECKING:
    from .core import A2OS2A


class Order(Component):
    """Attention over one sequence after the other; each order of the sums is a subclass.

    Parameters
    ----------
    config : A2OS2A.

    Members
    -------
    run : In(1), process tokens while high.
    ended : Out(1), high for one cycle when the last token of a sequence has been read.
    q, k, v : In(stream of `held_beat`).
    o : Out(stream of {data, last}).
    saturated : Out(1), an element of the state has saturated.
    """

    def __init__(self, config: A2OS2A) -> None:
        self._config = config
        super().__init__(
            {
                "run": In(1),
                "ended": Out(1),
                **{name: In(stream.Signature(held_beat(config, name))) for name in "qkv"},
                "o": Out(stream.Signature(beat(output_data(config)))),
                "saturated": Out(1),
            }
        )
