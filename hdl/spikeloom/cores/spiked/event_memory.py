"""Event memory: a tensor of codes arrives, its spikes alone are kept and leave line by line."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.bank_memory import BankMemory
from ...blocks.loop_nest import LoopNest
from .code import signed_code


def event_layout(length, steps):
    """A spike event: its place on the line, its code, and the mark of the line's last event."""
    return data.StructLayout({"index": range(length), "code": signed_code(steps), "last": 1})


class EventMemory(wiring.Component):
    """Keeps the spikes of `lines` x `length` neurons, for one tensor while the next arrives.

    Silent neurons take no place among the events and no time, except that the last neuron of a line
    is always an event: it closes the line. One code per clock in, one event per clock out, and one
    clock between the last event of a tensor and the first of the next.

    Parameters
    ----------
    lines, length : shape of the tensor as it is read: events leave line by line.
    steps : T of the codes.
    transposed : whether codes arrive index by index (all lines at index 0 first) instead of line by
        line.

    Members
    -------
    i : In(stream of codes).
    event : Out(event_layout), event_valid : Out(1).
    next : In(1), go on to the next event; only while `event_valid` is high.
    again : In(1), with `next` at a line's last event: go back to the start of the line.
    """

    def __init__(self, lines, length, *, steps, transposed):
        self._lines = lines
        self._length = length
        self._transposed = transposed
        super().__init__(
            {
                "i": In(stream.Signature(signed_code(steps))),
                "event": Out(event_layout(length, steps)),
                "event_valid": Out(1),
                "next": In(1),
                "again": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        offset_bits = (self._length - 1).bit_length()
        m.submodules.memory = memory = BankMemory(
            banks=2,
            depth=self._lines << offset_bits,
            granule_bits=len(self.event.as_value()),
        )

        # Fill: line after line, or all lines side by side, each behind what it holds already.
        loops = {"line": self._lines, "index": self._length}
        if self._transposed:
            loops = {"index": self._length, "line": self._lines}
        m.submodules.fill = fill = LoopNest(**loops)
        starts = fill.index_first if self._transposed else fill.line_first
        closes = fill.index_last if self._transposed else fill.line_last
        last = fill.index == self._length - 1

        held = Signal(range(self._length + 1))
        written = self.i.valid & self.i.ready
        kept = self.i.payload.spike | last
        word = Signal.like(self.event)
        m.d.comb += [
            self.i.ready.eq(~starts | memory.free),
            fill.step.eq(written),
            word.index.eq(fill.index),
            word.code.eq(self.i.payload),
            word.last.eq(last),
            memory.reserve.eq(written & starts),
            memory.w_addr.eq(Cat(held[:offset_bits], fill.line)),
            memory.w_data.eq(word),
            memory.w_en.eq(written & kept),
            memory.w_close.eq(written & closes),
        ]
        if self._transposed:
            m.d.comb += held.eq(Mux(fill.index == 0, 0, self._count(m, fill, written, held + kept)))
        else:
            with m.If(written):
                m.d.sync += held.eq(Mux(last, 0, held + kept))

        # Read: the address of the next event goes to the memory while the present one is used.
        line = Signal(range(self._lines))
        offset = Signal(offset_bits)
        leave = self.next & self.event.last & ~self.again
        next_line = Mux(leave, Mux(line == self._lines - 1, 0, line + 1), line)
        next_offset = Mux(self.next, Mux(self.event.last, 0, offset + 1), offset)
        m.d.sync += [line.eq(next_line), offset.eq(next_offset)]
        m.d.comb += [
            memory.r_addr.eq(Cat(next_offset[:offset_bits], next_line[: len(line)])),
            memory.release.eq(leave & (line == self._lines - 1)),
            self.event.eq(memory.r_data),
        ]
        m.d.sync += self.event_valid.eq(memory.full & ~memory.release)

        return m

    def _count(self, m, fill, written, count):
        """Events that the present line holds, one memory word per line; `count` replaces it."""
        m.submodules.counts = counts = Memory(
            shape=range(self._length + 1), depth=self._lines, init=[]
        )
        write = counts.write_port()
        read = counts.read_port(transparent_for=(write,))
        following = Mux(fill.line == self._lines - 1, 0, fill.line + 1)
        m.d.comb += [
            write.addr.eq(fill.line),
            write.data.eq(count),
            write.en.eq(written),
            read.addr.eq(Mux(written, following, fill.line)),
        ]
        return read.data
