"""Fetches the operand of every entry: weights, or words of the attention state."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.memory_attributes import BLOCK_RAM, small_memory
from ...blocks.pieces import piece, pieces
from ...blocks.pipeline import Pipeline
from .controls import CONTROLS, decode
from .replay import slot_layout

LUT_RAM_WORDS = 128  # of a memory that may be in LUTs


class Operands(Component):
    """Reads the weights, the attention state and V; one entry per cycle, `delay` cycles.

    The attention state holds, for each time step t, dimension d of K and group of dimensions of V,
    a word with a count for each lane: how many tokens spike in d of K and in the lane's dimension
    of V. Learning reads a word, and writes it `write_delay` cycles later with V's spikes added; the
    compiler makes sure that it is not read in between.

    Parameters
    ----------
    lanes : outputs of a group.
    weight_bits : bits of a weight.
    entry_bits, addr_bits : bits of an entry, and of the address of a weight word.
    steps : time steps T.
    state_bits : bits of a count, 0 without attention.
    head_lanes : lanes that a head takes, all or a part; the state has so many counts in a word.
    index_bits : low bits of an entry's weight address that are the address in the state of a step.
    value_words : words of V.
    masked : whether words of V are ever masked.
    signed : whether V has spikes downwards, or the state negative counts.

    Members
    -------
    i_valid : In(1), i : In(`slot_layout`), an entry.
    state, learn, keep, ternary, split : In(1), constants of the operation.
    w_addr : Out(addr_bits), w_data : In(lanes * weight_bits), read port of the weights.
    o_valid : Out(1), controls : Out(`CONTROLS`), operands : Out,
        added, taken : Out(head_lanes): for `Lanes`.
    Only with attention:
    place : In, address of V for the step that begins. placed : Out(1), it was used.
    slot : In, place of the head in the word of V.
    v_en : In(1), v_addr : In, v_data : In(lanes), write a word of V.
    v_down : In(1), the word holds spikes downwards, otherwise those upwards.
    v_mask : In(1), constant of the operation: keep the bits that are set in both words instead.
    learnt : In(1), values : In(head_lanes * state_bits), a word to write back.
    clear : In(1), begin to clear the state. clearing : Out(1), it is being cleared.
    """

    delay = 3
    write_delay = 5

    def __init__(
        self,
        *,
        lanes: int,
        weight_bits: int,
        entry_bits: int,
        addr_bits: int,
        steps: int,
        state_bits: int,
        head_lanes: int,
        index_bits: int,
        value_words: int,
        masked: bool,
        signed: bool,
    ) -> None:
        self._lanes = lanes
        self._weight_bits = weight_bits
        self._steps = steps
        self._state_bits = state_bits
        self._head_lanes = head_lanes
        self._index_bits = index_bits
        self._value_words = value_words
        self._masked = masked
        self._signed = signed
        self.state_words = steps << index_bits
        self.operand_bits = (
            max(weight_bits, state_bits + (not signed)) if state_bits else weight_bits
        )
        members = {
            "i_valid": In(1),
            "i": In(slot_layout(entry_bits, addr_bits)),
            **{name: In(1) for name in ("state", "learn", "keep", "ternary", "split")},
            "w_addr": Out(addr_bits),
            "w_data": In(lanes * weight_bits),
            "o_valid": Out(1),
            "controls": Out(CONTROLS),
            "operands": Out(lanes * self.operand_bits),
            "added": Out(head_lanes),
            "taken": Out(head_lanes),
        }
        if state_bits:
            members |= {
                "place": In(range(value_words)),
                "slot": In(range(lanes // head_lanes)),
                "placed": Out(1),
                "v_en": In(1),
                "v_addr": In(range(value_words)),
                "v_data": In(lanes),
                "v_mask": In(1),
                "v_down": In(1),
                "learnt": In(1),
                "values": In(head_lanes * state_bits),
                "clear": In(1),
                "clearing": Out(1),
            }
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()

        # Address, memory, operand.
        kind, row = self.i.entry[:3], self.i.entry[3:]
        first = self.i.first & ~self.keep
        addr = Signal.like(self.w_addr, reset_less=True)
        m.d.sync += addr.eq(self.i.base + row)
        m.d.comb += self.w_addr.eq(addr)
        control = decode(
            kind,
            first=first,
            final=self.i.final,
            learn=self.learn,
            ternary=self.ternary,
            split=self.split,
            by_rest=self._signed,
        )
        pipeline = Pipeline(m)
        m.d.comb += [
            self.o_valid.eq(pipeline.delay(self.i_valid, 3, "valid", reset_less=False)),
            self.controls.eq(pipeline.delay(control, 3, "controls")),
        ]
        weights = Cat(self._extended(self.w_data, self._weight_bits, signed=True))
        if not self._state_bits:
            m.d.comb += self.operands.eq(pipeline.register(weights, "operand"))
            return m

        counts = self._attention(m, platform, addr, kind, first)
        from_state = (self.state | self.learn) & (kind == 0)
        chosen = Mux(pipeline.delay(from_state, 2, "from_state"), counts, weights)
        m.d.comb += self.operands.eq(pipeline.register(chosen, "operand"))

        return m

    def _extended(self, word, bits, *, signed):
        """The parts of a word as operands."""
        parts = []
        for part in pieces(word, bits):
            sign = part[-1] if signed else Const(0, 1)
            parts.append(Cat(part, sign.replicate(self.operand_bits - bits)))
        return parts

    def _state_attributes(self, platform):
        """A wide state of few words takes many block RAMs, which the weights need."""
        small = self.state_words <= LUT_RAM_WORDS < self._head_lanes * self._state_bits
        return small_memory(platform) if small else BLOCK_RAM

    def _attention(self, m, platform, addr, kind, first):
        """The memories of V and of the state. Returns the word of the state, extended."""
        pipeline = Pipeline(m)
        opens = self.i_valid & kind[0] & (kind[1] | kind[2])
        step = Signal(range(self._steps))
        with m.If(opens):
            m.d.sync += step.eq(Mux(first, 0, step + 1))

        # A word of V, and behind it one of its spikes downwards.
        halves = 2 if self._signed else 1
        m.submodules.value_memory = value_memory = Memory(
            shape=self._lanes * halves, depth=self._value_words, init=[], attrs=BLOCK_RAM
        )
        write = value_memory.write_port(granularity=self._lanes if halves > 1 else None)
        read = value_memory.read_port()
        v_en, v_data = self.v_en, self.v_data
        if self._signed:
            v_en = Cat(self.v_en & ~self.v_down, self.v_en & (self.v_down | ~self.ternary))
            v_data = Cat(self.v_data, self.v_data & self.v_down.replicate(self._lanes))
        value_addr = Signal.like(self.place, reset_less=True)
        slot = Signal.like(self.slot, reset_less=True)
        with m.If(opens):
            m.d.sync += [value_addr.eq(self.place), slot.eq(self.slot)]
        values = pieces(read.data, self._lanes)
        if self._head_lanes < self._lanes:
            read_slot = pipeline.register(slot, "read_slot")
            values = [piece(half, self._head_lanes, read_slot) for half in values]
        m.d.comb += [
            self.placed.eq(opens & self.learn),
            Cat(self.added, self.taken).eq(pipeline.register(Cat(*values), "added")),
        ]
        if self._masked:
            # A word that is masked is read in one cycle, and written in the next.
            late_data = pipeline.register(v_data, "late_data")
            m.d.comb += [
                read.addr.eq(Mux(self.v_mask, self.v_addr, value_addr)),
                write.en.eq(pipeline.register(v_en, "late_en", reset_less=False)),
                write.addr.eq(pipeline.register(self.v_addr, "late_addr")),
                write.data.eq(Mux(self.v_mask, late_data & read.data, late_data)),
            ]
        else:
            m.d.comb += [
                write.en.eq(v_en),
                write.addr.eq(self.v_addr),
                write.data.eq(v_data),
                read.addr.eq(value_addr),
            ]

        m.submodules.state_memory = state_memory = Memory(
            shape=self._head_lanes * self._state_bits,
            depth=self.state_words,
            init=[],
            attrs=self._state_attributes(platform),
        )
        write, read = state_memory.write_port(), state_memory.read_port()
        place, cleared = Cat(addr[: self._index_bits], step), Signal(range(self.state_words))
        with m.If(self.clearing):
            m.d.sync += cleared.eq(Mux(cleared == self.state_words - 1, 0, cleared + 1))
            with m.If(cleared == self.state_words - 1):
                m.d.sync += self.clearing.eq(0)
        with m.If(self.clear):
            m.d.sync += self.clearing.eq(1)
        m.d.comb += [
            read.addr.eq(place),
            write.en.eq(self.learnt | self.clearing),
            write.addr.eq(
                Mux(self.clearing, cleared, pipeline.delay(place, self.write_delay - 1, "place"))
            ),
            write.data.eq(Mux(self.clearing, 0, self.values)),
        ]
        return Cat(self._extended(read.data, self._state_bits, signed=self._signed))
