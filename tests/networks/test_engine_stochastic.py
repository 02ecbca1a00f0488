"""Attention of form `ssa` on the engine: the core beside it, against the golden models."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.sim import Simulator

from spikeloom.cores.ssa import golden as ssa_golden
from spikeloom.cores.ssa.core import SSA
from spikeloom.errors import InputError
from spikeloom.networks import golden
from spikeloom.networks.engine import compile_network
from spikeloom.networks.engine.stochastic_heads import StochasticHeads
from spikeloom.networks.engine.stochastic_unit import StochasticUnit
from spikeloom.networks.layers import Attention, Residual
from spikeloom.networks.layers.stochastic import head_seed
from spikeloom.networks.neuron import NO_NEURON
from tests.networks.random_network import random_images, random_network
from tests.networks.test_engine import check, check_graph

SMALL = {"image": (4, 4, 1), "patch": (2, 2), "steps": 2, "dims": 12, "hidden": 7, "classes": 3}
SSA_BLOCK = SMALL | {"form": "ssa", "blocks": 1, "heads": 2}
FIRST = 3  # address of the first piece


class Bench:
    """A unit beside a memory of pieces, with random operands that all heads read."""

    def __init__(self, shape, gaps, read_delay, seeds, rng):
        self.shape, self.read_delay = shape, read_delay
        core = SSA(**shape, engine="sampled")
        widths = {name: core.width(name) for name in "kvqo"}
        pitches = {
            name: -(-widths[name] // 16) + gap for name, gap in zip("kvqo", gaps, strict=True)
        }
        self.heads = StochasticHeads(core, pitches, seeds)
        rows = core.steps * core.tokens
        ends = np.cumsum([FIRST, *(rows * pitch for pitch in pitches.values())]).tolist()
        self.bases = dict(zip(pitches, ends[:-1], strict=True))
        self.memory = rng.integers(0, 1 << 16, ends[-1])
        self.operands = {
            name: (rng.random((core.steps, core.tokens, widths[name])) < 0.8).astype(np.uint8)
            for name in "kvq"
        }
        for name, bits in self.operands.items():
            self._pieces(name)[...] = np.packbits(
                np.pad(bits, ((0, 0), (0, 0), (0, -widths[name] % 16))), bitorder="little", axis=2
            ).view("<u2")
        self.cycles = []
        self.unit = StochasticUnit(
            self.heads, addr_bits=max(1, (ends[-1] - 1).bit_length()), read_delay=read_delay
        )

    def _pieces(self, name):
        """The pieces of an operand's head in memory: (T, N, pieces)."""
        pitch, core = self.heads.pitches[name], self.heads.core
        at = self.bases[name]
        rows = self.memory[at : at + core.steps * core.tokens * pitch]
        rows = rows.reshape(core.tokens, core.steps, pitch).transpose(1, 0, 2)
        return rows[..., : self.heads.pieces(name)]

    def outputs(self):
        """What the unit wrote: (T, N, Dv)."""
        bits = np.unpackbits(
            np.ascontiguousarray(self._pieces("o").astype("<u2")).view(np.uint8),
            bitorder="little",
            axis=2,
        )
        return bits[..., : self.heads.core.value_dim]

    async def run(self, ctx):
        for name, base in self.bases.items():
            ctx.set(getattr(self.unit, f"{name}_base"), base)
        for seed, number in enumerate(self.heads.seeds):
            untouched = self.memory.copy()
            await self._head(ctx, seed)
            config = replace(self.heads.core, seed=number)
            assert np.array_equal(self.outputs(), ssa_golden.run(config, **self.operands))
            self._pieces("o")[...] = 0
            untouched[self.bases["o"] :] &= self.memory[self.bases["o"] :]
            assert np.array_equal(untouched[: self.bases["o"]], self.memory[: self.bases["o"]])

    async def _head(self, ctx, seed):
        unit, reads = self.unit, [0] * self.read_delay
        ctx.set(unit.seed, seed)
        ctx.set(unit.go, 1)
        cycles = 0
        while not ctx.get(unit.final):
            if ctx.get(unit.w_en):
                self.memory[ctx.get(unit.w_addr)] = ctx.get(unit.w_data)
            if ctx.get(unit.r_en):
                addr = ctx.get(unit.r_addr)
                reads = [int(self.memory[addr]) if addr < len(self.memory) else 0, *reads[:-1]]
            await ctx.tick()
            ctx.set(unit.r_data, reads[-1])
            ctx.set(unit.go, 0)
            cycles += 1
            assert cycles < 100_000, "the unit hangs"
        self.memory[ctx.get(unit.w_addr)] = ctx.get(unit.w_data)
        assert cycles == self.heads.cycles(self.read_delay)
        await ctx.tick()
        assert not ctx.get(unit.busy)


def check_unit(shape, *, gaps=(0, 0, 0, 0), read_delay=1, heads=2, seed=1):
    """Two heads one after the other: spikes and cycles."""
    rng = np.random.default_rng(seed)
    bench = Bench(shape, gaps, read_delay, tuple(head_seed(seed, n) for n in range(heads)), rng)
    simulator = Simulator(bench.unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench.run)
    simulator.run()


def test_unit():
    """Rows of two and three pieces, in wider rows."""
    shape = {"steps": 3, "tokens": 5, "head_dim": 20, "value_dim": 33}
    check_unit(shape, gaps=(1, 0, 2, 3), read_delay=2)


UNITS = {
    "one of all": {"steps": 1, "tokens": 1, "head_dim": 1},
    "one token": {"steps": 6, "tokens": 1, "head_dim": 40},
    "one dim": {"steps": 6, "tokens": 3, "head_dim": 1},
    "more values": {"steps": 2, "tokens": 4, "head_dim": 3, "value_dim": 90},
    "fewer values": {"steps": 2, "tokens": 4, "head_dim": 90, "value_dim": 3},
    "a whole piece": {"steps": 16, "tokens": 2, "head_dim": 16},
    "banks for two steps": {"steps": 5, "tokens": 130, "head_dim": 4},
    "flagship": {"steps": 10, "tokens": 49, "head_dim": 32},
}


@pytest.mark.long
@pytest.mark.parametrize("read_delay", [1, 2])
@pytest.mark.parametrize("case", UNITS)
def test_units(case, read_delay):
    check_unit(UNITS[case], read_delay=read_delay, seed=len(case))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(12))
def test_random_units(seed):
    rng = np.random.default_rng(seed)
    names, most = ("steps", "tokens", "head_dim", "value_dim"), (8, 20, 50, 50)
    shape = {name: int(rng.integers(1, end)) for name, end in zip(names, most, strict=True)}
    gaps = tuple(rng.integers(0, 3, 4).tolist())
    check_unit(shape, gaps=gaps, read_delay=1 + seed % 2, seed=seed)


def test_equal():
    """A network; the same image has the same logits again."""
    graph = random_network(**SSA_BLOCK | {"pixel_bits": 2, "dims": 6, "hidden": 3})
    images = random_images(graph, 2, density=0.9)[[0, 0]]
    assert golden.run(graph, images).counts["block0.attention"].all()
    check_graph(graph, images, {"lanes": 4})


LONG = {
    "loaded, two blocks of sums": (
        {"blocks": 2, "residual": "add", "steps": 3},
        {"lanes": 8, "weights": "loaded"},
    ),
    "4 lanes, one token and step": (
        {"image": (2, 2, 1), "steps": 1, "dims": 7, "heads": 1},
        {"lanes": 4},
    ),
    "64 lanes, heads in a word": ({"dims": 48, "heads": 3, "blocks": 2}, {"lanes": 64}),
    "16 steps, no leak": ({"steps": 16, "leak": 0, "reset": "soft"}, {"lanes": 16}),
    "more values": ({"value_dims": 40, "weight_bits": 4}, {"lanes": 32}),
    "fewer values, 9 tokens": (
        {"image": (6, 6, 1), "dims": 40, "value_dims": 12},
        {"lanes": 8, "bit_enables": True},
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("case", LONG)
def test_equal_forms(case):
    sizes, engine = LONG[case]
    check(SSA_BLOCK | sizes, engine)


@pytest.mark.long
def test_stalls():
    """Streams pause; the next image arrives while one is computed."""
    check(SSA_BLOCK, {"weights": "loaded", "lanes": 8}, images=3, stalls=0.5)


def changed(graph, **layers):
    """A graph with other layers, by name with _ in place of a dot; None removes one."""
    layers = {name.replace("_", "."): layer for name, layer in layers.items()}
    found = (layers.get(layer.name, layer) for layer in graph.layers)
    return replace(graph, layers=tuple(layer for layer in found if layer is not None))


def attention(graph, name, **fields):
    layer = graph.layer(name)
    assert isinstance(layer, Attention)
    return replace(layer, **fields)


@pytest.mark.long
@pytest.mark.parametrize("form", ["spikformer", "spike-driven", "a2os2a"])
def test_two_forms(form):
    """A block of another form, with a memory of V, and one of ssa."""
    graph = random_network(**SMALL, blocks=2, heads=2, form=form)
    spikes = graph.layer("block1.q").neuron
    mixed = changed(
        graph,
        block1_k=replace(graph.layer("block1.k"), neuron=spikes),
        block1_v=replace(graph.layer("block1.v"), neuron=spikes),
        block1_attention=attention(
            graph, "block1.attention", form="ssa", neuron=NO_NEURON, seed=2**64 - 1
        ),
    )
    images = random_images(mixed, 2, density=0.9)
    assert golden.run(mixed, images).counts["block1.attention"].any()
    check_graph(mixed, images, {"lanes": 8})


@pytest.mark.long
def test_shared_operands():
    """The embedding is V, which others read too; q is k in another block, and replaced."""
    graph = random_network(**SSA_BLOCK | {"blocks": 2, "dims": 32})
    qkv = ("block0.q", "block0.k", "embed"), ("block1.q", "block1.q", "block1.v")
    shared = changed(
        graph,
        block0_attention=attention(graph, "block0.attention", inputs=qkv[0]),
        block1_attention=attention(graph, "block1.attention", inputs=qkv[1]),
        block0_v=None,
        block1_k=None,
    )
    check_graph(shared, random_images(shared, 2, density=0.9), {"lanes": 16})


def test_listing():
    """A line for each head says where it reads and writes, and its seed."""
    graph = random_network(**SSA_BLOCK)
    program = compile_network(graph, lanes=8)
    text = program.listing()
    assert "core ssa      4 tokens, 6 dims, 6 of v, 2 steps; 2 heads" in text
    assert "block0.attention: draw from block0.q at " in text
    seed = graph.layer("block0.attention").seed
    for head in range(2):
        assert f"seed {head_seed(seed, head)}, spikes to" in text
    cycles = program.layer_cycles()["block0.attention"]
    assert 2 * 2 * 3 * 4 < cycles < 2 * 2 * 3 * 4 + 2 * 60


def refused(graph, message):
    with pytest.raises(InputError, match=message) as caught:
        compile_network(graph, lanes=8)
    assert "\n" not in str(caught.value)


def test_refused():
    """Heads of two shapes; the branch of a residual; V of other attention; heads of a residual
    that begin inside of a piece."""
    graph = random_network(**SSA_BLOCK | {"blocks": 2})
    other = changed(graph, block1_attention=attention(graph, "block1.attention", heads=3))
    refused(
        other,
        "layer block1.attention: has 3 heads of 4 tokens, 4 dims and 4 of v, unlike the layers of "
        "form ssa before it; the engine has one core for all, make them equal",
    )
    branch = Residual(name="block0.x1", inputs=("embed", "block0.attention"), form="iand")
    refused(
        changed(graph, block0_proj=None, block0_x1=branch),
        "layer block0.attention: is the branch of a residual; the engine takes the output of a",
    )
    products = attention(
        graph,
        "block1.attention",
        form="spikformer",
        neuron=graph.layer("embed").neuron,
        seed=None,
        inputs=("block1.q", "block1.k", "block0.attention"),
    )
    refused(
        changed(graph, block1_attention=products, block1_v=None),
        "layer block0.attention: is an operand of attention; the engine takes the output of a",
    )
    inside = attention(graph, "block1.attention", inputs=("block0.x2", "block1.k", "block1.v"))
    refused(
        changed(graph, block1_attention=inside, block1_q=None),
        "layer block1.attention: heads of block0.x2 have 6 dims, not a multiple of 16",
    )
