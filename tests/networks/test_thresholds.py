"""Thresholds that differ from output to output, from the file to the engine."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Const, Module, Signal
from amaranth.sim import Simulator

from spikeloom.errors import InputError
from spikeloom.networks import file, golden
from spikeloom.networks.engine import compile_network
from spikeloom.networks.engine.controls import decode
from spikeloom.networks.engine.lanes import Lanes
from spikeloom.networks.engine.operation import Kind
from spikeloom.networks.graph import Graph
from spikeloom.networks.neuron import Neuron
from spikeloom.networks.ranges import Range
from tests.networks import reference
from tests.networks.random_network import random_images, random_network, with_offsets
from tests.networks.stem import stem_network
from tests.networks.test_engine import check_graph

SMALL = {"image": (4, 4, 1), "patch": (2, 2), "steps": 3, "dims": 10, "hidden": 7, "classes": 3}
RESETS = [
    {"leak": leak, "reset": reset, "blocks": 1} for leak in (1, 0) for reset in ("hard", "soft")
]
LONG = {
    "attention, mixed resets": ({"reset": "mixed", "blocks": 1}, {"lanes": 4}),
    "no leak, soft, sums of spikes": (
        {"leak": 0, "reset": "soft", "residual": "add", "blocks": 2, "heads": 1},
        {"lanes": 8},
    ),
    "no leak, hard, loaded": (
        {"leak": 0, "steps": 5, "blocks": 1, "hidden": 33},
        {"lanes": 16, "weights": "loaded"},
    ),
    "4 bits, soft, wide": (
        {"weight_bits": 4, "reset": "soft", "blocks": 1, "dims": 20},
        {"lanes": 32},
    ),
    "one step, 6 bits": ({"steps": 1, "weight_bits": 6, "blocks": 1}, {"lanes": 4}),
    "a2os2a": ({"form": "a2os2a", "blocks": 1, "heads": 1, "dims": 20}, {"lanes": 16}),
    "spike-driven, mixed resets": (
        {"form": "spike-driven", "reset": "mixed", "blocks": 1, "dims": 20},
        {"lanes": 8},
    ),
}


def network(**sizes):
    """A small random network whose thresholds differ."""
    return with_offsets(random_network(**SMALL | sizes))


@pytest.mark.parametrize("case", RESETS, ids=str)
def test_golden_is_the_equations(case):
    graph = network(**case)
    images = random_images(graph, 2, density=0.8)
    result = golden.run(graph, images, keep=True)
    for n, image in enumerate(images):
        expected = reference.run(graph, image)
        for name, spikes in result.spikes.items():
            assert np.array_equal(spikes[n], expected[name]), name
    equal = replace(
        graph,
        layers=tuple(
            replace(one, threshold_offsets=None) if hasattr(one, "threshold_offsets") else one
            for one in graph.layers
        ),
    )
    assert golden.run(equal, images).counts["block0.fc1"].sum() != result.counts["block0.fc1"].sum()


def test_zero_offsets_change_nothing():
    """Neither the spikes nor, apart from the entries that add 0, the operations."""
    graph = random_network(**SMALL, blocks=1)
    same = with_offsets(graph, spread=0.0)
    images = random_images(graph, 3)
    assert np.array_equal(golden.run(same, images).logits, golden.run(graph, images).logits)
    assert same.bounds == graph.bounds


def test_bounds():
    """Those of each threshold, joined."""
    neuron, current = Neuron(threshold=10, reset="soft"), Range(-7, 9)
    found = neuron.bounds(current, 5, np.array([-8, 0, 6]))
    each = [replace(neuron, threshold=n).bounds(current, 5) for n in (2, 10, 16)]
    assert found.membrane is not None
    assert found.membrane.low == min(one.membrane.low for one in each)
    assert found.membrane.high == max(one.membrane.high for one in each)
    assert found.accumulator.low == min(one.accumulator.low for one in each)


def test_file():
    graph = network(blocks=1)
    data = file.to_bytes(graph)
    read = file.from_bytes(data)
    assert file.to_bytes(read) == data
    assert np.array_equal(
        read.layer("block0.q").threshold_offsets, graph.layer("block0.q").threshold_offsets
    )
    assert b"threshold_offsets" not in file.to_bytes(random_network(**SMALL, blocks=1))


def broken(**fields) -> Graph:
    """A network whose layer block0.fc1 has other fields."""
    graph = network(blocks=1)
    layers = [replace(one, **fields) if one.name == "block0.fc1" else one for one in graph.layers]
    return replace(graph, layers=tuple(layers))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"threshold_offsets": np.zeros(6, int)}, "threshold_offsets has 6 values and weight 7"),
        ({"threshold_offsets": np.zeros((7, 1), int)}, "threshold_offsets has shape"),
        ({"threshold_offsets": np.zeros(7)}, "threshold_offsets holds float64"),
        ({"threshold_offsets": np.full(7, 2**31)}, "they must fit in int32"),
        ({"threshold_offsets": np.full(7, 2**31 - 2)}, "is not allowed; thresholds are even"),
        ({"threshold_offsets": np.arange(7)}, r"of output 1 \(threshold plus threshold_offsets\)"),
        ({"threshold_offsets": np.full(7, -(2**20))}, "is not allowed"),
        ({"neuron": Neuron(threshold=3, kind="relu")}, "neuron kind is relu; threshold_offsets"),
    ],
)
def test_refused(fields, message):
    with pytest.raises(InputError, match=f"layer block0.fc1: .*{message}"):
        broken(**fields)


def test_file_refused():
    """Of other kinds of layers the field is unknown, and its tensor must be integers."""
    description = network(blocks=1).to_json()
    tensors = network(blocks=1).tensors()
    entry = next(one for one in description["layers"] if one["name"] == "block0.fc1")
    head = description["layers"][-1]
    for layer, value, message in (
        (head, "block0.fc1.threshold_offsets", "unknown field 'threshold_offsets'"),
        (entry, "missing", "threshold_offsets is tensor 'missing', which the file does not have"),
        (entry, None, "threshold_offsets is tensor None"),
        (entry, "head.weight", "holds int8; threshold_offsets must be int32"),
    ):
        before = dict(layer)
        layer["threshold_offsets"] = value
        with pytest.raises(InputError, match=message):
            Graph.from_json(description, tensors)
        layer.clear()
        layer.update(before)


def test_engine():
    """Hard and soft resets in one network, outputs that are no multiple of the lanes."""
    sizes = {"image": (2, 4, 1), "dims": 6, "hidden": 5, "blocks": 1, "attention": False}
    graph = network(**sizes, reset="mixed")
    program = compile_network(graph, lanes=4)
    varied = [one for one in program.operations if one.varied]
    kinds = {entry.kind for one in varied for entry in one.following}
    assert {one.soft for one in varied} == {False, True}
    assert kinds & {Kind.LATE, Kind.LATE_SHIFTED}
    check_graph(graph, random_images(graph, 1), {"lanes": 4})


def lanes_with_gaps(gap):
    """What lanes with thresholds of their own give for random lists of entries; `gap` is the kind
    that stands where no entry is."""
    rng = np.random.default_rng(1)
    lanes = Lanes(
        **{"lanes": 4, "operand_bits": 4, "bits": 9, "shift": 2, "fades": (), "varied": True},
        **{"soft": True, "ternary": False, "split": False, "stores": False, "largest": False},
        **{"halves": False, "learnt_bits": 0},
    )
    top, kind, first, final = Module(), Signal(3), Signal(), Signal()
    top.submodules.lanes = lanes
    fixed = dict.fromkeys(("learn", "ternary", "split", "largest"), Const(0))
    varied = {"by_rest": False, "varied": Const(1)}
    controls = decode(kind, first=first, final=final, **varied, **fixed)
    top.d.comb += lanes.controls.as_value().eq(controls)
    entries = []  # valid, kind, first, final, operands
    for _ in range(60):
        steps = [
            [Kind.OPEN, *[Kind.LATE_SHIFTED, Kind.LATE][: int(rng.integers(3))] * (step > 0)]
            + [Kind.EVENT] * int(rng.integers(3))
            for step in range(rng.integers(1, 4))
        ]
        kinds = [one for step in steps for one in step]
        for n, one in enumerate(kinds):
            entries.append((1, one.value, n == 0, n == len(kinds) - 1, int(rng.integers(1 << 16))))
        entries += [(0, gap, 0, 0, 0)] * int(rng.integers(1, 4))
    found = []

    async def run(ctx):
        ctx.set(lanes.rest, 0x1F0)
        ctx.set(lanes.leak, 1)
        for valid, now, begins, ends, operands in entries:
            for signal, value in (
                *((lanes.valid, valid), (kind, now), (first, begins), (final, ends)),
                (lanes.operands, operands),
            ):
                ctx.set(signal, value)
            await ctx.tick()
            spikes = ctx.get(lanes.o_valid) and ctx.get(lanes.o)
            values = ctx.get(lanes.final) and ctx.get(lanes.values)
            found.append((ctx.get(lanes.o_valid), spikes, ctx.get(lanes.final), values))

    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run)
    simulator.run()
    return found


@pytest.mark.parametrize("kind", range(8))
def test_gaps_between_lists(kind):
    """Lanes do not heed controls without an entry."""
    wanted = lanes_with_gaps(0)
    assert sum(spikes for _, spikes, *_ in wanted) > 100
    assert lanes_with_gaps(kind) == wanted


@pytest.mark.long
@pytest.mark.parametrize("case", LONG)
def test_engine_forms(case):
    sizes, engine = LONG[case]
    graph = network(**sizes)
    check_graph(graph, random_images(graph, 2), engine)


@pytest.mark.long
@pytest.mark.parametrize("reset", ["hard", "soft"])
def test_engine_convolutions(reset):
    graph = with_offsets(stem_network(reset=reset))
    check_graph(graph, random_images(graph, 1), {"lanes": 8})


def test_engine_refuses_the_image():
    graph = random_network(**SMALL, blocks=0)
    embed = replace(graph.layers[0], threshold_offsets=np.arange(10) * 2)
    changed = replace(graph, layers=(embed, *graph.layers[1:]))
    assert golden.run(changed, random_images(changed, 1)).logits.shape == (1, 3)
    with pytest.raises(InputError, match="layer embed: the engine does not build thresholds that"):
        compile_network(changed)
