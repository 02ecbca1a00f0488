"""Event scanner of `a2os2a`: rows after a reset."""

import pytest
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator

from spikeloom.cores.a2os2a.event_scanner import EventScanner


@pytest.mark.parametrize("waited", range(1, 8))
def test_a_reset_leaves_no_row(waited):
    """A row of two spans is reset in each of its cycles; the first event of the next row is as
    early as that of any row, with the bit, value and tag of the new one."""
    scanner, reset = EventScanner(10, 3, 1), Signal()
    row = scanner.i.payload
    found = []

    async def drive(ctx):
        ctx.set(scanner.o.ready, 1)
        ctx.set(scanner.ready_next, 1)

        async def offer(mask, values, tag):
            ctx.set(row, {"mask": mask, "values": values, "tag": tag})
            ctx.set(row.marks, {"first": 1, "rest": 2, "many": 1})
            ctx.set(scanner.i.valid, 1)
            await ctx.tick().until(scanner.i.ready)
            ctx.set(scanner.i.valid, 0)

        await offer((1 << 10) - 1, 0, 0)
        await ctx.tick().repeat(waited)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        await offer(1 << 3 | 1 << 8, 5 << 9, 1)
        for cycle in range(8):
            if ctx.get(scanner.o.valid):
                event = scanner.o.payload
                found.append((cycle, *map(ctx.get, (event.index, event.value, event.tag))))
            await ctx.tick()

    simulator = Simulator(ResetInserter({"sync": reset})(scanner))
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()
    assert found[:2] == [(scanner.delay, 3, 5, 1), (scanner.delay + 1, 8, 0, 1)]
