"""Event memory: a tensor of codes arrives, its spikes alone are kept and leave line by line."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.bank_memory import BankMemory
from ...blocks.loop_nest import LoopNest
from ...blocks.memory_attributes import BLOCK_RAM
from .code import signed_code


def event_layout(length, steps):
    """A spike event: its place on the line, its code, and the mark of the line's last event.

    Where `silent`, the line has no spike; then this is the only event, and it has no place or code.
    """
    return data.StructLayout(
        {"index": range(length), "code": signed_code(steps), "last": 1, "silent": 1}
    )


class EventMemory(wiring.Component):
    """Keeps the spikes of `lines` x `length` neurons, for one tensor while the next arrives.

    Silent neurons take no place among the events and no time; a line without any spike is one
    event. One code per clock in, one event per clock out, and two clocks between the last event of
    a tensor and the first of the next.

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

        # The events of every line, and the place of the last of them: -1 for none.
        offset_bits = (self._length - 1).bit_length()
        end_shape = signed(offset_bits + 1)
        read = Cat(self.event.index, self.event.code)
        m.submodules.memory = memory = BankMemory(
            banks=2, depth=self._lines << offset_bits, granule_bits=len(read)
        )
        line_bits = (self._lines - 1).bit_length()
        m.submodules.ends = ends = Memory(
            shape=end_shape, depth=2 << line_bits, init=[], attrs=BLOCK_RAM
        )
        end_write, end_read = ends.write_port(), ends.read_port()

        # Fill: line after line, or all lines side by side, each behind what it holds already.
        loops = {"line": self._lines, "index": self._length}
        if self._transposed:
            loops = {"index": self._length, "line": self._lines}
        m.submodules.fill = fill = LoopNest(**loops)
        starts = fill.index_first if self._transposed else fill.line_first
        closes = fill.index_last if self._transposed else fill.line_last
        last = fill.index == self._length - 1

        written = self.i.valid & self.i.ready
        spike = self.i.payload.spike
        end_before, end = Signal(end_shape, init=-1), Signal(end_shape)
        place = Signal(offset_bits)
        m.d.comb += [
            self.i.ready.eq(~starts | memory.free),
            fill.step.eq(written),
            place.eq(end_before + 1),
            end.eq(Mux(spike, place, end_before)),
            memory.w_addr.eq(Cat(place, fill.line)),
            memory.w_data.eq(Cat(fill.index, self.i.payload)),
            memory.w_en.eq(written & spike),
            memory.reserve.eq(written & starts),
            memory.w_close.eq(written & closes),
            end_write.addr.eq(Cat(fill.line, memory.w_bank)),
            end_write.data.eq(end),
            end_write.en.eq(written & last),
        ]
        if self._transposed:
            kept = self._keep(m, fill, written, end)
            m.d.comb += end_before.eq(Mux(fill.index == 0, -1, kept))
        else:
            with m.If(written):
                m.d.sync += end_before.eq(Mux(last, -1, end))

        # Read: the address of the next event goes to the memory while the present one is used, and
        # the end of the line ahead has been read before that is entered.
        line, ahead = Signal(range(self._lines)), Signal(range(self._lines))
        offset = Signal(offset_bits)
        line_end, next_end = Signal(end_shape), Signal(end_shape)
        known, last_event = Signal(), Signal()
        leave = self.next & self.event.last & ~self.again
        release = leave & (ahead == 0)
        enter = Signal()
        next_ahead = Mux(enter, Mux(ahead == self._lines - 1, 0, ahead + 1), ahead)
        next_line = Mux(enter, ahead, line)
        next_offset = Mux(enter | self.event.last & self.next, 0, offset + self.next)
        m.d.comb += [
            enter.eq(Mux(self.event_valid, leave & ~release, known)),
            next_end.eq(Mux(enter, end_read.data, line_end)),
            memory.r_addr.eq(Cat(next_offset[:offset_bits], next_line[:line_bits])),
            end_read.addr.eq(Cat(next_ahead[:line_bits], memory.r_bank)),
            memory.release.eq(release),
            read.eq(memory.r_data),
            self.event.silent.eq(line_end < 0),
            self.event.last.eq(last_event),
        ]
        m.d.sync += [
            known.eq(memory.full & ~release),
            self.event_valid.eq(enter | self.event_valid & ~release),
            ahead.eq(next_ahead),
            line.eq(next_line),
            offset.eq(next_offset),
            line_end.eq(next_end),
            last_event.eq((next_end < 0) | (next_offset[:offset_bits] == next_end)),
        ]

        return m

    def _keep(self, m, fill, written, end):
        """The end of the present line so far, one memory word per line; `end` replaces it."""
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
