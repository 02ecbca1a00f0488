"""Leaky integrate-and-fire neurons, time-multiplexed over one set of adders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest
from ...blocks.memory_attributes import NO_READ_WRITE_COLLISION

if TYPE_CHECKING:
    from .core import SpikingNeurons

RETURN = 3  # cycles from the read of a state in memory to the first read of the updated state


class NeuronBank(Component):
    """The neurons of a `SpikingNeurons` core, `lanes` per cycle, with their state in memory.

    Beats arrive in the order of the neurons, time step by time step; after T steps every state
    restarts from zero. One beat per cycle, `delay` cycles of latency. It uses only additions and
    shifts. Populations of fewer beats than the latency of a state update keep the state in
    registers.

    Parameters
    ----------
    config : SpikingNeurons.

    Members
    -------
    i : In(stream of {data: `lanes` concatenated signed inputs, last}); `last` is forwarded.
    o : Out(stream of {data: `lanes` concatenated spikes, last}).
    """

    delay = 3  # cycles from an input to its spikes

    def __init__(self, config: SpikingNeurons) -> None:
        self.config = config

        def beats(bits):
            payload = data.StructLayout({"data": config.lanes * bits, "last": 1})
            return stream.Signature(payload)

        super().__init__({"i": In(beats(config.input_bits)), "o": Out(beats(config.spike_bits))})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        width = config.potential_bits

        m.submodules.loops = loops = LoopNest(time=config.steps, word=config.words)
        # Three stages: read address, state at the memory's output, update.
        advance = ~self.o.valid | self.o.ready
        beat_layout = data.StructLayout(
            {"input": self.i.payload.shape(), "fresh": 1, "word": range(config.words)}
        )
        reading = Signal(beat_layout, reset_less=True)
        adding = Signal(beat_layout, reset_less=True)
        reading_valid, adding_valid = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(advance),
            loops.step.eq(self.i.valid & self.i.ready),
        ]
        with m.If(advance):
            m.d.sync += [
                reading_valid.eq(loops.step),
                reading.input.eq(self.i.payload),
                reading.fresh.eq(loops.time == 0),
                reading.word.eq(loops.word),
                adding_valid.eq(reading_valid),
                adding.eq(reading),
                self.o.valid.eq(adding_valid),
                self.o.payload.last.eq(adding.input.last),
            ]

        renewed = Signal(config.lanes * width)
        if config.words < RETURN:
            states = self._states_in_registers(m, renewed, adding, advance & adding_valid)
        else:
            states = self._states_in_memory(
                m, renewed, loops.word, reading, adding, adding_valid, advance
            )
        for n in range(config.lanes):
            state = states.word_select(n, width).as_signed()
            x = adding.input.data.word_select(n, config.input_bits).as_signed()
            spike, left = self._fire(m, n, state, x)
            m.d.comb += renewed.word_select(n, width).eq(left)
            with m.If(advance):
                m.d.sync += self.o.payload.data.word_select(n, config.spike_bits).eq(spike)

        return m

    def _states_in_registers(self, m, renewed, adding, taken):
        """The states at the adders; with `taken`, the `renewed` ones are appended to the queue."""
        queue = Signal(self.config.words * len(renewed), reset_less=True)
        states = Signal.like(renewed)
        m.d.comb += states.eq(Mux(adding.fresh, 0, queue))
        with m.If(taken):
            m.d.sync += queue.eq(Cat(queue, renewed)[len(renewed) :])
        return states

    def _states_in_memory(self, m, renewed, word, reading, adding, adding_valid, advance):
        """The states at the adders, which were read two cycles before and are written back."""
        m.submodules.memory = memory = Memory(
            shape=len(renewed), depth=self.config.words, init=[], attrs=NO_READ_WRITE_COLLISION
        )
        read, write = memory.read_port(), memory.write_port()
        states = Signal.like(renewed, reset_less=True)
        m.d.comb += [
            read.addr.eq(word),
            read.en.eq(advance),
            write.addr.eq(adding.word),
            write.data.eq(renewed),
            write.en.eq(adding_valid),
        ]
        with m.If(advance):
            m.d.sync += states.eq(read.data)
            with m.If(reading.fresh):
                m.d.sync += states.eq(0)
        return states

    def _fire(self, m, n, state, x):
        """Spike and next state of lane `n`."""
        config = self.config
        width = config.potential_bits
        threshold = config.threshold

        potential = Signal(signed(width), name=f"potential_{n}")
        up, down = Signal(name=f"up_{n}"), Signal(name=f"down_{n}")
        m.d.comb += [potential.eq(state + x), up.eq(potential >= threshold)]
        if config.output == "ternary":
            m.d.comb += down.eq(potential <= -threshold)

        left = Signal(signed(width), name=f"left_{n}")
        m.d.comb += left.eq(potential)
        with m.If(up):
            m.d.comb += left.eq(potential - threshold if config.reset == "soft" else 0)
        with m.If(down):
            m.d.comb += left.eq(potential + threshold if config.reset == "soft" else 0)

        renewed = Signal(signed(width), name=f"renewed_{n}")
        m.d.comb += renewed.eq(_times(left, config.leak_numerator) >> config.leak_shift)
        return Cat(up | down, down)[: config.spike_bits], renewed


def _times(value, factor):
    """`value` times a constant, by shifts and additions."""
    places = [n for n in range(factor.bit_length()) if factor >> n & 1]
    return sum((value << n for n in places), 0)
