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


def run_engine(engine, images, chunks=(), *, stalls=0.0, seed=1, limit=500_000, lone=False):
    """Run images, each a list of beats, after weights (chunks) are loaded.

    `stalls` is the probability with which a stream pauses in a cycle. Images are sent as soon as
    the engine takes them, or, if they are `lone`, not before the run of the one before ended.
    Returns an `Outcome` for each image.
    """
    bench = _Bench(engine, images, chunks, stalls, random.Random(seed), limit)
    bench.lone = lone
    simulator = Simulator(engine)
    simulator.add_clock(1e-6)
    for process in (bench.source, bench.logits, bench.label):
        simulator.add_testbench(process, background=True)
    simulator.add_testbench(bench.control)
    simulator.run()
    return bench.outcomes


def run_sequence(engine, images, chunks=(), *, present=1, stalls=0.0, seed=1, limit=500_000):
    """As `run_engine`, but `start` stays high after `present` images are in the engine, so that no
    cycle passes between runs. The `cycles` of an `Outcome` end with its label, and begin with the
    first start."""
    bench = _Sequence(engine, images, chunks, stalls, random.Random(seed), limit)
    bench.present = present
    simulator = Simulator(engine)
    simulator.add_clock(1e-6)
    for process in (bench.source, bench.logits):
        simulator.add_testbench(process, background=True)
    simulator.add_testbench(bench.control)
    simulator.run()
    return bench.outcomes


class _Bench:
    """The processes around an engine: one for each side of its streams."""

    def __init__(self, engine, images, chunks, stalls, rng, limit):
        self.engine, self.images, self.chunks = engine, images, chunks
        self.stalls, self.rng, self.limit = stalls, rng, limit
        self.outcomes = [Outcome() for _ in images]
        self.loaded = not len(chunks)
        self.received, self.labels = [], []
        self.lone, self.over = False, 0

    async def source(self, ctx):
        """Weights, then all images."""
        if not self.loaded:
            await self._send(ctx, self.engine.weights, self.chunks)
            self.loaded = True
        for n, beats in enumerate(self.images):
            while self.lone and self.over < n:
                await ctx.tick()
            await self._send(ctx, self.engine.image, beats)

    async def logits(self, ctx):
        await self._receive(ctx, self.engine.logits, self.received)

    async def label(self, ctx):
        await self._receive(ctx, self.engine.label, self.labels)

    async def control(self, ctx):
        """Start each image, and count its cycles while `busy`; `done` comes when it falls."""
        engine = self.engine
        while not self.loaded:
            await ctx.tick()
        image = engine.program.image
        preload = image.rows * image.sent + 8
        await ctx.tick().repeat(preload)
        for outcome in self.outcomes:
            if self.lone and self.over:
                await ctx.tick().repeat(preload)
            ctx.set(engine.start, 1)
            await ctx.tick()
            ctx.set(engine.start, 0)
            while ctx.get(engine.busy):
                assert not ctx.get(engine.done)
                outcome.cycles += 1
                assert outcome.cycles < self.limit, "the engine hangs"
                await ctx.tick()
            assert ctx.get(engine.done)
            outcome.logits = [value for value, _ in self.received]
            outcome.lasts = [last for _, last in self.received]
            ((outcome.label, last),) = self.labels
            assert last
            self.received.clear()
            self.labels.clear()
            self.over += 1
        assert not ctx.get(engine.misframed)

    async def _send(self, ctx, stream, beats):
        for n, beat in enumerate(beats):
            while self.rng.random() < self.stalls:
                await ctx.tick()
            ctx.set(stream.payload, {"data": int(beat), "last": int(n == len(beats) - 1)})
            ctx.set(stream.valid, 1)
            await ctx.tick().until(stream.ready)
            ctx.set(stream.valid, 0)

    async def _receive(self, ctx, stream, received):
        while True:
            ready = self.rng.random() >= self.stalls
            ctx.set(stream.ready, ready)
            _, _, valid, payload = await ctx.tick().sample(stream.valid, stream.payload)
            if valid and ready:
                received.append((int(payload.data), int(payload.last)))


class _Sequence(_Bench):
    """A bench that starts runs without pauses."""

    async def control(self, ctx):
        engine = self.engine
        while not self.loaded:
            await ctx.tick()
        image = engine.program.image
        await ctx.tick().repeat(self.present * image.rows * image.sent + 8)
        ctx.set(engine.start, 1)
        await ctx.tick()
        cycle, logits = 0, 0
        for outcome in self.outcomes:
            while not outcome.cycles:
                ready = self.rng.random() >= self.stalls
                ctx.set(engine.label.ready, ready)
                _, _, valid, label = await ctx.tick().sample(
                    engine.label.valid, engine.label.payload
                )
                cycle += 1
                assert cycle < self.limit, "the engine hangs"
                if valid and ready:
                    assert label.last
                    outcome.cycles, outcome.label = cycle, int(label.data)
            received, logits = self.received[logits:], len(self.received)
            outcome.logits = [value for value, _ in received]
            outcome.lasts = [last for _, last in received]
        ctx.set(engine.start, 0)
        assert not ctx.get(engine.misframed)
