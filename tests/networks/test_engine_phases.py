"""Phase codes on the engine, against the golden model: outputs, and exact cycles."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.sim import Simulator

from spikeloom.cores.spiked import golden as spiked_golden
from spikeloom.cores.spiked.core import Spiked
from spikeloom.errors import InputError
from spikeloom.item import PhaseCode
from spikeloom.networks import golden
from spikeloom.networks.engine import compile_network
from spikeloom.networks.engine.code_encoder import CodeEncoder, load_cycles
from spikeloom.networks.engine.phase_heads import PhaseHeads
from spikeloom.networks.engine.phase_unit import PhaseUnit
from spikeloom.networks.graph import Graph
from spikeloom.networks.layers import Convolution, Linear, Neurons
from spikeloom.networks.neuron import NO_NEURON, Neuron
from tests.networks.phase_network import PHASE, changed, phase_network
from tests.networks.random_network import random_images, random_network
from tests.networks.test_engine import check_graph

SCALES = {"q": 4.0, "k": 4.0, "v": 4.0, "score": 4.0, "output": 3.0}


# The encoder


def check_encoder(steps, lanes, thresholds, shift, groups=3, bits=12, seed=1):
    """Groups of accumulators as fast as they may come; the largest ones and 0 are among them. The
    second neurons and those after it have fewer steps each."""
    rng = np.random.default_rng(seed)
    neurons = [
        Neuron(kind="phase", threshold=threshold, shift=shift, steps=max(1, steps // n))
        for n, threshold in enumerate(thresholds, 1)
    ]
    groups = -(-groups * lanes // 16) * 16 // lanes
    sums = rng.integers(-(1 << bits - 1), 1 << bits - 1, (groups, lanes))
    sums.flat[:3] = -(1 << bits - 1), (1 << bits - 1) - 1, 0
    encoder = CodeEncoder(
        lanes=lanes, bits=bits, steps=steps, levels=[one.levels(steps) for one in neurons]
    )

    async def run(ctx):
        for level, neuron in enumerate(neurons):
            for bipolar in (0, 1):
                ctx.set(encoder.level, level)
                ctx.set(encoder.bipolar, bipolar)
                expected = replace(neuron, signed=bool(bipolar)).fire(sums[None, None], steps)
                await check_groups(ctx, expected[0].reshape(steps, -1))

    async def check_groups(ctx, expected):
        codes, cycles, latency = [], 0, load_cycles(lanes) + CodeEncoder.delay(steps)
        while not ctx.get(encoder.final):
            group, turn = divmod(cycles, load_cycles(lanes))
            ctx.set(encoder.i_valid, turn == 0 and group < groups)
            ctx.set(encoder.i_final, group == groups - 1)
            if group < groups:
                words = (int(v) & (1 << bits) - 1 for v in sums[group])
                ctx.set(encoder.i, sum(word << bits * n for n, word in enumerate(words)))
            await ctx.tick()
            cycles += 1
            if ctx.get(encoder.o_valid):
                codes += [ctx.get(code.as_value()) for code in encoder.o]
            assert cycles < 10_000, "the encoder hangs"
        assert cycles == (groups - 1) * load_cycles(lanes) + latency
        train = np.zeros((steps, len(codes)), np.int8)
        for n, code in enumerate(PhaseCode(steps).decode(np.array(codes, np.uint64))):
            if code:
                train[abs(code) - 1, n] = np.sign(code)
        assert np.array_equal(train, expected)
        ctx.set(encoder.i_valid, 0)
        await ctx.tick()

    simulator = Simulator(encoder)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run)
    simulator.run()


ENCODERS = [(1, 4, (700,), 1), (40, 32, (700, 1, 30), 3), (64, 128, (2000, 5), 7)]


@pytest.mark.parametrize(("steps", "lanes", "thresholds", "shift"), ENCODERS)
def test_encoder(steps, lanes, thresholds, shift):
    check_encoder(steps, lanes, thresholds, shift)


@pytest.mark.long
@pytest.mark.parametrize("steps", [2, 3, 7, 8, 15, 16, 31, 32, 63])
def test_encoders(steps):
    check_encoder(steps, (4, 8, 16, 64)[steps % 4], (1 << 22, 60), 1 + steps % 7, seed=steps)


# The cores beside the engine


class Heads:
    """A unit beside a memory of codes, whose cores all read random operands."""

    def __init__(self, shape, gap, read_delay, scores, density, rng):
        scales = {f"{name}_scale": scale for name, scale in SCALES.items()}
        cores = [Spiked(**shape, base=8 / 7, **scales | {"score_scale": n}) for n in scores]
        core = cores[0]
        self.item, self.read_delay = PhaseCode(core.steps), read_delay
        widths = {"k": core.head_dim, "v": core.value_dim, "q": core.head_dim, "o": core.value_dim}
        pitches = {name: -(-width // 16) + gap for name, width in widths.items()}
        self.heads = PhaseHeads(tuple(cores), pitches)
        sizes = [core.tokens * pitch for pitch in pitches.values()]
        ends = np.cumsum([3, *sizes]).tolist()
        self.bases = dict(zip(widths, ends[:-1], strict=True))
        self.memory = {}
        self.operands = {}
        for name in "kvq":
            codes = rng.integers(1, core.steps + 1, (core.tokens, widths[name]))
            codes *= rng.choice([-1, 1], codes.shape) * (rng.random(codes.shape) < density)
            self.operands[name] = codes.astype(np.int16)
            self.memory |= self.words(name, codes)
        self.unit = PhaseUnit(self.heads, addr_bits=ends[-1].bit_length(), read_delay=read_delay)

    def words(self, name, codes):
        """The words of a head by address."""
        found, wires = {}, self.item.encode(codes)
        for token, row in enumerate(wires):
            for word in range(-(-len(row) // 16)):
                part = row[16 * word : 16 * word + 16]
                at = self.bases[name] + token * self.heads.pitches[name] + word
                found[at] = sum(int(code) << self.item.bits * n for n, code in enumerate(part))
        return found

    async def run(self, ctx):
        for name, base in self.bases.items():
            ctx.set(getattr(self.unit, f"{name}_base"), base)
        for number, core in enumerate(self.heads.cores):
            written = await self.head(ctx, number)
            expected = spiked_golden.run(core, *(self.operands[name] for name in "qkv"))
            assert written == self.words("o", expected)

    async def head(self, ctx, number):
        unit, reads, written, cycles = self.unit, [0] * self.read_delay, {}, 0
        ctx.set(unit.core, number)
        ctx.set(unit.go, 1)
        while True:
            if ctx.get(unit.w_en):
                written[ctx.get(unit.w_addr)] = ctx.get(unit.w_data)
            if ctx.get(unit.final):
                break
            if ctx.get(unit.r_en):
                reads = [self.memory.get(ctx.get(unit.r_addr), 0), *reads[:-1]]
            await ctx.tick()
            ctx.set(unit.r_data, reads[-1])
            ctx.set(unit.go, 0)
            cycles += 1
            assert cycles < 100_000, "the unit hangs"
        fires = (self.operands[name] != 0 for name in "qv")
        assert cycles == self.heads.cycles(self.read_delay, number, *fires)
        await ctx.tick()
        assert not ctx.get(unit.busy)
        return written


def check_heads(shape, *, gap=0, read_delay=1, scores=(4.0, 5.0), density=0.9, seed=1):
    """A head on each of two cores: codes and cycles."""
    bench = Heads(shape, gap, read_delay, scores, density, np.random.default_rng(seed))
    simulator = Simulator(bench.unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench.run)
    simulator.run()


@pytest.mark.parametrize("read_delay", [1, 2])
def test_unit(read_delay):
    """Rows of one and two words, in wider rows."""
    shape = {"steps": 5, "tokens": 3, "head_dim": 3, "value_dim": 18, "lanes": 2}
    check_heads(shape, gap=read_delay - 1, read_delay=read_delay)


UNITS = {
    "one of all": {"steps": 1, "tokens": 1, "head_dim": 1},
    "one dim": {"steps": 6, "tokens": 3, "head_dim": 1},
    "more values": {"steps": 40, "tokens": 4, "head_dim": 3, "value_dim": 70},
    "fewer values": {"steps": 20, "tokens": 4, "head_dim": 70, "value_dim": 3},
    "two events": {"steps": 16, "tokens": 9, "head_dim": 16, "events": 2, "lanes": 5},
}


@pytest.mark.long
@pytest.mark.parametrize("density", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("case", UNITS)
def test_units(case, density):
    check_heads(UNITS[case], scores=(4.0,), density=density, seed=len(case))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8))
def test_random_units(seed):
    rng = np.random.default_rng(seed)
    names, most = ("steps", "tokens", "head_dim", "value_dim"), (64, 12, 40, 40)
    shape = {name: int(rng.integers(1, end)) for name, end in zip(names, most, strict=True)}
    check_heads(shape, gap=seed % 3, read_delay=1 + seed % 2, scores=(4.0,), seed=seed)


# Networks

TINY = {"image": (4, 2, 1), "dims": 5, "heads": 1, "pixel_bits": 8, "steps": 7}


def test_equal():
    """Two tokens; the number of steps is no power of two."""
    graph = phase_network(**TINY)
    images = random_images(graph, 1, density=0.9)
    assert all(counts.any() for counts in golden.run(graph, images).counts.values())
    check_graph(graph, images, {"lanes": 8})


LONG = {
    "40 steps, two blocks": ({"steps": 40, "blocks": 2}, {"lanes": 16}),
    "loaded, two heads of two words": (
        {"steps": 16, "dims": 34, "heads": 2, "shift": 2, "weight_bits": 6},
        {"lanes": 8, "weights": "loaded"},
    ),
    "one token and step": (
        {"image": (2, 2, 3), "steps": 1, "dims": 3, "heads": 1, "shift": 1},
        {"lanes": 4},
    ),
    "one token, 64 steps": (
        {"image": (2, 2, 1), "steps": 64, "dims": 7, "heads": 7, "shift": 7},
        {"lanes": 32},
    ),
    "64 lanes, more values": ({"steps": 17, "value_dims": 40, "dims": 20}, {"lanes": 64}),
    "128 lanes": ({"steps": 5, "dims": 130, "heads": 1, "pixel_bits": 1}, {"lanes": 128}),
    "classes in two groups": ({"steps": 9, "classes": 11, "blocks": 2}, {"lanes": 4}),
}


@pytest.mark.long
@pytest.mark.parametrize("case", LONG)
def test_equal_sizes(case):
    sizes, engine = LONG[case]
    graph = phase_network(**sizes, seed=len(case))
    check_graph(graph, random_images(graph, 2, density=0.9), engine)


@pytest.mark.long
def test_stalls():
    """Streams pause; the next image arrives while one is computed."""
    graph = phase_network(**TINY)
    check_graph(graph, random_images(graph, 3), {"weights": "loaded", "lanes": 8}, stalls=0.5)


EMBED = phase_network(dims=3, heads=1).layer("embed")


def without_attention(*layers):
    """Layers of the image, and the classifier of the last one."""
    whole = phase_network(dims=3, heads=1)
    head = replace(whole.layer("head"), inputs=(layers[-1].name,))
    return Graph(name="chain", steps=9, image=(4, 4, 1), pixel_bits=3, layers=(*layers, head))


def linear(name, source, neuron, seed=1, rows=3, outputs=3):
    rng = np.random.default_rng(seed)
    return Linear(
        name=name,
        inputs=(source,),
        weight=rng.integers(-90, 91, (rows, outputs)).astype(np.int8),
        bias=rng.integers(-900, 900, outputs).astype(np.int32),
        neuron=neuron,
    )


def phases(**fields):
    return Neuron(**PHASE | {"threshold": 1500} | fields)


@pytest.mark.parametrize("pixel", [0, 255])
def test_all_zeros_and_all_ones(pixel):
    """No neuron of the image spikes, or all of them at the first step, of both signs."""
    weight = np.full_like(EMBED.weight, 90) * np.array([1, -1, 1], np.int8)
    embed = replace(EMBED, weight=weight, bias=0 * EMBED.bias)
    coded = Neurons(name="x", inputs=("embed",), neuron=phases(threshold=200))
    graph = without_attention(embed, coded, linear("a", "x", phases()))
    image = np.full((1, *graph.image), pixel, np.uint8)
    spikes = golden.run(graph, image, keep=True).spikes["x"]
    assert (np.abs(spikes[:, 0]) == pixel // 255).all()
    check_graph(graph, image, {"lanes": 8})


@pytest.mark.parametrize("sign", [-1, 1])
def test_largest_sums(sign):
    """Every input spikes at the first step. The bias is of the other sign, so that the sums need
    more bits before it is added."""
    embed = replace(EMBED, weight=np.full_like(EMBED.weight, 90), bias=0 * EMBED.bias)
    coded = Neurons(name="x", inputs=("embed",), neuron=phases(threshold=9, signed=False))
    wide = linear("a", "x", phases(), outputs=6)
    weight = np.full_like(wide.weight, 127 * sign)
    wide = replace(wide, weight=weight, bias=np.full_like(wide.bias, -sign * 5000))
    narrow = linear("b", "a", phases(signed=False), rows=6)
    graph = without_attention(embed, coded, wide, narrow)
    bounds = graph.bounds["a"]
    assert bounds.accumulator.bits > bounds.current.bits
    images = np.full((1, *graph.image), 255, np.uint8)
    assert (golden.run(graph, images, keep=True).spikes["x"][:, 0] == 1).all()
    check_graph(graph, images, {"lanes": 4})


def test_codes_of_the_image():
    """Neurons of the first layer itself, patches and windows; bases that differ from layer to
    layer."""
    coded = replace(EMBED, name="p", neuron=phases(threshold=400))
    bases = linear("a", "p", phases(shift=1)), linear("b", "a", phases(shift=2, signed=False))
    graph = without_attention(coded, *bases)
    assert compile_network(graph).fades == (1, 2, 3)
    check_graph(graph, random_images(graph, 1), {"lanes": 8})


def test_steps_of_layers():
    """Layers with fewer steps than the network: they and the layers that read them are shorter."""

    def chain(*steps):
        first, *others = (
            phases(threshold=threshold, steps=own)
            for threshold, own in zip((400, 2000, 2500, 2500), steps, strict=True)
        )
        layers = [replace(EMBED, name="p", neuron=first)]
        for seed, (name, source, neuron) in enumerate(zip("abc", "pab", others, strict=True), 1):
            layers.append(linear(name, source, neuron, seed))
        return without_attention(*layers)

    graph = chain(2, 1, 4, 64)
    assert [graph.signals[name].spiking_steps for name in "pabc"] == [2, 1, 4, 9]
    images = random_images(graph, 3)
    assert not np.array_equal(
        golden.run(graph, images).logits, golden.run(chain(0, 0, 0, 0), images).logits
    )
    rows = [one.rows for one in compile_network(graph).operations if one.codes]
    assert rows[:3] == [2, 1, 4]
    check_graph(graph, images, {"lanes": 8})
    shorter = replace(graph.layers[-1], inputs=("b",))
    check_graph(replace(graph, layers=(*graph.layers[:3], shorter)), images, {"lanes": 4})


@pytest.mark.long
def test_codes_of_windows():
    rng = np.random.default_rng(1)
    conv = Convolution(
        name="c",
        inputs=("image",),
        weight=rng.integers(-90, 91, (9, 3)).astype(np.int8),
        bias=rng.integers(-90, 90, 3).astype(np.int32),
        kernel=(3, 3),
        padding=(1, 1),
        stride=(2, 2),
        neuron=phases(threshold=300),
    )
    for layers in ((conv,), (conv, linear("a", "c", phases()))):
        graph = without_attention(*layers)
        check_graph(graph, random_images(graph, 1), {"lanes": 32})


def test_shifted_currents():
    """Currents that change from step to step are halved in every step."""
    graph = random_network(image=(4, 2, 1), patch=(2, 2), dims=5, blocks=0, steps=3, classes=2)
    halved = Linear(
        name="i",
        inputs=("embed",),
        weight=np.arange(-12, 13, dtype=np.int8).reshape(5, 5) * 5,
        bias=np.array([3, -3, 0, 9, 1], np.int32),
        neuron=replace(NO_NEURON, shift=2),
    )
    spiking = Neurons(name="s", inputs=("i",), neuron=Neuron(threshold=2))
    head = replace(graph.layer("head"), inputs=("s",))
    graph = replace(graph, layers=(graph.layer("embed"), halved, spiking, head))
    images = random_images(graph, 3)
    assert golden.run(graph, images).counts["s"].any()
    check_graph(graph, images, {"lanes": 8})


def test_listing():
    program = compile_network(phase_network(), lanes=8)
    text = program.listing()
    for line in (
        "codes         54 words of 16 codes of 20 steps, 2 sequences of levels",
        "cores spiked  1 of 6 tokens, 3 dims, 3 of v, 2 lanes",
        " a: core 0 from q at 6, k at 18, v at 30, 6 tokens, codes to 42",
        " head: from h at 0, 20 steps x 6 tokens, 1 groups of weights at ",
        "    following FADE 6",
        "HALVE 19, HALVE 19",
    ):
        assert line in text


def test_each_choice_of_scales_has_a_core():
    program = compile_network(phase_network(blocks=2))
    assert program.phase_heads is not None
    assert [core.score_scale for core in program.phase_heads.cores] == [4.0, 5.0]
    assert [one.core for one in program.operations if one.name in ("a", "a1")] == [0, 0, 1, 1]


REFUSED = {
    "lif of currents": (
        lambda net: changed(net, "h", neuron=Neuron(threshold=1000)),
        "layer h: its lif neurons read currents that are the same in all steps; in a network of "
        "phase codes the engine takes neurons of kind phase there",
    ),
    "other shapes": (
        lambda net: changed(net, "a1", heads=1),
        "layer a1: has 1 heads of 6 tokens, 6 dims and 6 of v, unlike the layers of form spiked "
        "before it; the engine reads all heads alike, make them equal",
    ),
    "wide weights": (
        lambda net: changed(
            net, "proj", weight_bits=12, weight=net.layer("proj").weight.astype(np.int16)
        ),
        "layer proj: reads a phase code by weights of 12 bits; the engine takes up to 8, which are "
        "those of a lane",
    ),
    "narrow lanes": (
        lambda net: phase_network(weight_bits=4),
        "layer q: reads a phase code, whose sums have 5 fraction bits, in a network with lanes of "
        "4 bits; the engine takes lane_bits of 6 or 8",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    change, message = REFUSED[case]
    with pytest.raises(InputError) as error:
        compile_network(change(phase_network(blocks=2)))
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert "the golden model runs this network" in str(error.value) or case == "other shapes"


def test_refused_neurons():
    """Neurons of other kinds that read codes, and heads that begin inside of a word."""
    net = phase_network()
    spiking = linear("s", "x", Neuron(threshold=900), rows=6, outputs=6)
    layers = *net.layers[:2], spiking, replace(net.layer("head"), inputs=("s",))
    with pytest.raises(InputError, match="layer s: its lif neurons read a phase code; the engine"):
        compile_network(replace(net, layers=layers))
    inside = replace(net.layer("a"), inputs=("x", "k", "v"))
    kept = (layer for layer in net.layers if layer.name != "q")
    layers = tuple(inside if layer.name == "a" else layer for layer in kept)
    with pytest.raises(InputError, match="layer a: heads of x have 3 dims, not a multiple of 16"):
        compile_network(replace(net, layers=layers))
