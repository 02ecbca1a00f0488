"""Building blocks, each against a few lines of Python."""

import random
from itertools import product

import pytest
from amaranth.sim import Simulator

from spikeloom.blocks.bank_memory import BankMemory
from spikeloom.blocks.group_counter import GroupCounter
from spikeloom.blocks.held_splitter import HeldSplitter
from spikeloom.blocks.loop_nest import LoopNest
from spikeloom.blocks.popcount import Popcount
from spikeloom.blocks.row_splitter import RowSplitter


@pytest.mark.parametrize("width", [1, 2, 7, 8, 9, 64, 65, 256])
def test_popcount(width):
    """One input per cycle; all zeros, all ones and random bits."""
    rng = random.Random(width)
    inputs = [0, 2**width - 1] + [rng.getrandbits(width) for _ in range(20)]
    dut = Popcount(width)
    seen = []

    async def bench(ctx):
        for value in inputs + [0] * dut.delay:
            ctx.set(dut.i, value)
            await ctx.delay(1e-8)
            seen.append(ctx.get(dut.o))
            if dut.delay:
                await ctx.tick()

    _simulate(dut, bench, clock=dut.delay > 0)
    assert seen[dut.delay :] == [value.bit_count() for value in inputs]


def test_popcount_delay():
    assert [Popcount(n).delay for n in (1, 2, 8, 9, 64, 65, 256)] == [0, 1, 1, 2, 2, 3, 3]


def test_loop_nest():
    extents = {"outer": 3, "single": 1, "inner": 4}
    dut = LoopNest(**extents)
    seen = []

    async def bench(ctx):
        rng = random.Random(1)
        for _ in range(60):
            step = rng.random() < 0.6
            ctx.set(dut.step, step)
            await ctx.delay(1e-8)
            if step:
                indices = tuple(ctx.get(getattr(dut, name)) for name in extents)
                flags = [ctx.get(getattr(dut, f"{name}_last")) for name in extents]
                firsts = [ctx.get(getattr(dut, f"{name}_first")) for name in extents]
                seen.append((indices, flags, firsts))
            await ctx.tick()

    _simulate(dut, bench)
    turns = list(product(*map(range, extents.values())))
    sizes = list(extents.values())
    for n, (indices, lasts, firsts) in enumerate(seen):
        assert indices == turns[n % len(turns)]
        for depth in range(len(sizes)):
            inner = list(zip(indices, sizes, strict=True))[depth:]
            assert lasts[depth] == all(index == size - 1 for index, size in inner)
            assert firsts[depth] == all(index == 0 for index, _ in inner)


@pytest.mark.parametrize("extents", [{"outer": 3, "inner": 4}, {"outer": 3}])
def test_loop_nest_skips(extents):
    """Whole turns of the loops inside, at random; the rest stays a loop."""
    dut = LoopNest(**extents)
    inner = extents.get("inner", 1)
    seen, skips = [], []

    async def bench(ctx):
        rng = random.Random(2)
        for _ in range(100):
            step = rng.random() < 0.8
            index = ctx.get(getattr(dut, "inner", dut.outer)) if inner > 1 else 0
            skip = index == 0 and rng.random() < 0.5
            ctx.set(dut.step, step)
            ctx.set(dut.skip, skip)
            await ctx.delay(1e-8)
            if step:
                seen.append((ctx.get(dut.outer), index, ctx.get(dut.outer_last)))
                skips.append(skip)
            await ctx.tick()

    _simulate(dut, bench)
    outer = index = 0
    for found, skip in zip(seen, skips, strict=True):
        ends = skip or index == inner - 1
        assert found == (outer, index, ends and outer == 2)
        outer, index = ((outer + 1) % 3, 0) if ends else (outer, index + 1)
    assert any(skips)
    assert not all(skips)


@pytest.mark.parametrize(("width", "chunk"), [(8, 2), (12, 4), (6, 1)])
@pytest.mark.parametrize("stalls", [0.0, 0.5])
@pytest.mark.parametrize("splitter", [RowSplitter, HeldSplitter])
def test_splitters(splitter, width, chunk, stalls):
    rng = random.Random(width + chunk)
    rows = [rng.getrandbits(width) for _ in range(20)]
    dut = splitter(width, chunk)
    seen = []

    async def feed(ctx):
        for row in rows:
            while rng.random() < stalls:
                await ctx.tick()
            ctx.set(dut.i.payload, row)
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)

    async def take(ctx):
        clocks = 0
        while len(seen) < len(rows) * width // chunk:
            ready = rng.random() >= stalls
            ctx.set(dut.o.ready, ready)
            _, _, valid, payload = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            clocks += 1
            if ready and valid:
                seen.append(payload)
        if not stalls:
            assert clocks <= len(seen) + 2, "gaps between chunks"

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(feed, background=True)
    simulator.add_testbench(take)
    simulator.run()
    mask = 2**chunk - 1
    assert seen == [row >> n & mask for row in rows for n in range(0, width, chunk)]


def test_row_splitter_of_one_chunk_is_a_wire():
    dut = RowSplitter(8, 8)

    async def bench(ctx):
        ctx.set(dut.i.payload, 0x5A)
        ctx.set(dut.i.valid, 1)
        for ready in (0, 1):
            ctx.set(dut.o.ready, ready)
            assert (ctx.get(dut.o.payload), ctx.get(dut.o.valid)) == (0x5A, 1)
            assert ctx.get(dut.i.ready) == ready

    _simulate(dut, bench, clock=False)


@pytest.mark.parametrize("splitter", [RowSplitter, HeldSplitter])
def test_splitters_refuse_a_remainder(splitter):
    with pytest.raises(ValueError, match="chunk must divide"):
        splitter(8, 3)


def test_held_splitter_of_one_chunk_keeps_up():
    """A beat per cycle, each accepted in the cycle in which it is copied."""
    dut = HeldSplitter(8, 8)

    async def bench(ctx):
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.o.ready, 1)
        for n in range(5):
            ctx.set(dut.i.payload, n)
            assert ctx.get(dut.i.ready)
            await ctx.tick()
            assert (ctx.get(dut.o.valid), ctx.get(dut.o.payload)) == (1, n)

    _simulate(dut, bench)


@pytest.mark.parametrize(("items", "size"), [(1, 1), (5, 1), (6, 3), (7, 3), (4, 4), (9, 8)])
def test_group_counter(items, size):
    """Every place of every group, and the ends of groups, twice; a pause changes nothing."""
    dut = GroupCounter(items, size)

    async def bench(ctx):
        for n in [*range(items), *range(items)]:
            for step in (0, 1):
                ctx.set(dut.step, step)
                assert (ctx.get(dut.group), ctx.get(dut.place)) == divmod(n, size)
                assert ctx.get(dut.last) == (n == items - 1)
                assert ctx.get(dut.place_last) == (n == items - 1 or n % size == size - 1)
                await ctx.tick()

    _simulate(dut, bench)


@pytest.mark.parametrize("behind", [False, True])
def test_bank_memory(behind):
    """Random writer and reader: banks are read in order and completely, without overflow. A bank
    that is read `behind` its release is not overwritten early."""
    rng = random.Random(3)
    depth, banks = 3, 2
    dut = BankMemory(banks=banks, depth=depth, granules=2, granule_bits=4, behind=behind)
    written, read = [], []

    async def writer(ctx):
        for _ in range(30):
            while not ctx.get(dut.w.free) or rng.random() < 0.3:
                await ctx.tick()
            ctx.set(dut.w.reserve, 1)
            await ctx.tick()
            ctx.set(dut.w.reserve, 0)
            content = [[rng.randrange(16) for _ in range(2)] for _ in range(depth)]
            order = [(word, granule) for word in range(depth) for granule in range(2)]
            rng.shuffle(order)
            for n, (word, granule) in enumerate(order):
                ctx.set(dut.w.addr, word)
                ctx.set(dut.w.en, 1 << granule)
                ctx.set(dut.w.data, content[word][granule] << 4 * granule)
                ctx.set(dut.w.close, n == len(order) - 1)
                await ctx.tick()
            ctx.set(dut.w.en, 0)
            ctx.set(dut.w.close, 0)
            written.append([low | high << 4 for low, high in content])

    async def reader(ctx):
        for _ in range(30):
            while not ctx.get(dut.r.full) or rng.random() < 0.5:
                await ctx.tick()
            content = []
            for word in range(depth + behind):
                ctx.set(dut.r.addr, word - behind)
                ctx.set(dut.r.release, word == depth - 1)
                await ctx.tick()
                content.append(ctx.get(dut.r.data))
            content = content[behind:]
            ctx.set(dut.r.release, 0)
            read.append(content)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(writer, background=True)
    simulator.add_testbench(reader)
    simulator.run()
    assert read == written[:30]


def _simulate(dut, bench, clock=True):
    simulator = Simulator(dut)
    if clock:
        simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
