"""The `int8_linear` core: its golden model by hand, against rational and floating-point
arithmetic; its units; and its keys."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from amaranth.sim import Simulator
from hypothesis import given, settings
from hypothesis import strategies as st

import spikeloom
from spikeloom.blocks.dot_product import DotProduct
from spikeloom.blocks.logic_multiplier import LogicMultiplier
from spikeloom.blocks.multiplier import MultiplierPair
from spikeloom.cores.int8_linear import Int8Linear
from spikeloom.cores.int8_linear.golden import requantise
from spikeloom.cores.int8_linear.quantise import quantise
from spikeloom.cores.int8_linear.requantiser import Requantiser
from spikeloom.cores.int8_linear.schedule import latency, places
from spikeloom.errors import InputError


def exactly(total, scale, shift, activation):
    """The output of a sum by rational numbers."""
    rounded = floor(Fraction(total * scale, 2**shift) + Fraction(1, 2))
    return min(127, max(0 if activation == "relu" else -128, rounded))


# The golden model


def test_by_hand():
    core = spikeloom.core("int8_linear", tokens=2, input_dim=3, output_dim=2, shift=4, lanes=2)
    x = [[1, 2, 3], [-128, -128, -128]]
    w = [[1, -1, 2], [-128, -128, -128]]
    # Sums 5 and -768, -256 and 49152, with their biases 6 and -770, -255 and 49150.
    found = core.compute(x=x, w=w, bias=[1, -2], scale=[4, 2])["y"]
    assert found.tolist() == [[2, -96], [-64, 127]]  # 1.5, -96.25, -63.75, 6143.75
    ties = core.compute(x=[[1, 0, 0], [-1, 0, 0]], w=w, bias=[0, 0], scale=[8, 0])["y"]
    assert ties.tolist() == [[1, 0], [0, 0]]  # 0.5 and -0.5 upwards


@settings(deadline=None)
@given(
    total=st.integers(-(2**25), 2**25),
    scale=st.integers(0, 2**16 - 1),
    shift=st.integers(0, 31),
    activation=st.sampled_from(["none", "relu"]),
)
def test_requantisation_is_exact(total, scale, shift, activation):
    found = requantise(np.array([total]), np.array([scale]), shift, activation)
    assert found.tolist() == [exactly(total, scale, shift, activation)]


def test_quantise():
    """A layer of real numbers: what a user loses is the rounding of x, w and y."""
    rng = np.random.default_rng(1)
    real_x, real_w = rng.normal(size=(49, 64)), rng.normal(size=(32, 64)) * 0.1
    real_bias = rng.normal(size=32)
    wanted = real_x @ real_w.T + real_bias
    x_scale, y_scale = abs(real_x).max() / 127, abs(wanted).max() / 127
    layer = quantise(real_w, real_bias, x_scale, y_scale)
    assert (abs(layer.w).max(axis=1) == 127).all()
    assert 2**15 <= layer.scale.max() < 2**16
    core = spikeloom.core("int8_linear", tokens=49, input_dim=64, output_dim=32, shift=layer.shift)
    x = np.rint(real_x / x_scale).astype(int)
    found = core.compute(x=x, w=layer.w, bias=layer.bias, scale=layer.scale)["y"]
    relative = np.sqrt(((found * y_scale - wanted) ** 2).mean() / (wanted**2).mean())
    assert relative < 0.02
    zeros = quantise(np.zeros((2, 3)), np.zeros(2), 1.0, 1.0)
    assert not zeros.w.any()
    assert not zeros.bias.any()


def test_keys():
    with pytest.raises(InputError, match=r"lanes = 9 is not allowed.*at most 8, input_dim"):
        Int8Linear(tokens=4, input_dim=8, lanes=9)
    with pytest.raises(InputError, match=r"logic_lanes = 3 is not allowed.*at most 2, lanes"):
        Int8Linear(tokens=4, input_dim=8, lanes=2, logic_lanes=3)
    with pytest.raises(InputError, match=r"w: has 3 inputs, and x 2; w is \(outputs, inputs\)"):
        Int8Linear.prepare({}, x=np.zeros((4, 2)), w=np.zeros((5, 3)))
    with pytest.raises(InputError, match=r"int8_linear: operand bias is missing"):
        Int8Linear.prepare({}, x=np.zeros((4, 2)), w=np.zeros((5, 2)))
    with pytest.raises(InputError, match=r"x: 128 at \[0, 0\]; values must be"):
        spikeloom.core("int8_linear", tokens=1, input_dim=1).compute(
            x=[[128]], w=[[1]], bias=[1], scale=[1]
        )


def test_sizes_follow_from_operands():
    """Of several runs, which is the leading axis."""
    x, w = np.ones((3, 4, 6), int), np.ones((3, 5, 6), int)
    core, runs = Int8Linear.prepare(
        {"shift": 0}, x=x, w=w, bias=np.zeros((3, 5)), scale=np.ones((3, 5))
    )
    assert (core.tokens, core.input_dim, core.output_dim) == (4, 6, 5)
    assert [core.compute(**run)["y"].tolist() for run in runs] == [[[6] * 5] * 4] * 3


@settings(deadline=None, max_examples=40)
@given(inputs=st.integers(1, 40), outputs=st.integers(1, 40), lanes=st.integers(1, 40))
def test_queue(inputs, outputs, lanes):
    """As many places as beats are under way at most, by the cycles of their last reads."""
    core = Int8Linear(tokens=9, input_dim=inputs, output_dim=outputs, lanes=min(lanes, inputs))
    of_token = [*range(core.lanes, outputs, core.lanes), outputs]
    ends = np.array([outputs * n + end for n in range(60) for end in of_token]) * core.chunks
    waits = ends[None] - ends[: len(ends) // 2, None]
    assert places(core) == ((waits >= 0) & (waits < latency(core) + 1)).sum(axis=1).max()


# The units


def outputs(dut, inputs, delay):
    """Outputs `o` for inputs that are set one after the other, `delay` cycles later."""
    seen = []

    async def bench(ctx):
        for n in range(len(inputs) + delay):
            for name, value in inputs[min(n, len(inputs) - 1)].items():
                ctx.set(getattr(dut, name), value)
            await ctx.delay(1e-8)
            seen.append(ctx.get(dut.o))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen[delay:]


@pytest.mark.parametrize("width", [2, 3, 4])
def test_logic_multiplier(width):
    """All pairs of operands."""
    numbers = range(-(2 ** (width - 1)), 2 ** (width - 1))
    pairs = [{"a": a, "b": b} for a in numbers for b in numbers]
    found = outputs(LogicMultiplier(width), pairs, LogicMultiplier.delay)
    assert found == [pair["a"] * pair["b"] for pair in pairs]


EXTREMES = [(-128, -128), (-128, 127), (127, -128), (127, 127), (0, -128), (-1, -1)]


def test_logic_multiplier_of_8_bits():
    rng = np.random.default_rng(1)
    pairs = [*EXTREMES, *rng.integers(-128, 128, (50, 2)).tolist()]
    found = outputs(LogicMultiplier(8), [{"a": a, "b": b} for a, b in pairs], 2)
    assert found == [a * b for a, b in pairs]


def word(numbers):
    return sum((int(n) & 255) << 8 * place for place, n in enumerate(numbers))


def test_multiplier_pair():
    rng = np.random.default_rng(1)
    rows = rng.integers(-128, 128, (50, 2, 2))
    rows[: len(EXTREMES), 0], rows[1 : len(EXTREMES) + 1, 1] = EXTREMES, EXTREMES
    found = outputs(MultiplierPair(), [{"a": word(a), "b": word(b)} for a, b in rows], 2)
    products = [[x * y & 0xFFFF for x, y in zip(a, b, strict=True)] for a, b in rows.tolist()]
    assert found == [low | high << 16 for low, high in products]


@pytest.mark.parametrize("lanes", [1, 2, 5, 8])
@pytest.mark.parametrize("logic_lanes", [0, 1, 3])
def test_dot_product(lanes, logic_lanes):
    """The largest and smallest sums, and random ones; each number of both kinds of multipliers."""
    rng = np.random.default_rng(lanes)
    rows = rng.integers(-128, 128, (20, 2, lanes))
    rows[0], rows[1, 0], rows[1, 1] = -128, -128, 127
    dut = DotProduct(lanes, logic_lanes=min(lanes, logic_lanes))
    found = outputs(dut, [{"a": word(a), "b": word(b)} for a, b in rows], dut.delay)
    assert found == [int(a @ b) for a, b in rows]


@pytest.mark.parametrize("activation", ["none", "relu"])
@pytest.mark.parametrize(
    "keys", [{"shift": 0, "scale_bits": 4}, {"shift": 1}, {"shift": 13}, {"shift": 31}, {}]
)
def test_requantiser(activation, keys):
    """Extremes, both sides of each limit, and ties."""
    core = Int8Linear(tokens=1, input_dim=9, activation=activation, **keys)
    high, most = 2 ** (core.sum_bits - 1), 2**core.scale_bits - 1
    rng = np.random.default_rng(2)
    cases = [(s, b, c) for s in (-high, high - 1) for b in (-high, high - 1) for c in (0, 1, most)]
    power = 1 << min(core.scale_bits - 1, max(core.shift - 1, 0))
    ties = [(2**core.shift >> 1) // power * n for n in (-257, -256, -255, -3, -1, 1, 3, 253, 255)]
    cases += [(s + more, 0, power) for s in ties for more in (-1, 0, 1) if -high <= s + more < high]
    cases += [
        (int(s), int(b), int(c))
        for s, b, c in zip(
            rng.integers(-high, high, 60) >> rng.integers(0, 14, 60),
            rng.integers(-high, high, 60) >> rng.integers(0, 14, 60),
            rng.integers(0, most + 1, 60),
            strict=True,
        )
    ]
    dut = Requantiser(core)
    inputs = [{"sum": s, "bias": b, "scale": c} for s, b, c in cases]
    found = outputs(dut, inputs, dut.delay)
    assert found == [exactly(s + b, c, core.shift, activation) for s, b, c in cases]
