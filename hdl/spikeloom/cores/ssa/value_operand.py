"""Value memory with bitstream encoders: values in, newly drawn spikes out in every time step."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest
from ...blocks.seeding import Seeding
from ...random.bernoulli_encoder import BernoulliEncoder
from ...random.random_source import RandomSource


class ValueOperand(Component):
    """Stores `tokens` x `width` values and encodes them anew in each of `steps` time steps.

    A value is a threshold 0..2**value_bits, and its spike has probability ``threshold /
    2**value_bits``, including 0 and 1. Values arrive one per beat, token by token; spikes leave in
    blocks of `rows` tokens times `lanes`, one block per cycle.

    Members
    -------
    seeding : In(Seeding()); loading also starts a run of all time steps.
    run : In(1), encode.
    i : In(stream of ``value_bits + 1`` bits).
    o : Out(stream of ``rows * lanes`` spikes).

    Source: SSA, arXiv 2402.09109, rate coding of inputs.
    """

    def __init__(
        self,
        tokens: int,
        width: int,
        *,
        steps: int,
        value_bits: int,
        rows: int,
        lanes: int,
        strategy: str,
        stream_number: int,
    ) -> None:
        self._groups = tokens // rows
        self._columns = width // lanes
        self._steps = steps
        self._value_bits = value_bits
        self._rows = rows
        self._lanes = lanes
        self._randomness = {"strategy": strategy, "stream": stream_number}
        super().__init__(
            {
                "seeding": In(Seeding()),
                "run": In(1),
                "i": In(stream.Signature(value_bits + 1)),
                "o": Out(stream.Signature(rows * lanes)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        seeding = self.seeding

        cells = self._rows * self._lanes
        code_bits = self._value_bits + 1
        column_bits = (self._columns - 1).bit_length()
        m.submodules.memory = memory = Memory(
            shape=cells * code_bits, depth=self._groups << column_bits, init=[]
        )
        write = memory.write_port(granularity=code_bits if cells > 1 else None)
        read = memory.read_port()

        # Values are written while the memory is empty, and kept for all time steps.
        loaded = Signal()
        m.submodules.fill = fill = LoopNest(
            group=self._groups, row=self._rows, column=self._columns, lane=self._lanes
        )
        written = self.i.valid & self.i.ready
        m.d.comb += [
            self.i.ready.eq(~loaded),
            fill.step.eq(written),
            write.addr.eq(Cat(fill.column, fill.group)),
            write.data.eq(self.i.payload.replicate(cells)),
        ]
        for row in range(self._rows):
            for lane in range(self._lanes):
                here = (fill.row == row) & (fill.lane == lane)
                m.d.comb += write.en[row * self._lanes + lane].eq(written & here)
        with m.If(written & fill.group_last):
            m.d.sync += loaded.eq(1)

        # One word is prefetched for the encoders; a stalled output stalls the read.
        m.submodules.replay = replay = LoopNest(
            time=self._steps, group=self._groups, column=self._columns
        )
        # Values of the next run may arrive before this one ends; they are encoded after its seed.
        valid = Signal()
        to_do = Signal()
        advance = ~valid | self.o.ready
        m.d.comb += [
            read.addr.eq(Cat(replay.column, replay.group)),
            read.en.eq(advance),
            replay.step.eq(advance & loaded & self.run & to_do),
            self.o.valid.eq(valid),
        ]
        with m.If(advance):
            m.d.sync += valid.eq(replay.step)
        with m.If(replay.step & replay.time_last):
            m.d.sync += [loaded.eq(0), to_do.eq(0)]
        with m.If(seeding.load):
            m.d.sync += to_do.eq(1)

        m.submodules.source = source = RandomSource(cells, 2**self._value_bits, **self._randomness)
        wiring.connect(m, wiring.flipped(seeding), source.seeding)
        m.d.comb += source.step.eq(seeding.load | seeding.warm | (self.o.valid & self.o.ready))
        for n in range(cells):
            m.submodules[f"encoder_{n}"] = encoder = BernoulliEncoder(self._value_bits)
            m.d.comb += [
                encoder.threshold.eq(read.data.word_select(n, code_bits)),
                encoder.random.eq(source.number(n)),
                self.o.payload[n].eq(encoder.spike),
            ]

        return m
