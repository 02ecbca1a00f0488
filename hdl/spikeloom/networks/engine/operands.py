"""Fetches the operand of every entry: weights, or words of the attention state."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.memory_attributes import BLOCK_RAM, small_memory
from ...blocks.pieces import piece, pieces
from ...blocks.pipeline import Pipeline
from .controls import controls_layout, decode
from .replay import slot_layout

LUT_RAM_WORDS = 128  # of a memory that may be in LUTs
STATE_WRITE_DELAY = 6  # cycles from the read of a word of the state to its write, at most


class Operands(Component):
    """Reads the weights, the attention state and V; one entry per cycle, ``2 + read_delay`` cycles.

    The attention state holds, for each time step t, dimension d of K and group of dimensions of V,
    a word with a count for each lane: how many tokens spike in d of K and in the lane's dimension
    of V. Learning reads a word, and writes it ``4 + read_delay`` cycles later with V's spikes
    added; the compiler makes sure that it is not read in between.

    The state has a memory of its own, or is in that of the weights.

    The memory of currents holds the sums of layers without neurons: for each time step of a token
    and each group of outputs, a word with a current of each lane. An operation may write its sums
    to where it reads, because it reads a word in each step before it writes it.

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
    current_bits, current_words : bits of a current, and words of them; 0 without any.
    signed : whether V has spikes downwards, or the state negative counts.
    varied : whether any operation has neurons of different thresholds.
    codes, halves : whether any operation reads phase codes, or halves its sums.
    read_delay : of the memory of weights.
    shared : whether the state is in the memory of weights.

    Members
    -------
    i_valid : In(1), i : In(`slot_layout`), an entry.
    state, learn, keep, ternary, split, currents, largest : In(1), constants of the operation, with
        the parameters also varied, codes and fine, and halves.
    w_addr : Out(addr_bits), w_data : In(lanes * weight_bits), read port of the weights.
    o_valid : Out(1), controls : Out(`controls_layout`), operands : Out,
        added, taken : Out(head_lanes): for `Lanes`.
    Only with currents:
    c_en : In(1), c_addr : In, c_data : In(lanes * current_bits), write a word of them.
    Only with attention:
    place : In, address of V for the step that begins. placed : Out(1), it was used.
    slot : In, place of the head in the word of V.
    v_en : In(1), v_addr : In, v_data : In(lanes), write a word of V.
    v_down : In(1), the word holds spikes downwards, otherwise those upwards.
    v_mask : In(1), constant of the operation: keep the bits that are set in both words instead.
    learnt : In(1), values : In(head_lanes * state_bits), a word to write back.
    clear : In(1), begin to clear the state. clearing : Out(1), it is being cleared.
    Only with a shared state:
    from_state, s_addr, s_en, s_w_addr, s_data : see `WeightMemory`.
    """

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
        varied: bool,
        codes: bool,
        halves: bool,
        current_bits: int,
        current_words: int,
        read_delay: int,
        shared: bool,
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
        self._varied = varied
        self._codes = codes
        self._halves = halves
        self._current_bits = current_bits
        self._current_words = current_words
        self._read_delay = read_delay
        self._shared = shared
        self.state_words = steps << index_bits
        counts = state_bits + (not signed) if state_bits else 0
        self.operand_bits = max(weight_bits, counts, current_bits)
        flags = ["state", "learn", "keep", "ternary", "split", "currents", "largest"]
        flags += ["varied"] * varied + ["codes", "fine"] * codes + ["halves"] * halves
        controls = controls_layout(varied=varied, codes=codes, halves=halves)
        members = {
            "i_valid": In(1),
            "i": In(slot_layout(entry_bits, addr_bits)),
            **{name: In(1) for name in flags},
            "w_addr": Out(addr_bits),
            "w_data": In(lanes * weight_bits),
            "o_valid": Out(1),
            "controls": Out(controls),
            "operands": Out(lanes * self.operand_bits),
            "added": Out(head_lanes),
            "taken": Out(head_lanes),
        }
        if current_words:
            members |= {
                "c_en": In(1),
                "c_addr": In(range(current_words)),
                "c_data": In(lanes * current_bits),
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
        if shared:
            members |= {
                "from_state": Out(1),
                "s_addr": Out(range(self.state_words)),
                "s_en": Out(1),
                "s_w_addr": Out(range(self.state_words)),
                "s_data": Out(lanes * weight_bits),
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
            largest=self.largest,
            by_rest=self._signed,
            varied=self.varied if self._varied else None,
            codes=self.codes if self._codes else None,
            fine=self.fine if self._codes else None,
            halves=self.halves if self._halves else None,
        )
        pipeline = Pipeline(m)
        delay = 2 + self._read_delay
        m.d.comb += [
            self.o_valid.eq(pipeline.delay(self.i_valid, delay, "valid", reset_less=False)),
            self.controls.eq(pipeline.delay(control, delay, "controls")),
        ]
        operands = Cat(self._extended(self.w_data, self._weight_bits, signed=True))
        if self._current_words:
            from_currents = self.currents & (kind == 0)
            late = pipeline.delay(from_currents, 1 + self._read_delay, "from_currents")
            operands = Mux(late, self._read_currents(m, addr), operands)
        if self._state_bits:
            step = self._read_values(m, kind, first)
            from_state = pipeline.register((self.state | self.learn) & (kind == 0), "from_state")
            place = Cat(addr[: self._index_bits], step)
            if self._shared:
                self._share_state(m, place, from_state)
            else:
                counts = self._read_state(m, platform, place)
                late = pipeline.delay(from_state, self._read_delay, "late_state")
                operands = Mux(late, counts, operands)
        m.d.comb += self.operands.eq(pipeline.register(operands, "operand"))

        return m

    def _read_currents(self, m, addr):
        """The memory of currents. Returns its word, extended."""
        m.submodules.current_memory = memory = Memory(
            shape=self._lanes * self._current_bits,
            depth=self._current_words,
            init=[],
            attrs=BLOCK_RAM,
        )
        write, read = memory.write_port(), memory.read_port()
        m.d.comb += [
            read.addr.eq(addr),
            write.en.eq(self.c_en),
            write.addr.eq(self.c_addr),
            write.data.eq(self.c_data),
        ]
        word = Pipeline(m).delay(read.data, self._read_delay - 1, "current_word")
        return Cat(self._extended(word, self._current_bits, signed=True))

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

    def _read_values(self, m, kind, first):
        """The memory of V. Returns the time step of the entry whose address is read."""
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
            Cat(self.added, self.taken).eq(pipeline.delay(Cat(*values), self._read_delay, "added")),
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
        return step

    def _read_state(self, m, platform, place):
        """A memory for the state. Returns its word at `place`, extended."""
        m.submodules.state_memory = state_memory = Memory(
            shape=self._head_lanes * self._state_bits,
            depth=self.state_words,
            init=[],
            attrs=self._state_attributes(platform),
        )
        write, read = state_memory.write_port(), state_memory.read_port()
        enable, addr = self._write_state(m, place)
        m.d.comb += [
            read.addr.eq(place),
            write.en.eq(enable),
            write.addr.eq(addr),
            write.data.eq(Mux(self.clearing, 0, self.values)),
        ]
        word = Pipeline(m).delay(read.data, self._read_delay - 1, "state_word")
        return Cat(self._extended(word, self._state_bits, signed=self._signed))

    def _share_state(self, m, place, from_state):
        """The state in the memory of weights: a count where a lane has its weight."""
        enable, addr = self._write_state(m, place)
        counts = []
        for count in pieces(self.values, self._state_bits):
            sign = count[-1] if self._signed else Const(0, 1)
            counts.append(Cat(count, sign.replicate(self._weight_bits - self._state_bits)))
        m.d.comb += [
            self.from_state.eq(from_state),
            self.s_addr.eq(place),
            self.s_en.eq(enable),
            self.s_w_addr.eq(addr),
            self.s_data.eq(Mux(self.clearing, 0, Cat(counts))),
        ]

    def _write_state(self, m, place):
        """Enable and address of the state's write port: to clear it, or for what was learnt."""
        cleared = Signal(range(self.state_words))
        with m.If(self.clearing):
            m.d.sync += cleared.eq(Mux(cleared == self.state_words - 1, 0, cleared + 1))
            with m.If(cleared == self.state_words - 1):
                m.d.sync += self.clearing.eq(0)
        with m.If(self.clear):
            m.d.sync += self.clearing.eq(1)
        late = Pipeline(m).delay(place, 3 + self._read_delay, "place")
        return self.learnt | self.clearing, Mux(self.clearing, cleared, late)
