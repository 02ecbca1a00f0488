"""Event memory: stores only the spikes of a tensor of codes and returns them line by line."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.bank_memory import BankMemory
from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest
from ...blocks.memory_attributes import BLOCK_RAM
from .code import signed_code


def event_layout(length: int, steps: int) -> data.StructLayout:
    """A spike event: its index in the line, its code, and `last` for the last event of the line.

    A `silent` event is the only one of a line without spikes; its index and code are undefined.
    """
    return data.StructLayout(
        {"index": range(length), "code": signed_code(steps), "last": 1, "silent": 1}
    )


class EventReader(wiring.Signature):
    """Reads events line by line, as seen by the reader.

    Parameters
    ----------
    length : neurons of a line.
    steps : T of the codes.

    Members
    -------
    event : In(event_layout(length, steps)), the current event.
    valid : In(1), `event` is valid.
    next : Out(1), advance to the next event; allowed only while `valid` is high.
    rewind : Out(1), with `next` at the last event of a line: return to the start of the line.
    again : Out(1), with `next` at the last event of the last line: return to the first line.
    """

    def __init__(self, length: int, steps: int) -> None:
        super().__init__(
            {
                "event": In(event_layout(length, steps)),
                "valid": In(1),
                "next": Out(1),
                "rewind": Out(1),
                "again": Out(1),
            }
        )


class EventMemory(Component):
    """Double-buffered spikes of tensors of `lines` x `length` neurons.

    Silent neurons cause no events; a line without spikes is one event. One code per cycle in, one
    event per cycle out, with three cycles between the last event of a tensor and the first of the
    next.

    Parameters
    ----------
    lines, length : shape of the tensor as it is read: events leave line by line.
    steps : T of the codes.
    transposed : whether codes arrive index by index (all lines at index 0 first) instead of line by
        line.

    Members
    -------
    i : In(stream of codes).
    o : In(EventReader(length, steps)).
    """

    def __init__(self, lines: int, length: int, *, steps: int, transposed: bool) -> None:
        self._lines = lines
        self._length = length
        self._transposed = transposed
        super().__init__(
            {
                "i": In(stream.Signature(signed_code(steps))),
                "o": In(EventReader(length, steps)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # The events of every line, and the index of the last one: -1 if there is none. `short` says
        # whether the line has at most one event.
        offset_bits = (self._length - 1).bit_length()
        line_bits = (self._lines - 1).bit_length()
        m.submodules.memory = memory = BankMemory(
            banks=2,
            depth=self._lines << offset_bits,
            granule_bits=len(Cat(self.o.event.index, self.o.event.code)),
        )
        m.submodules.ends = ends = Memory(
            shape=data.StructLayout({"end": signed(offset_bits + 1), "short": 1}),
            depth=2 << line_bits,
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

        written = self.i.valid & self.i.ready
        spike = self.i.payload.spike
        end_before, end = Signal.like(ends.data.end, init=-1), Signal.like(ends.data.end)
        place = Signal(len(end) - 1)
        m.d.comb += [
            self.i.ready.eq(~starts | memory.w.free),
            fill.step.eq(written),
            place.eq(end_before + 1),
            end.eq(Mux(spike, place, end_before)),
            memory.w.reserve.eq(written & starts),
            memory.w.addr.eq(Cat(place, fill.line)),
            memory.w.data.eq(Cat(fill.index, self.i.payload)),
            memory.w.en.eq(written & spike),
            memory.w.close.eq(written & closes),
            ends.addr.eq(Cat(fill.line, memory.w_bank)),
            ends.data.end.eq(end),
            ends.data.short.eq(end <= 0),
            ends.en.eq(written & last),
        ]
        if self._transposed:
            kept = self._keep(m, fill, written, end)
            m.d.comb += end_before.eq(Mux(fill.index == 0, -1, kept))
        else:
            with m.If(written):
                m.d.sync += end_before.eq(Mux(last, -1, end))

    def _read(self, m, memory, ends):
        """Read the next event while the current one is used.

        Ends are read two lines ahead: one is in the register `coming`, as block RAM has a long
        output delay, and one leaves the memory. `next` arrives late, so that it selects and does
        not count or compare.
        """
        event = self.o.event
        line, ahead, fetched = (Signal(range(self._lines)) for _ in range(3))
        offset = Signal((self._length - 1).bit_length())
        end = Signal.like(ends.data.end)
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
            Cat(event.index, event.code).eq(memory.r.data),
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
            m.d.sync += [ahead.eq(fetched), end.eq(coming.end), last.eq(coming.short)]
        with m.Elif(self.o.next):
            m.d.sync += last.eq((end < 0) | Mux(last, end == 0, advanced == end))

    def _keep(self, m, fill, written, end):
        """The current end of the current line, one memory word per line; `end` replaces it."""
        m.submodules.kept = kept = Memory(shape=end.shape(), depth=self._lines, init=[])
        write = kept.write_port()
        read = kept.read_port(transparent_for=(write,))
        following = Mux(fill.line == self._lines - 1, 0, fill.line + 1)
        m.d.comb += [
            write.addr.eq(fill.line),
            write.data.eq(end),
            write.en.eq(written),
            read.addr.eq(Mux(written, following, fill.line)),
        ]
        return read.data
