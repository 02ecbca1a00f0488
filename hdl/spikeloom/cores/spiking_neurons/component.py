"""Leaky integrate-and-fire neurons, time-multiplexed over one set of adders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.event_count import EventCount
from ...blocks.loop_nest import LoopNest
from ...blocks.memory_attributes import NO_READ_WRITE_COLLISION
from ...blocks.skid_buffer import SkidBuffer
from ..channels import per_channel, words_of

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
    saturated : Out(counter_bits), potentials held at the end of their range since reset; only if
        they can be.
    """

    delay = 3  # cycles from an input to its spikes

    def __init__(self, config: SpikingNeurons) -> None:
        self.config = config

        def beats(bits):
            payload = data.StructLayout({"data": config.lanes * bits, "last": 1})
            return stream.Signature(payload)

        flags = {"saturated": Out(config.counter_bits)} if config.saturates else {}
        super().__init__(
            {"i": In(beats(config.input_bits)), "o": Out(beats(config.spike_bits))} | flags
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config

        m.submodules.loops = loops = LoopNest(time=config.steps, word=config.words)
        # Three stages: read address, state at the memory's output, update. Whether they advance is
        # a register, so that a stall of the output does not reach the input in the same cycle.
        out, out_valid, advance = self._output(m)
        marks = {"fresh": 1, "final": 1, "word": range(config.words)}
        beat_layout = data.StructLayout({"input": self.i.payload.shape()} | marks)
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
                reading.final.eq(loops.time == config.steps - 1),
                reading.word.eq(loops.word),
                adding_valid.eq(reading_valid),
                adding.eq(reading),
                out_valid.eq(adding_valid),
                out.last.eq(adding.input.last),
            ]

        renewed = Signal(config.lanes * config.membrane_bits)
        if config.words < RETURN:
            states = self._states_in_registers(m, renewed, adding, advance & adding_valid)
        else:
            states = self._states_in_memory(
                m, renewed, loops.word, reading, adding, adding_valid, advance
            )
        thresholds = self._thresholds(m, loops.step, advance)
        held = Signal(config.lanes)
        for n, threshold in enumerate(thresholds):
            state = states.word_select(n, config.membrane_bits).as_signed()
            x, x_before = (
                beat.input.data.word_select(n, config.input_bits).as_signed()
                for beat in (adding, reading)
            )
            spike, left = self._fire(m, n, state, x, x_before, threshold, advance)
            kept, over = self._keep(m, n, left)
            m.d.comb += [
                renewed.word_select(n, config.membrane_bits).eq(kept),
                held[n].eq(over & advance & adding_valid & ~adding.final),
            ]
            with m.If(advance):
                m.d.sync += out.data.word_select(n, config.spike_bits).eq(spike)
        if config.saturates:
            m.submodules.count = count = EventCount(config.lanes, config.counter_bits)
            m.d.comb += [count.events.eq(held), self.saturated.eq(count.total)]

        return m

    def _output(self, m):
        """Payload and valid of the output in front of its skid buffer, whose ready advances the
        stages."""
        out = Signal.like(self.o.payload, reset_less=True)
        valid = Signal()
        m.submodules.skid = skid = SkidBuffer(len(out.as_value()))
        m.d.comb += [
            skid.i.payload.eq(out),
            skid.i.valid.eq(valid),
            self.o.payload.eq(skid.o.payload),
            self.o.valid.eq(skid.o.valid),
            skid.o.ready.eq(self.o.ready),
        ]
        return out, valid, skid.i.ready

    def _thresholds(self, m, step, advance):
        """The threshold of each lane for the beat at the memory's output."""
        lanes = self.config.lanes
        words = words_of(per_channel(self.config.threshold), lanes)
        if len(words) == 1:
            return words[0]
        bits = max(max(word) for word in words).bit_length()
        m.submodules.channels = channels = LoopNest(word=len(words))
        rows = [sum(x << n * bits for n, x in enumerate(word)) for word in words]
        m.submodules.thresholds = memory = Memory(
            shape=lanes * bits, depth=len(rows), init=rows, attrs=NO_READ_WRITE_COLLISION
        )
        read = memory.read_port()
        m.d.comb += [channels.step.eq(step), read.addr.eq(channels.word), read.en.eq(advance)]
        return [read.data.word_select(n, bits) for n in range(lanes)]

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

    def _fire(self, m, n, state, x, x_before, threshold, advance):
        """Spike of lane `n`, and the potential after it, before the leak.

        Input and threshold are added a stage ahead, so that the sums are compared with zero: sum
        and comparison take a single adder's time.
        """
        config = self.config

        def summed(name, ahead):
            early = Signal.like(ahead, name=f"{name}_input_{n}", reset_less=True)
            with m.If(advance):
                m.d.sync += early.eq(ahead)
            total = Signal((state + early).shape(), name=f"{name}_{n}")
            m.d.comb += total.eq(state + early)
            return total

        potential = Signal(signed(config.potential_bits), name=f"potential_{n}")
        up, down = Signal(name=f"up_{n}"), Signal(name=f"down_{n}")
        above = summed("above", x_before - threshold)
        m.d.comb += [potential.eq(state + x), up.eq(above >= 0)]
        below = above
        if config.output == "ternary":
            below = summed("below", x_before + threshold - 1)
            m.d.comb += down.eq(below < 0)

        left = Signal(signed(config.potential_bits), name=f"left_{n}")
        m.d.comb += left.eq(potential)
        soft = config.reset == "soft"
        with m.If(up):
            m.d.comb += left.eq(above if soft else 0)
        with m.If(down):
            m.d.comb += left.eq(below + 1 if soft else 0)
        return Cat(up | down, down)[: config.spike_bits], left

    def _keep(self, m, n, left):
        """The potential of lane `n` for the next step, and whether it is held at the end of its
        range."""
        config = self.config
        kept = config.membrane_bits
        renewed = Signal(signed(config.potential_bits), name=f"renewed_{n}")
        m.d.comb += renewed.eq(_times(left, config.leak_numerator) >> config.leak_shift)
        if not config.saturates:
            return renewed, Const(0)
        excess, sign = renewed[kept - 1 :], renewed[-1]
        over = excess.any() & ~excess.all()
        return Mux(over, Cat((~sign).replicate(kept - 1), sign), renewed[:kept]), over


def _times(value, factor):
    """`value` times a constant, by shifts and additions."""
    places = [n for n in range(factor.bit_length()) if factor >> n & 1]
    return sum((value << n for n in places), 0)
