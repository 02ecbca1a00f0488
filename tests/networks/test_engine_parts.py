"""Parts of the engine and of its compiler, each against a few lines of Python."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.sim import Simulator

from spikeloom.errors import InputError
from spikeloom.export.verilog import component_to_verilog
from spikeloom.families import FAMILIES, find_part
from spikeloom.networks.engine import compile_network
from spikeloom.networks.engine.bitmap_memory import BitmapMemory
from spikeloom.networks.engine.bitmaps import Bitmap, allocate
from spikeloom.networks.engine.constants import fewest_doubled_rows, fewest_step_rows, split
from spikeloom.networks.engine.rests import step_constant
from spikeloom.networks.engine.rounding import round_biases
from spikeloom.networks.engine.weight_format import weight_format
from spikeloom.networks.engine.weight_memory import WeightMemory
from spikeloom.networks.layers import Linear, Residual
from tests.networks.random_network import random_network

SMALL = {"image": (4, 4, 1), "patch": (2, 2), "steps": 2, "dims": 16, "hidden": 16, "classes": 3}


def simulate(component, bench):
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_constants(bits):
    """Rows times factors are the constants, exactly, and every row fits."""
    rng = np.random.default_rng(bits)
    half = 1 << (bits - 1)
    for shift in range(bits + 1):
        constants = rng.integers(-half << shift, half << shift, 20)
        rows = fewest_step_rows(constants, shift, bits)
        assert rows is not None
        assert (sum(factor * row for factor, row in rows) == constants).all()
        assert all(row.min() >= -half and row.max() < half for _, row in rows)
        doubled = fewest_doubled_rows(constants << 7, shift, bits, 7)
        assert doubled is not None
        before, after = (sum(factor * row for factor, row in rows) for rows in doubled)
        assert ((before << 7) + after == constants << 7).all()
    assert split([half], [1], bits) is None


def test_allocate():
    """Bitmaps that are in use at the same time have no word in common."""
    rng = np.random.default_rng(1)
    bitmaps = []
    for n in range(40):
        first = int(rng.integers(30))
        last = first + int(rng.integers(8))
        bitmaps.append(Bitmap(1, int(rng.integers(1, 9)), [str(n)], first, last))
    words = allocate(bitmaps, 5)
    at_once = [sum(b.size for b in bitmaps if b.first <= t <= b.last) for t in range(40)]
    assert 5 + max(at_once) <= words < 5 + sum(b.size for b in bitmaps) / 2
    used = np.zeros((40, words), int)
    for bitmap in bitmaps:
        used[bitmap.first : bitmap.last + 1, bitmap.base : bitmap.base + bitmap.size] += 1
    assert used.max() == 1
    assert not used[:, :5].any()


def test_round_biases():
    """Constants of the width of two rows become one row each; thresholds are as they were."""
    graph = random_network(blocks=1, hidden=20)
    rng = np.random.default_rng(5)
    layers = [
        replace(
            layer,
            bias=rng.integers(-250, 350, layer.outputs).astype(np.int32),
            neuron=replace(layer.neuron, threshold=120),
        )
        if isinstance(layer, Linear)
        else layer
        for layer in graph.layers
    ]
    before = replace(graph, layers=tuple(layers))
    after = round_biases(before)
    assert weight_format(after).shift == 2
    for old, new in zip(before.layers, after.layers, strict=True):
        if not isinstance(old, Linear):
            assert new == old
            continue
        assert new.neuron == old.neuron
        assert 0 < np.abs(new.bias - old.bias).max() <= 2
        assert len(fewest_step_rows(step_constant(old), weight_format(before).shift, 8)) > 1
        assert len(fewest_step_rows(step_constant(new), 2, 8)) == 1
    again = round_biases(after)
    for layer in again.layers:
        if isinstance(layer, Linear):
            assert np.array_equal(layer.bias, after.layer(layer.name).bias)


@pytest.mark.parametrize("bit_enables", [True, False])
@pytest.mark.parametrize(("lanes", "depth"), [(4, 9), (8, 16), (16, 3), (64, 5)])
@pytest.mark.parametrize("cleared", [None, range(2, 5)])
def test_bitmap_memory(lanes, depth, bit_enables, cleared):
    """Random writes and clears of groups, and pieces of an image, then every piece is read."""
    dut = BitmapMemory(lanes=lanes, depth=depth, bit_enables=bit_enables, cleared=cleared)
    rng = np.random.default_rng(lanes)
    width = max(16, lanes)
    expected = np.zeros((depth, width), bool)
    slots, pieces = width // lanes, width // 16

    async def bench(ctx):
        for _ in range(150):
            word, slot, clear = rng.integers(depth), rng.integers(slots), rng.random() < 0.5
            clear &= cleared is None or word in cleared
            bits = rng.random(lanes) < 0.5
            group = slice(slot * lanes, slot * lanes + lanes)
            expected[word, group] = expected[word, group] & ~bits if clear else bits
            ctx.set(dut.w_en, 1)
            ctx.set(dut.w_clear, int(clear))
            ctx.set(dut.w_addr, int(word))
            ctx.set(dut.w_slot, int(slot))
            ctx.set(dut.w_data, sum(int(bit) << n for n, bit in enumerate(bits)))
            await ctx.tick()
            ctx.set(dut.w_en, 0)
            piece, bits = rng.integers(depth * pieces), rng.random(16) < 0.5
            ctx.set(dut.i_en, 1)
            ctx.set(dut.i_addr, int(piece))
            ctx.set(dut.i_data, sum(int(bit) << n for n, bit in enumerate(bits)))
            await ctx.tick().until(dut.i_ready)
            ctx.set(dut.i_en, 0)
            # A word is read again, to clear bits, only by later operations.
            await ctx.tick().repeat(dut.write_delay)
            expected.reshape(-1, 16)[piece] = bits
        await ctx.tick().repeat(dut.write_delay)
        ctx.set(dut.r_en, 1)
        for piece in range(depth * pieces):
            ctx.set(dut.r_addr, piece)
            await ctx.tick()
            value = ctx.get(dut.r_data)
            assert [bool(value >> n & 1) for n in range(16)] == list(
                expected.reshape(-1, 16)[piece]
            )

    simulate(dut, bench)


@pytest.mark.parametrize("bit_enables", [True, False])
def test_parts_of_words(bit_enables):
    """Groups of 64 lanes and parts of them, of 16 lanes each, written and cleared."""
    dut = BitmapMemory(lanes=64, slot_bits=16, depth=4, bit_enables=bit_enables)
    rng = np.random.default_rng(1)
    expected = np.zeros((4, 64), bool)

    async def bench(ctx):
        ctx.set(dut.w_en, 1)
        for n in range(60):
            word, slot, wide = n % 4, rng.integers(4), n < 4 or rng.random() < 0.3
            clear, bits = n >= 4 and rng.random() < 0.5, rng.random(64) < 0.5
            place = slice(0, 64) if wide else slice(slot * 16, slot * 16 + 16)
            new = bits if wide else bits[:16]
            expected[word, place] = expected[word, place] & ~new if clear else new
            ctx.set(dut.w_wide, int(wide))
            ctx.set(dut.w_clear, int(clear))
            ctx.set(dut.w_addr, word)
            ctx.set(dut.w_slot, int(slot))
            ctx.set(dut.w_data, sum(int(bit) << n for n, bit in enumerate(bits)))
            await ctx.tick()
        ctx.set(dut.w_en, 0)
        await ctx.tick().repeat(dut.write_delay)
        ctx.set(dut.r_en, 1)
        for number in range(16):
            ctx.set(dut.r_addr, number)
            await ctx.tick()
            value = ctx.get(dut.r_data)
            assert [bool(value >> n & 1) for n in range(16)] == list(
                expected.reshape(-1, 16)[number]
            )

    simulate(dut, bench)


@pytest.mark.parametrize(("width", "depth"), [(64, 5), (24, 4), (16, 3)])
def test_load_weights(width, depth):
    """Two loads; the second one with a ``last`` that is missing."""
    dut = WeightMemory(width=width, depth=depth, initial=None)
    rng = np.random.default_rng(width)
    chunks = -(-width // 16)

    async def bench(ctx):
        for whole in (True, False):
            words = rng.integers(0, 1 << 16, (depth, chunks))
            ctx.set(dut.open, 1)
            wrong = 0
            for n, chunk in enumerate(words.reshape(-1)):
                last = whole and n == words.size - 1
                ctx.set(dut.i.payload, {"data": int(chunk), "last": int(last)})
                ctx.set(dut.i.valid, 1)
                assert ctx.get(dut.i.ready)
                wrong += ctx.get(dut.misframed)
                await ctx.tick()
            assert wrong == (not whole)
            ctx.set(dut.i.valid, 0)
            ctx.set(dut.open, 0)
            for addr, word in enumerate(words):
                ctx.set(dut.addr, addr)
                await ctx.tick()
                value = sum(int(chunk) << 16 * n for n, chunk in enumerate(word))
                assert ctx.get(dut.data) == value & ((1 << width) - 1)

    simulate(dut, bench)


def test_loaded_memory_has_no_contents():
    """In Verilog, as the large RAM of the iCE40 cannot have any; other memories do."""
    loaded = component_to_verilog(WeightMemory(width=64, depth=40, initial=None), "loaded").text
    assert 'ram_style = "huge"' in loaded
    assert "memory[0] = " not in loaded
    words = range(7, 47)  # no two are equal: equal ones are set in a loop
    initial = component_to_verilog(WeightMemory(width=64, depth=40, initial=words), "initial").text
    assert "memory_0[31] = 64'h0000000000000026;" in initial
    assert "memory_1[7] = 64'h000000000000002e;" in initial


@pytest.mark.parametrize(("target", "large"), [("up5k", True), ("hx8k", False), ("ecp5", False)])
def test_large_ram_where_there_is_some(target, large):
    """Yosys refuses a memory that asks for RAM which the family does not have."""
    family = FAMILIES.get(target) or find_part(target)
    memory = WeightMemory(width=64, depth=40, initial=None)
    assert ("huge" in component_to_verilog(memory, "loaded", family).text) == large


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("embed", "layer late: reads embed, which block0.x2 has replaced"),
        ("block0.x2", None),
    ],
)
def test_order_of_readers(source, message):
    """A layer that reads what an `iand` residual has replaced is refused."""
    graph = random_network(**SMALL, blocks=1, attention=False)
    *layers, head = graph.layers
    late = replace(graph.layer("block0.fc1"), name="late", inputs=(source,))
    total = Residual(name="sum", inputs=("block0.x2", "late"), form="add")
    changed = replace(graph, layers=(*layers, late, total, replace(head, inputs=("sum",))))
    if message is None:
        compile_network(changed)
    else:
        with pytest.raises(InputError, match=message):
            compile_network(changed)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (("embed", "embed"), "layer sum: adds embed to embed, which has the same place"),
        (("block0.x2", "embed"), "layer sum: adds embed to block0.x2, which has the same place"),
    ],
)
def test_sums_refused(inputs, message):
    graph = random_network(**SMALL, blocks=1, attention=False)
    *layers, head = graph.layers
    total = Residual(name="sum", inputs=inputs, form="add")
    extra = Residual(name="all", inputs=("sum", "block0.fc1"), form="add")
    used = Residual(name="used", inputs=("all", "block0.x2"), form="add")
    rest = (total, extra, used, replace(head, inputs=("used",)))
    with pytest.raises(InputError, match=message):
        compile_network(replace(graph, layers=(*layers, *rest)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"block0.fc1": ("block0.q",)},
            "layer block0.fc1: reads block0.q, which block0.attention has replaced",
        ),
        (
            {"block0.x1": ("embed", "block0.attention"), "block0.proj": None},
            "layer block0.attention: is the branch of a residual; the engine takes the output of",
        ),
        (
            {"block0.attention": ("block0.q", "block0.k", "x0")},
            "layer block0.attention: input x0 has no neurons; the engine takes the output of",
        ),
    ],
)
def test_spike_driven_refused(changes, message):
    graph = random_network(**SMALL, blocks=1, form="spike-driven", heads=1)
    layers = []
    for layer in graph.layers:
        inputs = changes.get(layer.name, layer.inputs)
        if layer.name == "block0.attention" and "x0" in inputs:
            layers.append(Residual(name="x0", form="iand", inputs=("block0.v", "embed")))
        if inputs is not None:
            layers.append(replace(layer, inputs=inputs))
    with pytest.raises(InputError, match=message):
        compile_network(replace(graph, layers=tuple(layers)))


@pytest.mark.parametrize(
    ("layer", "neuron", "message"),
    [
        ("embed", {"kind": "relu"}, "layer embed: the engine does not build relu neurons of kind"),
        (
            "block0.fc1",
            {"kind": "relu"},
            "build relu neurons that block0.fc2 reads yet; the golden",
        ),
        ("block0.fc1", {"kind": "ternary"}, "build ternary neurons that block0.fc2 reads yet"),
        ("block0.v", {"kind": "ternary", "reset": "soft"}, "build ternary neurons with soft reset"),
        ("block0.v", {"kind": "relu"}, "build relu neurons that block0.attention reads yet"),
        ("block0.attention", {"kind": "ternary"}, "build ternary neurons of kind attention yet"),
    ],
)
def test_neurons_refused(layer, neuron, message):
    graph = random_network(**SMALL, blocks=1, form="a2os2a", heads=1, residual="add")
    layers = []
    for one in graph.layers:
        if one.name == layer:
            one = replace(one, neuron=replace(one.neuron, **{"bits": 1} | neuron))
        layers.append(one)
    with pytest.raises(InputError, match=message):
        compile_network(replace(graph, layers=tuple(layers)))


def test_program_is_reproducible():
    graph = random_network(image=(4, 4, 1), patch=(2, 2), steps=2, dims=16, blocks=1, heads=1)
    first, second = compile_network(graph), compile_network(graph)
    assert first.table.words() == second.table.words()
    assert (first.weights == second.weights).all()
