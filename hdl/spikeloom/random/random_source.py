"""A bank of LFSRs that generates uniform random numbers according to a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from ..blocks.seeding import Seeding
from .lfsr import LFSR
from .random_plan import draw_bits, is_power_of_two, make_plan

if TYPE_CHECKING:
    from amaranth.hdl import Value


class RandomSource(Component):
    """`draws` uniform random numbers in ``0..limit - 1``, all renewed by each step.

    Exactly uniform if `limit` is a power of two; otherwise `random_plan.draw_bits` bounds the bias.
    The golden model is `spikeloom.random.golden_source`.

    Parameters
    ----------
    draws : numbers per step.
    limit : each number is below this, 1..65536.
    strategy : how registers are shared, one of `random_plan.STRATEGIES`.
    stream : number of this source within its core; different numbers share no register.

    Members
    -------
    seeding : In(Seeding()).
    step : In(1), renew all numbers at the next clock edge. It must also be high with
        `seeding.load`, which loads the registers, and with `seeding.warm`.
    o : Out, `draws` concatenated numbers; `number` selects one.
    """

    def __init__(
        self, draws: int, limit: int, *, strategy: str = "slices", stream: int = 0
    ) -> None:
        self._limit = limit
        self._width = (limit - 1).bit_length()
        self._plan = make_plan(strategy, draws, draw_bits(limit), stream)
        super().__init__(
            {
                "seeding": In(Seeding()),
                "step": In(1),
                "o": Out(draws * self._width),
            }
        )

    def number(self, n: int) -> Value:
        """Number `n` of `o`."""
        return self.o[n * self._width : (n + 1) * self._width]

    def elaborate(self, platform):
        m = Module()

        windows = []
        for n, register in enumerate(self._plan.registers):
            m.submodules[f"lfsr_{n}"] = lfsr = LFSR(register.width, register.leap)
            turned = self.seeding.seed.rotate_left(register.turn)[: register.width]
            salt = register.salt & (2**register.width - 1)
            m.d.comb += [
                lfsr.load.eq(self.seeding.load),
                lfsr.seed.eq(turned ^ salt),
                lfsr.step.eq(self.step),
            ]
            windows.append(lfsr.o)

        for n, (register, positions) in enumerate(self._plan.slots):
            raw = Cat(windows[register][position] for position in positions)
            if is_power_of_two(self._limit):
                m.d.comb += self.number(n).eq(raw)
            else:
                with m.If(self.step):
                    m.d.sync += self.number(n).eq(_times(raw, self._limit) >> len(raw))

        return m


def _times(value, factor):
    """`value` times a constant, by shifts and additions."""
    return sum(value << n for n in range(factor.bit_length()) if factor >> n & 1)
