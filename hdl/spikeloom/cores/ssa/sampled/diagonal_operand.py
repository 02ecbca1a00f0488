"""Operand memory for several time steps, read along diagonals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ....blocks.bank_ring import BankRing
from ....blocks.component import Component
from ....blocks.memory_attributes import LUT_RAM_DEPTH, NO_READ_WRITE_COLLISION, has_bit_mask
from ....blocks.pipeline import Pipeline
from ....blocks.select import select, select_some
from .corner_turn import CornerTurn
from .layout import banks, blocks, feed_beats, skew

if TYPE_CHECKING:
    from ..core import SSA


class DiagonalOperand(Component):
    """Spikes of K or V, in `layout.banks` rounds of `steps_at_once` time steps.

    Word `b` of a time step's tensor M holds ``M[(x mod D + b) mod N, x]`` of every column x. A
    beat is row `n` of each time step of a round, or `feed_rate` words of each if ``config.feed`` is
    "diagonals".

    The words of a beat are in memories of their own, so that they are written together. A read
    reads all of these memories and selects one word.

    Parameters
    ----------
    config : SSA.
    operand : "k" or "v".
    words : words read per query.

    Members
    -------
    i : In(stream of beats), the rows or words of the first time step in the lowest bits.
    full : Out(1), claim, release : In(1): as for `BankRing`.
    advance : In(1), read enable.
    b_0, b_1, ... : In(range(N)), word of each read, by time step, query lane and word.
    o_0, o_1, ... : Out(width), those words `layout.read_delay` cycles later.
    """

    def __init__(self, config: SSA, operand: str, *, words: Any = 1) -> None:
        self._config = config
        self._width = config.width(operand)
        self._reads_per_step = config.lanes * words
        reads = config.steps_at_once * self._reads_per_step
        super().__init__(
            {
                "i": In(stream.Signature(config.spike_bits(operand))),
                "full": Out(1),
                "claim": In(1),
                "release": In(1),
                "advance": In(1),
                **{f"b_{n}": In(range(config.tokens)) for n in range(reads)},
                **{f"o_{n}": Out(self._width) for n in range(reads)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        # Memories of a time step, side by side: blocks of columns, or the words of a beat.
        words = config.feed_rate
        step_blocks = blocks(config, self._width) * words
        masked = skew(config) > 0 and has_bit_mask(platform)
        m.submodules.turn = turn = CornerTurn(
            feed_beats(config), step_blocks * config.steps_at_once, skew(config), masked=masked
        )
        wiring.connect(m, wiring.flipped(self.i), turn.i)

        m.submodules.ring = ring = BankRing(banks(config))
        m.d.comb += [
            turn.w.free.eq(ring.free),
            ring.reserve.eq(turn.w.reserve),
            ring.close.eq(turn.w.close),
            self.full.eq(ring.full),
            ring.claim.eq(self.claim),
            ring.release.eq(self.release),
        ]

        # Each bank starts at a multiple of a power of two, so that addresses need no adder.
        stride = 1 << (feed_beats(config) - 1).bit_length()
        which = (words - 1).bit_length()  # low bits of the number of a word: its place in the beat
        # Memories of LUTs are fast enough for a selection before the register.
        early = int(words > 1 and banks(config) * stride <= LUT_RAM_DEPTH)
        pipeline = Pipeline(m, self.advance)
        column = 0
        for step in range(config.steps_at_once):
            first_read = step * self._reads_per_step
            reads = [[] for _ in range(self._reads_per_step)]
            for n, (width, _) in enumerate(step_blocks):
                block = step * len(step_blocks) + n
                m.submodules[f"memory_{block}"] = memory = Memory(
                    shape=width,
                    depth=banks(config) * stride,
                    init=[],
                    attrs=NO_READ_WRITE_COLLISION,
                )
                write = memory.write_port(granularity=1 if masked else None)
                m.d.comb += [
                    write.addr.eq(Cat(turn.w.addr[block], ring.w_bank)),
                    write.data.eq(turn.w.data[column : column + width]),
                    write.en.eq(turn.w.en[column : column + width] if masked else turn.w.en),
                ]
                column += width
                for read, parts in enumerate(reads):
                    port = memory.read_port()
                    number = getattr(self, f"b_{first_read + read}")
                    m.d.comb += [
                        port.en.eq(self.advance),
                        port.addr.eq(Cat(number[which:], ring.r_bank)),
                    ]
                    parts.append(port.data)
            for read, parts in enumerate(reads):
                n = first_read + read
                word = Cat(parts)
                if words > 1:
                    place = pipeline.delay(getattr(self, f"b_{n}")[:which], 1, f"place_{n}")
                    parts = select_some(parts, place[:early])
                    held = [
                        pipeline.register(part, f"held_{n}_{k}") for k, part in enumerate(parts)
                    ]
                    word = select(held, pipeline.register(place[early:], f"place_{n}_held"))
                m.d.comb += getattr(self, f"o_{n}").eq(word)

        return m
