"""Runs an engine in Amaranth's simulator."""

import random
from dataclasses import dataclass, field

from amaranth.sim import Simulator


@dataclass
class Outcome:
    """What an engine gave for one image."""

    cycles: int = 0
    logits: list = field(default_factory=list)
    label: int = -1
    lasts: list = field(default_factory=list)


def run_engine(engine, images, chunks=(), *, stalls=0.0, seed=1, limit=500_000):
    """Run images, each a list of beats, after weights (chunks) are loaded.

    `stalls` is the probability with which a stream pauses in a cycle. Images are sent as soon as
    the engine takes them. Returns an `Outcome` for each image.
    """
    outcomes = [Outcome() for _ in images]
    rng = random.Random(seed)

    async def send(ctx, stream, beats):
        for n, beat in enumerate(beats):
            while rng.random() < stalls:
                await ctx.tick()
            ctx.set(stream.payload, {"data": int(beat), "last": int(n == len(beats) - 1)})
            ctx.set(stream.valid, 1)
            await ctx.tick().until(stream.ready)
            ctx.set(stream.valid, 0)

    loaded = []

    async def source(ctx):
        if len(chunks):
            await send(ctx, engine.weights, chunks)
        loaded.append(True)
        for beats in images:
            await send(ctx, engine.image, beats)

    async def sink(ctx, stream, keep):
        ctx.set(stream.ready, 1)
        while True:
            stalled = rng.random() < stalls
            ctx.set(stream.ready, not stalled)
            _, _, valid, payload = await ctx.tick().sample(stream.valid, stream.payload)
            if valid and not stalled:
                keep(payload)

    received = []

    async def logits(ctx):
        await sink(ctx, engine.logits, lambda p: received.append((int(p.data), int(p.last))))

    labels = []

    async def label(ctx):
        await sink(ctx, engine.label, lambda p: labels.append((int(p.data), int(p.last))))

    async def control(ctx):
        while not loaded:
            await ctx.tick()
        await ctx.tick().repeat(len(images[0]) * 2 + 8 if not stalls else 1)
        for outcome in outcomes:
            ctx.set(engine.start, 1)
            await ctx.tick()
            ctx.set(engine.start, 0)
            while not ctx.get(engine.done):
                outcome.cycles += 1
                assert outcome.cycles < limit, "the engine hangs"
                await ctx.tick()
            await ctx.tick()
            outcome.cycles += 1
            assert not ctx.get(engine.busy)
            outcome.logits = [value for value, _ in received]
            outcome.lasts = [last for _, last in received]
            ((outcome.label, last),) = labels
            assert last
            received.clear()
            labels.clear()
        assert not ctx.get(engine.misframed)

    simulator = Simulator(engine)
    simulator.add_clock(1e-6)
    for process in (source, logits, label):
        simulator.add_testbench(process, background=True)
    simulator.add_testbench(control)
    simulator.run()
    return outcomes
