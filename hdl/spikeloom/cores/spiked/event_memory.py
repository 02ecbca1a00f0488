"""Event memory: stores only the spikes of a tensor of codes and returns them line by line."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.add_with_carry import add_with_carry
from ...blocks.bank_memory import BankMemory
from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest
from ...blocks.memory_attributes import BLOCK_RAM
from ...blocks.select import select
from .code import signed_code


def event_layout(length: int, steps: int, ways: int = 1) -> data.StructLayout:
    """An event: a spike of each of `ways` parts of a line, and `last` for the line's last event.

    Part w holds the neurons w, w + ways, w + 2 * ways, ... A spike has the `index` of its neuron in
    the part and its code, which has no spike if the part has no more. A `silent` event is the only
    one of a line without spikes; its indices and codes are undefined.
    """
    spike = data.StructLayout({"index": range(-(-length // ways)), "code": signed_code(steps)})
    return data.StructLayout({"spikes": data.ArrayLayout(spike, ways), "last": 1, "silent": 1})


class EventReader(wiring.Signature):
    """Reads events line by line, as seen by the reader.

    Parameters
    ----------
    length : neurons of a line.
    steps : T of the codes.
    ways : spikes of an event.

    Members
    -------
    event : In(event_layout(length, steps, ways)), the current event.
    valid : In(1), `event` is valid.
    next : Out(1), advance to the next event; allowed only while `valid` is high.
    rewind : Out(1), with `next` at the last event of a line: return to the start of the line.
    again : Out(1), with `next` at the last event of the last line: return to the first line.
    """

    def __init__(self, length: int, steps: int, ways: int = 1) -> None:
        super().__init__(
            {
                "event": In(event_layout(length, steps, ways)),
                "valid": In(1),
                "next": Out(1),
                "rewind": Out(1),
                "again": Out(1),
            }
        )


class EventMemory(Component):
    """Buffered spikes of tensors of `lines` x `length` neurons.

    Silent neurons cause no events; a line without spikes is one event. An event has a spike of each
    of `ways` parts of the line. One code per cycle in, one event per cycle out, with three cycles
    between the last event of a tensor and the first of the next.

    Parameters
    ----------
    lines, length : shape of the tensor as it is read: events leave line by line.
    steps : T of the codes.
    transposed : whether codes arrive index by index (all lines at index 0 first) instead of line by
        line.
    ways : spikes of an event, 1 or 2.
    banks : tensors held, at least 2 to take one while another is read.

    Members
    -------
    i : In(stream of codes).
    o : In(EventReader(length, steps, ways)).
    """

    def __init__(
        self,
        lines: int,
        length: int,
        *,
        steps: int,
        transposed: bool,
        ways: int = 1,
        banks: int = 2,
    ) -> None:
        if ways not in (1, 2):
            raise ValueError(f"ways must be 1 or 2, not {ways!r}")
        self._lines = lines
        self._length = length
        self._transposed = transposed
        self._ways = ways
        self._banks = banks
        super().__init__(
            {
                "i": In(stream.Signature(signed_code(steps))),
                "o": In(EventReader(length, steps, ways)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # The spikes of every part of every line, and the index of the last one: -1 if there is
        # none. `short` says whether no part has more than one.
        event = self.o.event
        offset_bits = (-(-self._length // self._ways) - 1).bit_length()
        line_bits = (self._lines - 1).bit_length()
        spike = event.spikes[0]
        m.submodules.memory = memory = BankMemory(
            banks=self._banks,
            depth=self._lines << offset_bits,
            granules=self._ways,
            granule_bits=len(Cat(spike.index, spike.code.step, spike.code.sign)),
        )
        ends_layout = data.ArrayLayout(signed(offset_bits + 1), self._ways)
        m.submodules.ends = ends = Memory(
            shape=data.StructLayout({"ends": ends_layout, "short": 1}),
            depth=self._banks << line_bits,
            init=[],
            attrs=BLOCK_RAM,
        )
        self._fill(m, memory, ends.write_port())
        self._read(m, memory, ends.read_port())

        return m

    def _fill(self, m, memory, ends):
        """Append spikes to their lines; codes arrive line by line or index by index."""
        loops = {"line": self._lines, "index": self._length}
        if self._transposed:
            loops = {"index": self._length, "line": self._lines}
        m.submodules.fill = fill = LoopNest(**loops)
        starts = fill.index_first if self._transposed else fill.line_first
        closes = fill.index_last if self._transposed else fill.line_last
        last = fill.index == self._length - 1

        # The part of the code's neuron, and its index there.
        way_bits = self._ways.bit_length() - 1
        way, index = fill.index[:way_bits], fill.index[way_bits:]
        written = self.i.valid & self.i.ready
        code = self.i.payload

        # The next place in each part of the line, before and after this code.
        places = data.ArrayLayout(range(-(-self._length // self._ways) + 1), self._ways)
        before, after = Signal(places), Signal(places)
        place = select([before[n] for n in range(self._ways)], way)
        m.d.comb += [
            self.i.ready.eq(~starts | memory.w.free),
            fill.step.eq(written),
            memory.w.reserve.eq(written & starts),
            memory.w.addr.eq(Cat(place[: len(ends.data.ends[0]) - 1], fill.line)),
            memory.w.data.eq(Cat(index, code.step, code.sign).replicate(self._ways)),
            memory.w.close.eq(written & closes),
            ends.addr.eq(Cat(fill.line, memory.w_bank)),
            ends.en.eq(written & last),
        ]
        short = []
        for n in range(self._ways):
            adds = code.spike & (way == n)
            m.d.comb += [
                memory.w.en[n].eq(written & adds),
                after[n].eq(before[n] + adds),
                ends.data.ends[n].eq(add_with_carry(Cat(before[n], 0).as_signed(), C(-1, 1), adds)),
            ]
            short.append((before[n] == 0) | (before[n] == 1) & ~adds)
        m.d.comb += ends.data.short.eq(Cat(short).all())
        if self._transposed:
            first = Signal(init=1)
            with m.If(written & fill.line_last):
                m.d.sync += first.eq(fill.index_last)
            kept = self._keep(m, fill, written, after)
            m.d.comb += before.eq(Mux(first, 0, kept.as_value()))
        else:
            with m.If(written):
                m.d.sync += before.eq(Mux(last, 0, after.as_value()))

    def _read(self, m, memory, ends):
        """Read the next event while the current one is used.

        Ends are read two lines ahead: one is in the register `coming`, as block RAM has a long
        output delay, and one leaves the memory. `next` arrives late, so that it selects and does
        not count or compare.
        """
        event = self.o.event
        line, ahead, fetched = (Signal(range(self._lines)) for _ in range(3))
        end = Signal.like(ends.data.ends[0])
        offset = Signal(len(end) - 1)
        coming = Signal.like(ends.data)
        enter, known, primed, last = Signal(), Signal(), Signal(), Signal()

        leave = self.o.next & last & ~self.o.rewind
        release = leave & (ahead == 0) & ~self.o.again
        shift = enter | known & ~primed
        next_line = Mux(enter, ahead, line)
        next_fetched = Mux(shift, Mux(fetched == self._lines - 1, 0, fetched + 1), fetched)
        advanced = (offset + 1)[: len(offset)]
        restart = enter | self.o.next & last
        next_offset = Mux(restart, 0, Mux(self.o.next, advanced, offset))[: len(offset)]
        m.d.comb += [
            enter.eq(Mux(self.o.valid, leave & ~release, primed)),
            memory.r.addr.eq(Cat(next_offset, next_line[: len(line)])),
            memory.r.release.eq(release),
            ends.addr.eq(Cat(next_fetched[: len(fetched)], memory.r_bank)),
            event.silent.eq(end < 0),
            event.last.eq(last),
        ]
        m.d.sync += [
            known.eq(memory.r.full & ~release),
            primed.eq(known & ~release),
            self.o.valid.eq(enter | self.o.valid & ~release),
            line.eq(next_line),
            fetched.eq(Mux(release, 0, next_fetched)),
            offset.eq(next_offset),
        ]
        with m.If(shift):
            m.d.sync += coming.eq(ends.data)
        with m.If(enter):
            m.d.sync += [
                ahead.eq(fetched),
                end.eq(_largest([coming.ends[n] for n in range(self._ways)])),
                last.eq(coming.short),
            ]
        with m.Elif(self.o.next):
            m.d.sync += last.eq((end < 0) | Mux(last, end == 0, advanced == end))

        # A part has a spike until its own end. A single part has one in every event.
        for n in range(self._ways):
            spike = event.spikes[n]
            more, part_end = Signal(name=f"more_{n}"), Signal.like(end, name=f"part_end_{n}")
            with m.If(enter):
                m.d.sync += [part_end.eq(coming.ends[n]), more.eq(coming.ends[n] >= 0)]
            with m.Elif(self.o.next):
                m.d.sync += more.eq((part_end >= 0) & (last | more & (offset != part_end)))
            m.d.comb += [
                Cat(spike.index, spike.code.step, spike.code.sign).eq(
                    memory.r.data.word_select(n, len(memory.r.data) // self._ways)
                ),
                spike.code.spike.eq(more if self._ways > 1 else 1),
            ]

    def _keep(self, m, fill, written, places):
        """The next places of the current line, one memory word per line; `places` replace them."""
        m.submodules.kept = kept = Memory(shape=places.shape(), depth=self._lines, init=[])
        write = kept.write_port()
        read = kept.read_port(transparent_for=(write,))
        following = Mux(fill.line == self._lines - 1, 0, fill.line + 1)
        m.d.comb += [
            write.addr.eq(fill.line),
            write.data.eq(places),
            write.en.eq(written),
            read.addr.eq(Mux(written, following, fill.line)),
        ]
        return read.data


def _largest(ends):
    """The largest of one or two numbers."""
    *others, last = ends
    return last if not others else Mux(others[0] > last, others[0], last)
