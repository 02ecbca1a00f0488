"""Order `kv`, second half: the state memory, its updates and the sums of the outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.add_with_carry import add_with_carry
from ...blocks.component import Component
from ...blocks.memory_attributes import NO_READ_WRITE_COLLISION
from .operands import beat, output_data, signed_term, spike_and_sign
from .state_events import address_bits, state_event

if TYPE_CHECKING:
    from .core import A2OS2A

BESIDE = 2  # lanes per memory
SHARING_K = 16  # lanes that share a register of K: one register would be far from most lanes
RETURN = 5  # cycles from the read of a word to the first read of the updated word


class Stage(NamedTuple):
    """A stage of the pipeline: an event, and whether there is one."""

    event: Any
    valid: Signal


class StateSums(Component):
    """``M[d] <- M[d] + k v`` or ``o <- o + M[d]``, `lanes` values per event, one event per cycle.

    An event stalls until an earlier update of its word is written back, `RETURN` cycles after that
    event. The last event of a group of outputs stalls while `o` holds the previous group, even in
    the cycle of its transfer: `o.ready` does not reach the pipeline, and groups of a single event
    take two cycles.

    In an open sequence the elements of the state saturate.

    Members
    -------
    i : In(stream of `state_event`).
    o : Out(stream of {data: `lanes` signed values, last}).
    saturated : Out(1), an element of the state has saturated; high until reset.
    """

    def __init__(self, config: A2OS2A) -> None:
        self._config = config
        super().__init__(
            {
                "i": In(stream.Signature(state_event(config))),
                "o": Out(stream.Signature(beat(output_data(config)))),
                "saturated": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # Six stages: input, memory address, memory output, a register behind it (block RAM has a
        # long output delay), adders, and a register before the memory's write port.
        asking, reading, holding, adding = stages = [
            Stage(
                Signal(state_event(self._config), name=name, reset_less=True),
                Signal(name=f"{name}_valid"),
            )
            for name in ("asking", "reading", "holding", "adding")
        ]
        advance = Signal(init=1)
        closing = Signal()  # adding: last event of a group of outputs
        complete = Signal()  # advance & closing: the outputs of a group are registered
        move = self._admit(m, advance, stages)
        reads, writes = self._memories(m)
        for read in reads:
            m.d.comb += [read.addr.eq(asking.event.address), read.en.eq(move)]
        words, ks, values = self._operands(m, advance, reads, reading, holding)
        renewed, overflows = self._sums(m, advance, complete, holding, (words, ks, values))
        self._write_back(m, advance, adding, writes, renewed, overflows)

        # The last event of a group completes its outputs.
        with m.If(advance):
            m.d.sync += closing.eq(holding.valid & holding.event.close)
        with m.If(complete):
            m.d.sync += self.o.payload.last.eq(adding.event.end)
        # The pipeline advances unless a group is complete while `o` holds the previous one. This is
        # the clock enable of most registers, so it is a register, determined a cycle ahead, and so
        # is the clock enable of the outputs.
        valid_next, closing_next = Signal(), Signal()
        m.d.comb += [
            valid_next.eq(complete | (self.o.valid & ~self.o.ready)),
            closing_next.eq(Mux(advance, holding.valid & holding.event.close, closing)),
        ]
        m.d.sync += [
            self.o.valid.eq(valid_next),
            advance.eq(~(closing_next & valid_next)),
            complete.eq(closing_next & ~valid_next),
        ]

        return m

    def _admit(self, m, advance, stages):
        """Move events through the stages; returns whether the first one takes an event.

        An event whose word is in the pipeline stalls until it is written.
        """
        offered = self.i.payload
        wait = Signal(range(RETURN))
        waiting = Signal()  # wait != 0
        move = advance & ~waiting

        def meets(event, valid):
            same = event.address == offered.address
            return self.i.valid & offered.active & valid & event.learn & event.active & same

        asking, reading, holding, adding = stages
        m.d.comb += self.i.ready.eq(move)
        with m.If(move):
            m.d.sync += [asking.valid.eq(self.i.valid), asking.event.eq(offered), wait.eq(0)]
            met = [meets(*stage) for stage in stages]
            for clocks, meeting in enumerate(reversed(met), start=1):
                with m.If(meeting):
                    m.d.sync += wait.eq(clocks)
            m.d.sync += waiting.eq(Cat(met).any())
        with m.Elif(advance):
            m.d.sync += [wait.eq(wait - 1), waiting.eq(wait != 1)]
        with m.If(advance):
            m.d.sync += [
                reading.valid.eq(asking.valid & ~waiting),
                reading.event.eq(asking.event),
                holding.valid.eq(reading.valid),
                holding.event.eq(reading.event),
                adding.valid.eq(holding.valid),
                adding.event.eq(holding.event),
            ]
        return move

    def _memories(self, m):
        """The read ports and write ports of the state, a few lanes each: a single memory would
        couple distant block RAMs."""
        config = self._config
        reads, writes = [], []
        for first in range(0, config.lanes, BESIDE):
            m.submodules[f"memory_{first}"] = memory = Memory(
                shape=min(BESIDE, config.lanes - first) * config.stored_bits,
                depth=1 << address_bits(config),
                init=[],
                attrs=NO_READ_WRITE_COLLISION,
            )
            reads.append(memory.read_port())
            writes.append(memory.write_port())
        return reads, writes

    def _operands(self, m, advance, reads, reading, holding):
        """The words read, K and V at the adders.

        The words are zero for the first token of a sequence and for inactive events, V for events
        that do not learn. Both controls are registered one stage ahead, for they reach many
        registers.
        """
        config = self._config
        lanes, stored = config.lanes, config.stored_bits
        blank = Signal(init=1)
        unlearnt = Signal(init=1)
        # Synthesis would merge the registers of K if they held and began with the same bits, so
        # every other pair is inverted, and every other one begins with ones.
        k_registers = [
            Signal(config.k_bits, name=f"k_{n}", init=-(n % 2) % 2**config.k_bits, reset_less=True)
            for n in range(-(-lanes // SHARING_K))
        ]
        inverted = [n // 2 % 2 for n in range(len(k_registers))]
        ks = [~k if odd else k for k, odd in zip(k_registers, inverted, strict=True)]
        values = Signal(len(holding.event.v), reset_less=True)
        words = [
            Signal(signed(config.state_bits), name=f"word_{n}", reset_less=True)
            for n in range(lanes)
        ]
        held = Signal(lanes * stored, reset_less=True)
        with m.If(advance):
            m.d.sync += [
                blank.eq(~(reading.valid & reading.event.active) | reading.event.fresh),
                unlearnt.eq(~(reading.valid & reading.event.learn)),
                held.eq(Cat(read.data for read in reads)),
                values.eq(holding.event.v),
                *(
                    k.eq(~holding.event.k if odd else holding.event.k)
                    for k, odd in zip(k_registers, inverted, strict=True)
                ),
            ]
            for n, word in enumerate(words):
                m.d.sync += word.eq(held.word_select(n, stored))
                with m.If(blank):
                    m.d.sync += word.eq(0)
            with m.If(unlearnt):
                m.d.sync += values.eq(0)
        return words, ks, values

    def _sums(self, m, advance, complete, holding, operands):
        """The renewed words and, in an open sequence, which of them saturate.

        One adder per lane serves both kinds of events. Learning computes `word + term` while `acc`
        is zero, answering `word + acc` while `term` is zero; an OR combines `acc` and `term`.
        """
        config = self._config
        width, open_ended = config.state_bits, config.length == "open"
        clear = Signal(init=1)  # the next sum starts from zero
        with m.If(advance):
            m.d.sync += clear.eq(holding.valid & (holding.event.learn | holding.event.close))
        words, ks, values = operands
        renewed, overflows = [], []
        for n, word in enumerate(words):
            acc = Signal(signed(config.acc_bits), name=f"acc_{n}", reset_less=True)
            total = Signal(signed(config.acc_bits), name=f"total_{n}")
            spike, minus = spike_and_sign(config, values, n)
            term = Signal(signed(width + open_ended), name=f"term_{n}")
            m.d.comb += [
                term.eq(signed_term(ks[n // SHARING_K], spike, minus)),
                total.eq(add_with_carry(word, (acc | term.as_unsigned()).as_signed(), minus)),
            ]
            made = Signal(width + open_ended, name=f"made_{n}", reset_less=True)
            if open_ended:
                over = made[width] != made[width - 1]
                bound = Cat((~made[width]).replicate(width - 1), made[width])
                renewed.append(Mux(over, bound, made[:width])[: config.stored_bits])
                overflows.append(over)
            else:
                renewed.append(made[: config.stored_bits])
            with m.If(advance):
                m.d.sync += [acc.eq(total), made.eq(total)]
                with m.If(clear):
                    m.d.sync += acc.eq(0)
            with m.If(complete):
                m.d.sync += self.o.payload.data.word_select(n, config.acc_bits).eq(total)
        return renewed, overflows

    def _write_back(self, m, advance, adding, writes, renewed, overflows):
        """Write the renewed words of an event that learns."""
        event = adding.event
        renew = Signal()
        address = Signal.like(event.address, reset_less=True)
        m.d.sync += renew.eq(advance & adding.valid & event.learn & event.active)
        with m.If(advance):
            m.d.sync += address.eq(event.address)
        m.d.comb += Cat(write.data for write in writes).eq(Cat(renewed))
        for write in writes:
            m.d.comb += [write.addr.eq(address), write.en.eq(renew)]
        if overflows:
            with m.If(renew & Cat(overflows).any()):
                m.d.sync += self.saturated.eq(1)
