"""Order `qk`, second half: adds scores to the outputs or subtracts them, depending on V."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Out, connect, flipped

from ...blocks.add_with_carry import add_with_carry
from ...blocks.component import Component
from ...blocks.memory_attributes import NO_READ_WRITE_COLLISION
from .operands import beat, output_data, signed_term, spike_and_sign
from .score_memory import ListReader
from .score_stage import score_entry, value_address, value_write

if TYPE_CHECKING:
    from .core import A2OS2A


class ScoreSums(Component):
    """``o[i] = sum_j S[i, j] V[j]``, `lanes` values per score and cycle.

    A query takes one cycle per group of outputs and nonzero score, or one per group without scores.
    The whole pipeline stalls with the output stream.

    Members
    -------
    values : Out(value_write), writes a group of V.
    scores : Out(ListReader), the scores of each query; `end` marks the last query of a sequence.
    idle : Out(1), no read of V is pending.
    o : Out(stream of {data: `lanes` signed values, last}); `o.ready` enables the whole pipeline,
        regardless of `o.valid`.
    """

    def __init__(self, config: A2OS2A) -> None:
        self._config = config
        super().__init__(
            {
                "values": Out(value_write(config)),
                "scores": Out(ListReader(config.tokens, score_entry(config))),
                "idle": Out(1, init=1),  # pyright: ignore[reportCallIssue]
                "o": Out(stream.Signature(beat(output_data(config)))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config
        scores = self.scores

        m.submodules.memory = memory = Memory(
            shape=len(self.values.data),
            depth=1 << value_address(config).size,
            init=[],
            attrs=NO_READ_WRITE_COLLISION,
        )
        write = memory.write_port()
        read = memory.read_port()
        connect(m, flipped(self.values), write)

        # Read one score per cycle, and all scores once per group.
        advance = self.o.ready
        group = Signal(range(config.groups))
        number = Signal(range(config.tokens + 1))
        ask = scores.full & advance
        close = number + 1 >= scores.count
        last_group = group == config.groups - 1
        m.d.comb += [
            scores.addr.eq(number[: len(scores.addr)]),
            scores.en.eq(advance),
            scores.release.eq(ask & close & last_group),
        ]
        with m.If(ask):
            m.d.sync += number.eq(Mux(close, 0, number + 1))
            with m.If(close):
                m.d.sync += group.eq(Mux(last_group, 0, group + 1))

        # Four stages: score at the memory's output, address of V, V at the memory's output, adders.
        mark_layout = data.StructLayout(
            {"valid": 1, "active": 1, "close": 1, "end": 1, "group": range(config.groups)}
        )
        marks = [Signal(mark_layout, name=f"mark_{n}") for n in range(4)]
        with m.If(advance):
            m.d.sync += [
                marks[0].valid.eq(scores.full),
                marks[0].active.eq(scores.count != 0),
                marks[0].close.eq(close),
                marks[0].end.eq(last_group & scores.end),
                marks[0].group.eq(group),
            ]
            for before, after in pairwise(marks):
                m.d.sync += after.eq(before)
            # One cycle ahead of the valid marks.
            m.d.sync += self.idle.eq(~(scores.full | Cat(mark.valid for mark in marks[:-1]).any()))

        entry = Signal.like(scores.data, reset_less=True)
        addends = [Signal(config.score_bits, name=f"score_{n}", reset_less=True) for n in range(2)]
        values = Signal(len(read.data), reset_less=True)
        address = Signal(value_address(config))
        m.d.comb += [
            address.part.eq(marks[1].group),
            address.key.eq(entry.key),
            read.addr.eq(address),
            read.en.eq(advance),
        ]
        with m.If(advance):
            m.d.sync += [
                entry.eq(scores.data),
                addends[0].eq(entry.score),
                addends[1].eq(addends[0]),
                values.eq(read.data),
            ]
            with m.If(~marks[2].active):
                m.d.sync += values.eq(0)

        # Each lane adds the score, subtracts it or keeps its sum.
        adding = marks[3]
        out = self.o.payload.data
        for n in range(config.lanes):
            spike, minus = spike_and_sign(config, values, n)
            term = signed_term(addends[1], spike, minus)
            acc = Signal(signed(config.acc_bits), name=f"acc_{n}", reset_less=True)
            total = Signal(signed(config.acc_bits), name=f"total_{n}")
            m.d.comb += total.eq(add_with_carry(acc, term, minus))
            with m.If(advance):
                m.d.sync += [acc.eq(total), out.word_select(n, config.acc_bits).eq(total)]
                with m.If(adding.close | ~adding.valid):
                    m.d.sync += acc.eq(0)
        with m.If(advance):
            m.d.sync += [
                self.o.valid.eq(adding.valid & adding.close),
                self.o.payload.last.eq(adding.end),
            ]

        return m
