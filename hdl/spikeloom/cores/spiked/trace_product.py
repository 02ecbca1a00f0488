"""Trace-driven product: one vector addition per spike event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.add_with_carry import add_with_carry
from ...blocks.banks import BankReader, BankRoom
from ...blocks.component import Component
from ...blocks.group_counter import GroupCounter
from ...blocks.loop_nest import LoopNest
from ...blocks.memory_attributes import BLOCK_RAM, NO_READ_WRITE_COLLISION, has_lut_ram
from ...blocks.pipeline import Pipeline
from ...blocks.select import lookup, select
from .event_memory import EventReader
from .lane_memory import lane_address
from .tables import trace_table

if TYPE_CHECKING:
    from amaranth.hdl import ShapeLike

    from .core import Spiked


BLOCK_RAM_WIDTH = 18  # bits of the narrowest block RAM with two ports, where LUTs can be memory
FEW_BITS = 4  # cheaper in logic than in one more block RAM


def step_bits(config: Spiked) -> int:
    """Bits of the sum of two steps; no sum has all of them set."""
    return max(1, (2 * config.steps - 2).bit_length())


def sum_shape(config: Spiked, length: int) -> range:
    """Shape that holds any sum of `length` products."""
    most = length << config.frac_bits
    return range(-most, most + 1)


def product_delay(config: Spiked) -> int:
    """Cycles of a `TraceProduct` from a line's last event to its first sums."""
    return 8 + (config.events > 1)


class TraceProduct(Component):
    """``o[l, t] = sum_x a[l, x] * b[t, x]`` of one-spike codes, a as events, b stationary.

    The product of two spikes at steps n and m is ``B**-(n + m)``, an entry of a table. For each
    spike of an event, every lane of a group of tokens looks up its product and adds it to its sum
    or subtracts it, depending on the signs. There is no multiplier. Sums cannot wrap: they are wide
    enough for `length` products of 1.

    Each line and group of tokens takes one cycle per event. After the last event of a line, the
    sums of the group leave, `encoders` per cycle, while the next group is summed; only its last
    event stalls until they have left. The formula is ``schedule.product_cycles``.

    Line by line, all groups of a line are summed before the next line, and the last group leaves in
    as few blocks as it needs. A line without spikes has no sums: it takes one cycle for all groups
    and is reported by `o_silent`. With `by_group`, all lines of a group are summed before the next
    group, so that a product can begin as soon as the first group of b is known. Every group leaves
    in as many blocks as a full one; a line without spikes takes one cycle and one `o_silent` per
    group.

    Parameters
    ----------
    config : Spiked (tokens, lanes, encoders, events, steps, base, frac_bits).
    lines, length : shape of a.
    shape : shape of b's codes.
    by_group : whether the groups of tokens are the outer loop.

    Members
    -------
    run : In(1), allow the next part to start; it needs both operands and room for its sums. A part
        is `lanes` lines or, with `by_group`, all lines of a group.
    enable : In(1), allow events to be issued; high if not connected.
    events : Out(EventReader), of an `EventMemory` of a with `events` ways.
    lanes : Out(BankReader), of a `LaneMemory` of b with a delay of 2, the same `by_group`
        and `events` ways.
    room : Out(BankRoom()), reserves room for the sums of a part.
    o : Out(array of `encoders` sums in trace units), o_valid : Out(1); line by line, token by
        token, without backpressure.
    o_silent : Out(1), replaces a line of `o` whose sums are all zero.

    Source: "SpikedAttention", NeurIPS 2024, trace-driven matrix multiplication.
    """

    def __init__(
        self,
        config: Spiked,
        lines: int,
        length: int,
        *,
        shape: ShapeLike,
        by_group: bool = False,
    ) -> None:
        self._config = config
        self.delay = product_delay(config)
        self._lines = lines
        self._by_group = by_group
        self._sum = sum_shape(config, length)
        super().__init__(
            {
                "run": In(1),
                "enable": In(1, init=1),  # pyright: ignore[reportCallIssue]
                "events": Out(EventReader(length, config.steps, config.events)),
                "lanes": Out(
                    BankReader(
                        lane_address(config.groups, length, config.events),
                        data.ArrayLayout(data.ArrayLayout(shape, config.lanes), config.events),
                    )
                ),
                "room": Out(BankRoom()),
                "o": Out(data.ArrayLayout(self._sum, config.encoders)),
                "o_valid": Out(1),
                "o_silent": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config
        event = self.events.event

        # Issue one event per cycle; the last one of a group stalls until the previous sums have
        # left.
        loops, part_last, blocks = self._loops(m)
        begun = Signal()
        leaving = Signal(range(self._config.group_blocks[0]))
        still_leaving = Signal()
        begin = Signal()
        ready = self.enable & (begun | begin)
        issue = self.events.valid & ready & ~(event.last & still_leaving)
        closes = issue & event.last
        m.d.comb += [
            self.events.next.eq(issue),
            loops.step.eq(closes),
            self.room.reserve.eq(issue & ~begun),
            self.lanes.release.eq(closes & loops.line_last),
            self.lanes.addr.group.eq(loops.group),
        ]
        for way, spike in enumerate(event.spikes):
            m.d.comb += self.lanes.addr.index[way].eq(spike.index)
        # Registered, as `run`, `full` and `free` come from far; an event may change them.
        m.d.sync += begin.eq(self.run & self.lanes.full & self.room.free & ~issue)
        with m.If(issue):
            m.d.sync += begun.eq(~(event.last & part_last))
        with m.If(closes & ~event.silent):
            m.d.sync += [leaving.eq(blocks - 1), still_leaving.eq(blocks != 1)]
        with m.Elif(still_leaving):
            m.d.sync += [leaving.eq(leaving - 1), still_leaving.eq(leaving != 1)]

        # The event is delayed to match its products.
        codes = [Signal.like(spike.code, reset_less=True) for spike in event.spikes]
        lanes = Signal.like(self.lanes.data, reset_less=True)
        for way, (code, spike) in enumerate(zip(codes, event.spikes, strict=True)):
            m.d.comb += code.eq(Pipeline(m).delay(spike.code.as_value(), 3, f"code_{way}"))
        m.d.sync += lanes.eq(self.lanes.data)
        control = Cat(issue & ~event.silent, closes & ~event.silent, closes & event.silent, blocks)
        control = Pipeline(m).delay(control, self.delay - 2, "control", reset_less=False)
        adding, done, silent, count = control[0], control[1], control[2], control[3:]
        m.d.sync += self.o_silent.eq(Pipeline(m).register(silent, "silent", reset_less=False))

        products = self._products(m, codes, lanes, has_lut_ram(platform))
        clear = Signal(init=1)
        m.d.sync += clear.eq(0)
        totals = [
            self._sum_up(m, n, products[n :: config.lanes], adding | clear, done | clear)
            for n in range(config.lanes)
        ]
        self._send(m, totals, done, count)

        return m

    def _loops(self, m):
        """The loops over lines and groups; whether the current line and group end a part; and the
        number of blocks in which the group's sums leave."""
        config, event = self._config, self.events.event
        full_blocks, last_blocks = config.group_blocks[0], config.group_blocks[-1]
        if self._by_group:
            m.submodules.loops = loops = LoopNest(group=config.groups, line=self._lines)
            m.d.comb += self.events.again.eq(~loops.group_last)
            return loops, loops.line_last, Const(full_blocks)

        m.submodules.loops = loops = LoopNest(line=self._lines, group=config.groups)
        m.submodules.part = part = GroupCounter(self._lines, config.lanes)
        line_ends = loops.group_last | event.silent
        m.d.comb += [
            self.events.rewind.eq(~line_ends),
            loops.skip.eq(event.silent),
            part.step.eq(loops.step & line_ends),
        ]
        blocks = Mux(loops.group_last, last_blocks, full_blocks)
        return loops, line_ends & part.place_last, blocks

    def _products(self, m, codes, lanes, lut_ram):
        """The product of each code of the event with each lane, a negative one inverted, and the
        carry that completes its negation.

        Without LUT RAM, block RAM is needed for what is written, and tables are logic. Otherwise
        they are block RAM, with room for inverted products; a few bits beyond the width of a block
        RAM are logic, for only the first entries have them.
        """
        config = self._config
        table, width = trace_table(config), config.frac_bits + 1
        beyond = width % BLOCK_RAM_WIDTH if lut_ram and width > BLOCK_RAM_WIDTH else 0
        width -= beyond if beyond <= FEW_BITS else 0
        low = [entry % (1 << width) for entry in table]
        high = [entry >> width for entry in table] + [0]
        if lut_ram:
            padding = [0] * ((1 << step_bits(config)) - len(table))
            low = [*low, *padding, *((1 << width) - 1 - entry for entry in low), *padding]
        pairs = [(code, lane) for way, code in enumerate(codes) for lane in lanes[way]]
        products = []
        for n, (code, lane) in enumerate(pairs):
            if n % 2 == 0:  # block RAMs have two ports
                m.submodules[f"traces_{n}"] = traces = Memory(
                    shape=width,
                    depth=len(low),
                    init=low,
                    attrs=BLOCK_RAM if lut_ram else NO_READ_WRITE_COLLISION,
                )
            products.append(self._product(m, n, traces.read_port(), high, code, lane, lut_ram))
        return products

    def _product(self, m, n, trace, high, code, lane, inverted_in_table):
        """Product number `n` and its carry.

        The steps of the event's `code` and of the `lane` code add up to an address of the table,
        which is read in the next cycle. Its bits beyond the memory are the table `high`. If the
        table holds inverted products too, the last address, which no steps add up to, holds 0 for a
        silent code. The product is a register, as block RAM has a long output delay.
        """
        spikes = code.spike & lane.spike
        negative = spikes & (code.sign ^ getattr(lane, "sign", 0))
        step = Signal(step_bits(self._config), name=f"step_{n}")
        address = Signal.like(trace.addr, name=f"address_{n}", reset_less=True)
        pair = Signal(2, name=f"pair_{n}", reset_less=True)
        minus = Signal(3, name=f"minus_{n}", reset_less=True)
        m.d.comb += [step.eq(code.step + lane.step), trace.addr.eq(address)]
        m.d.sync += minus.eq(Cat(negative, minus))
        if inverted_in_table:
            m.d.sync += address.eq(Mux(spikes, Cat(step, negative), -1))
            low = trace.data
        else:
            m.d.sync += [address.eq(step), pair.eq(Cat(spikes, pair))]
            low = Mux(pair[1], trace.data, 0) ^ minus[1].replicate(len(trace.data))

        bits = self._config.frac_bits + 1
        beyond = Signal(bits - len(trace.data), name=f"beyond_{n}", reset_less=True)
        product = Signal(signed(bits + 1), name=f"product_{n}", reset_less=True)
        m.d.sync += [
            beyond.eq(lookup(high, address[: len(step)])),
            product.eq(Cat(low, beyond ^ minus[1].replicate(len(beyond)), minus[1])),
        ]
        return product, minus[2]

    def _sum_up(self, m, n, products, step, clear):
        """Sum number `n`; returns its total, which is valid while products are added.

        Two products are added first, in a cycle of their own. At a `step`, the sum becomes the
        total or, with `clear`, 0.
        """
        before = Signal(self._sum, name=f"sum_{n}", reset_less=True)
        total = Signal(self._sum, name=f"total_{n}")
        (product, carry), *others = products
        for other, other_carry in others:
            both = Signal(signed(len(product) + 1), name=f"both_{n}", reset_less=True)
            later = Signal(name=f"carry_{n}", reset_less=True)
            m.d.sync += [both.eq(add_with_carry(product, other, carry)), later.eq(other_carry)]
            product, carry = both, later
        m.d.comb += total.eq(add_with_carry(before, product, carry))
        with m.If(step):
            m.d.sync += before.eq(Mux(clear, 0, total))
        return total

    def _send(self, m, totals, done, count):
        """At `done`, copy the totals to registers, from which they leave in `count` blocks."""
        size = self._config.encoders
        held = [Signal(self._sum, name=f"held_{n}", reset_less=True) for n in range(len(totals))]
        block = Signal(range(-(-len(totals) // size)), reset_less=True)
        left = Signal(len(count))
        with m.If(done):
            m.d.sync += [left.eq(count), block.eq(0)]
            m.d.sync += [register.eq(total) for register, total in zip(held, totals, strict=True)]
        with m.Elif(left != 0):
            m.d.sync += [left.eq(left - 1), block.eq(block + 1)]
        o = Signal.like(self.o, reset_less=True)
        m.d.sync += [o[n].eq(select(held[n::size], block)) for n in range(size)]
        m.d.sync += self.o_valid.eq(left != 0)
        m.d.comb += self.o.eq(o)
