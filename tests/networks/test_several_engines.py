"""Several engines behind the ports of one: order, exact cycles, shared weights, resets."""

import random
from typing import Any

import pytest
from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.sim import Simulator

from spikeloom.backend import Golden, compare
from spikeloom.cores import find_core
from spikeloom.errors import InputError
from spikeloom.export.verilog import component_to_verilog
from spikeloom.families import FAMILIES
from spikeloom.networks import golden
from spikeloom.networks.engine.weight_memory import BLOCK_WORDS, WeightMemory, shared_parts
from spikeloom.networks.network import network_core
from spikeloom.tools import run_tool
from spikeloom_boards.rates import rates
from spikeloom_boards.report import finish_synthesis
from spikeloom_sim.backends import Netlist
from spikeloom_sim.regression import run_suite
from tests.networks.engine_runner import run_engine, run_sequence
from tests.networks.random_network import random_images, random_network

TINY = {"image": (2, 4, 1), "patch": (2, 2), "steps": 1, "dims": 4, "blocks": 0, "classes": 3}
SMALL = {
    **{"image": (4, 4, 1), "patch": (2, 2), "steps": 2, "dims": 16, "hidden": 16, "classes": 3},
    **{"blocks": 1, "reset": "mixed"},
}


class Case:
    """A random network, images of different density, and what several engines make of them."""

    def __init__(self, count, sizes=TINY, **settings):
        self.graph = random_network(**{"pixel_bits": 2} | sizes)
        # Dark and bright images in turn, so that engines that work at once differ in time.
        shares = [random_images(self.graph, count, density=x) for x in (0.9, 0.1)]
        self.images = [shares[n % 2][n] for n in range(count)]
        self.core = network_core(self.graph)(**{"lanes": 4} | settings)
        port = self.core.inputs["image"]
        self.beats = [[beat for beat, _ in port.pack(image)] for image in self.images]
        loads = self.core.loads.values()
        self.chunks = [chunk for _, weights in loads for chunk in weights.reshape(-1)]

    def check(self, outcomes):
        """Every image has its logits and its label, in order."""
        classes = len(self.graph.classes)
        assert len(outcomes) == len(self.images)
        for image, outcome in zip(self.images, outcomes, strict=True):
            expected = golden.run(self.graph, image[None])
            assert outcome.logits == expected.logits[0].tolist()
            assert outcome.label == expected.labels[0]
            assert outcome.lasts == [0] * (classes - 1) + [1]


@pytest.mark.parametrize(
    ("sizes", "settings"),
    [
        (TINY, {"engines": 3, "weights": "loaded"}),
        pytest.param(TINY, {"engines": 2}, marks=pytest.mark.long),
        pytest.param(SMALL, {"engines": 1, "lanes": 8}, marks=pytest.mark.long),
        pytest.param(SMALL | {"classes": 9}, {"engines": 2}, marks=pytest.mark.long),
        pytest.param(SMALL, {"engines": 5, "lanes": 16}, marks=pytest.mark.long),
    ],
)
def test_images_without_pauses(sizes, settings):
    """The cycles of each label are exact; an odd number of images."""
    case = Case(5, sizes, **settings)
    outcomes = run_sequence(case.core.create(), case.beats, case.chunks, present=case.core.engines)
    case.check(outcomes)
    assert [outcome.cycles for outcome in outcomes] == case.core.sequence_cycles(case.images)


def test_rate():
    """Images follow each other in a part of the time of one; reports say so."""
    case = Case(50)
    images = random_images(case.graph, 50)
    alone, *several = [type(case.core)(lanes=4, engines=n) for n in range(1, 5)]
    mean = alone.sequence_cycles(images)[-1] / len(images)
    for core in several:
        labels = core.sequence_cycles(images)
        between = (labels[-1] - labels[9]) / 40
        assert between * core.engines == pytest.approx(mean, rel=0.05)
        assert core.cycles() == alone.cycles()
        (one, _), (rate, worst) = rates(alone, 50), rates(core, 50)
        assert rate.us == one.us
        assert rate.per_second == pytest.approx(core.engines * one.per_second)
        assert worst.per_second == pytest.approx(core.engines * 1e6 / worst.us)


def test_lone_images():
    """An image that comes alone takes as long as on one engine, on whichever it is."""
    case = Case(3, engines=2)
    outcomes = run_engine(case.core.create(), case.beats, lone=True)
    case.check(outcomes)
    assert [outcome.cycles for outcome in outcomes] == [
        case.core.cycles(image=image) for image in case.images
    ]


@pytest.mark.parametrize("run", [run_sequence, pytest.param(run_engine, marks=pytest.mark.long)])
def test_slow_consumer(run):
    """Outputs that are not taken wait in their engines; none is lost or overtakes another."""
    case = Case(4, engines=2)
    case.check(run(case.core.create(), case.beats, stalls=0.7))


async def drive(ctx, component, images, cycles, taken):
    """Offer images for some cycles, with `start` high, and take outputs if they are `taken`.
    Returns the labels."""
    queue = [(beat, n == len(image) - 1) for image in images for n, beat in enumerate(image)]
    labels = []
    for port in (component.logits, component.label):
        ctx.set(port.ready, taken)
    ctx.set(component.start, 1)
    for _ in range(cycles):
        ctx.set(component.image.valid, len(queue) > 0)
        if queue:
            ctx.set(component.image.payload, dict(zip(("data", "last"), queue[0], strict=True)))
        _, _, sent, valid, label = await ctx.tick().sample(
            component.image.ready, component.label.valid, component.label.payload.data
        )
        queue = queue[1:] if sent else queue
        labels += [label] if valid and taken else []
    return labels


@pytest.mark.parametrize(
    "part", [0.5, *(pytest.param(x, marks=pytest.mark.long) for x in (0.2, 2))]
)
def test_reset(part):
    """A reset while engines compute and wait, with an image half sent, drops all images. The first
    engine is then the next one, for images and for outputs."""
    case = Case(3, engines=2)
    component, reset, m = case.core.create(), Signal(), Module()
    m.submodules.component = ResetInserter(reset)(component)
    last = case.core.sequence_cycles(case.images)[-1]
    found = []

    async def bench(ctx):
        # An odd number of runs, then others that do not end.
        await drive(ctx, component, case.beats[:1], last, taken=True)
        await drive(ctx, component, [*case.beats, *case.beats], round(part * last), taken=False)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        found.extend(await drive(ctx, component, case.beats, last + 100, taken=True))

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    labels = [int(golden.run(case.graph, image[None]).labels[0]) for image in case.images]
    assert found == labels


@pytest.mark.parametrize(
    ("depth", "state_words", "shared"),
    [
        (40, 0, [False, False]),
        (BLOCK_WORDS, 0, [False]),
        (BLOCK_WORDS + 1, 0, [False, False]),
        (2 * BLOCK_WORDS, 0, [True]),
        (2 * BLOCK_WORDS + 9, 16, [True, False]),
        (3 * BLOCK_WORDS + 9, 0, [True, True]),
        (3 * BLOCK_WORDS + 9, 16, [True, False]),
        # The second part is padded to 3 and to 5 times BLOCK_WORDS, no power of two.
        (6 * BLOCK_WORDS + 9, 16, [True, False]),
        (12 * BLOCK_WORDS + 212, 256, [True, False]),
    ],
)
def test_two_readers(depth, state_words, shared):
    """Each reader gets the words that it addresses, and has a state of its own."""
    assert [one for _, one in shared_parts(depth, state_words)] == shared
    rng = random.Random(depth)
    words = [rng.randrange(256) for _ in range(depth)]
    memory = WeightMemory(
        width=8, depth=depth, initial=words, read_delay=2, state_words=state_words, readers=2
    )
    states = [{}, {}]

    async def bench(ctx):
        for number, state in enumerate(states):
            reader = memory.readers[number]
            for addr in range(state_words):
                state[addr] = rng.randrange(256)
                ctx.set(reader.s_w_addr, addr)
                ctx.set(reader.s_data, state[addr])
                ctx.set(reader.s_en, 1)
                await ctx.tick()
            if state_words:
                ctx.set(reader.s_en, 0)
        expected = []
        for _ in range(300):
            now = []
            for number, state in enumerate(states):
                reader = memory.readers[number]
                addr = rng.randrange(depth)
                ctx.set(reader.addr, addr)
                now.append(words[addr])
                if state_words:
                    of_state = rng.randrange(2)
                    ctx.set(reader.from_state, of_state)
                    addr = rng.randrange(state_words)
                    ctx.set(reader.s_addr, addr)
                    now[-1] = state[addr] if of_state else now[-1]
            expected.append(now)
            await ctx.tick()
            if len(expected) > 1:
                found = [ctx.get(memory.readers[number].data) for number in range(2)]
                assert found == expected[-2]

    simulator = Simulator(memory)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def test_keys():
    """The number of engines is a key, which makes way for lanes if a device is too small."""
    case = Case(1, SMALL)
    core = type(case.core)
    assert core.UNROLL[0] == "engines"
    assert "3 engines" in core(engines=3).describe()
    assert "3 images are computed at once" in core(engines=3).cycle_formula()
    assert core(engines=3).listings["program.txt"].startswith("engines       3, ")
    for text in (core().describe(), core().cycle_formula(), core().listings["program.txt"]):
        assert "engines" not in text
    with pytest.raises(InputError, match="engines = 0 is not allowed"):
        core(engines=0)
    for settings in ({}, {"weights": "loaded"}):
        one = core(**settings).memory_bits
        assert core(engines=3, **settings).memory_bits == 3 * one


def test_memory_of_the_shipped_network():
    """The first 1,024 words of weights are there once for two engines."""
    core: Any = find_core("fashion-spikformer")
    bits = [core(lanes=64, engines=engines).memory_bits for engines in (1, 2, 3, 4)]
    width = 64 * 8
    rest = bits[0] - 1024 * width
    assert bits[1:] == [1024 * pairs * width + n * rest for n, pairs in ((2, 1), (3, 2), (4, 2))]


@pytest.mark.long
@pytest.mark.parametrize("netlist", [None, "ecp5"])
def test_suite(netlist, icarus):
    """The testbench of all cores, on the RTL and on a netlist."""
    case = Case(1, TINY, engines=2)
    result = run_suite(case.core, simulator=icarus, netlist=netlist)
    assert (result.failures, result.tests) == (0, 13), result.folder


@pytest.mark.long
def test_shared_netlist():
    """On ECP5, two engines read the same block RAM by its two ports."""
    sizes = TINY | {"image": (2, 2, 1), "dims": 16, "hidden": 160, "blocks": 1, "attention": False}
    case = Case(3, sizes, engines=2)
    assert [one for _, one in shared_parts(len(case.core.program.weights), 0)] == [True, False]
    batch = [{"image": image} for image in case.images]
    runs = Netlist(family="ecp5").run(case.core, batch)
    assert not compare(runs, Golden().run(case.core, batch))
    assert [run.cycles for run in runs] == [case.core.cycles(**one) for one in batch]


@pytest.mark.long
@pytest.mark.parametrize("readers", [1, 2])
def test_block_ram(readers, tmp_path):
    """A second reader of an ECP5 takes no block RAM of its own."""
    width, depth = 36, 2 * BLOCK_WORDS
    words = [random.Random(n).getrandbits(width) for n in range(depth)]
    memory = WeightMemory(width=width, depth=depth, initial=words, read_delay=2, readers=readers)
    module = component_to_verilog(memory, "memory")
    (tmp_path / "memory.v").write_text(module.text)
    family = FAMILIES["ecp5"]
    script = f"read_verilog memory.v; {family.synthesise('memory', 'memory.json')}"
    run_tool("yosys", "-ql", "synthesis.log", "-p", script, cwd=tmp_path)
    found = finish_synthesis(tmp_path / "memory.json", family)
    assert (found.block_rams, found.registers) == (2, 0)
