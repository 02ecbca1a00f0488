"""The `int8_softmax` core: its golden model by hand, against floating point and against its bound;
its units; and the hardware."""

import random

import numpy as np
import pytest
from amaranth.hdl import signed, unsigned
from amaranth.sim import Simulator

import spikeloom
from spikeloom.blocks.adder_tree import AdderTree
from spikeloom.blocks.multiplier import Multiplier
from spikeloom.cores.int8_softmax import Int8Softmax
from spikeloom.cores.int8_softmax.divider import Divider
from spikeloom.cores.int8_softmax.exponential import Exponential
from spikeloom.cores.int8_softmax.golden import softmax_attention, weights
from spikeloom.cores.int8_softmax.quantise import quantise
from spikeloom.errors import InputError

LOG_2 = np.log(2)


def by_definition(core, q, k, v):
    """Floating-point softmax attention of integer operands, with the exponent of the core."""
    return softmax_attention(q, k, v, LOG_2 / 2**core.shift)


def bound(core, q, k, v):
    """The largest error of each output, from the errors of the weights.

    With w the exact weight, 1 for the largest score: the exponent is less than 2^-fraction off, and
    two roundings of half a unit follow. The output is a mean, so that an error of a weight moves it
    by no more than that error times the distance to a value, over the sum. Rounding adds a half.
    """
    scores = q.astype(float) @ k.T / 2**core.shift
    exact = 2 ** (scores - scores.max(1, keepdims=True))
    relative, absolute = 2 ** (2**-core.fraction) - 1, 1 / (2**core.prob_bits - 1)
    wrong = relative * exact + absolute
    spread = np.abs(v[None] - by_definition(core, q, k, v)[:, None])
    sums = np.maximum(1, exact.sum(1) - wrong.sum(1))
    return 0.5 + np.einsum("ij,ijd->id", wrong, spread) / sums[:, None]


# The golden model


def test_by_hand():
    """Two tokens whose scores differ by 2 x 2^shift: weights 1023 and 256, a mean of 0.4 V."""
    core = spikeloom.core("int8_softmax", tokens=2, head_dim=1, value_dim=2, shift=3)
    q, k, v = np.array([[4], [0]]), np.array([[5], [1]]), np.array([[100, -10], [-50, 5]])
    # Query 0: scores 20 and 4, a difference of 16 / 8 = 2 halvings. Query 1: equal weights.
    assert weights(core, np.array([20, 4])).tolist() == [1023, 256]
    first = (1023 * v[0] + 256 * v[1]) / 1279
    assert core.compute(q=q, k=k, v=v)["o"].tolist() == [
        np.floor(first + 0.5).tolist(),
        [25, -2],  # -2.5 is rounded upwards
    ]


def test_weights_end_at_zero():
    """A weight is halved until it rounds to nothing, and stays there."""
    core = spikeloom.core("int8_softmax", tokens=4, head_dim=4, shift=0, prob_bits=4)
    found = weights(core, -np.arange(40))
    assert found[:7].tolist() == [15, 8, 4, 2, 1, 0, 0]
    assert not found[5:].any()


@pytest.mark.parametrize("kind", ["gaussian", "uniform", "extreme", "one winner", "equal"])
@pytest.mark.parametrize(
    "keys", [{}, {"prob_bits": 6, "frac_bits": 3}, {"shift": 8}, {"shift": 17}]
)
def test_error_bound(kind, keys):
    core = spikeloom.core("int8_softmax", tokens=64, head_dim=64, **keys)
    rng = np.random.default_rng(3)
    q, k, v = (rng.normal(0, 127 / 4, (3, 64, 64))).round().clip(-128, 127).astype(int)
    if kind == "uniform":
        q, k, v = rng.integers(-128, 128, (3, 64, 64))
    if kind == "extreme":
        q, k, v = rng.choice([-128, 127], (3, 64, 64))
    if kind == "one winner":
        k[0] = 127
        q = abs(q)
    if kind == "equal":
        k[:] = k[0]
    output = core.compute(q=q, k=k, v=v)["o"]
    error = abs(output - by_definition(core, q, k, v))
    assert (error <= bound(core, q, k, v)).all()
    if not keys and kind in ("gaussian", "uniform", "equal"):
        assert error.max() < 1


@pytest.mark.parametrize(("tokens", "dims"), [(49, 32), (64, 64)])
@pytest.mark.parametrize("spread", [0.5, 1, 2])
def test_real_operands(tokens, dims, spread):
    """Quantised to 8 bits, against softmax attention of the real numbers: what a user loses."""
    wanted, found = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        q, k, v = rng.normal(0, 1, (3, tokens, dims)) * [[[spread]], [[spread]], [[1]]]
        ints = quantise(q, k, v)
        assert 63 <= abs(ints.q).max() <= 127
        assert abs(ints.k).max() == abs(ints.v).max() == 127
        core = spikeloom.core("int8_softmax", tokens=tokens, head_dim=dims, shift=ints.shift)
        output = core.compute(q=ints.q, k=ints.k, v=ints.v)["o"]
        found.append(output * ints.output_scale)
        wanted.append(softmax_attention(q, k, v, dims**-0.5))
    wanted, found = np.array(wanted), np.array(found)
    relative = np.sqrt(((found - wanted) ** 2).mean() / (wanted**2).mean())
    assert relative < 0.07
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.997


def test_quantise_at_its_ends():
    """Zeros everywhere, and operands so small or large that no shift would fit."""
    zeros = quantise(*np.zeros((3, 2, 4)))
    assert not zeros.q.any()
    assert quantise(*np.full((3, 2, 4), 1e9)).shift == 0
    assert quantise(*np.full((3, 2, 4), 1e-9)).shift == 24


def test_default_shift():
    """Of operands with a standard deviation of 1, whose 127 is 4: at most a half below."""
    for dims in (1, 8, 32, 64, 100):
        shift = spikeloom.core("int8_softmax", tokens=2, head_dim=dims).shift
        exact = np.log2((127 / 4) ** 2 * dims**0.5 * LOG_2)
        assert shift <= exact < shift + 1


def test_keys():
    with pytest.raises(InputError, match=r"lanes = 9 is not allowed.*at most 8"):
        Int8Softmax(tokens=4, head_dim=8, value_dim=5, lanes=9)
    with pytest.raises(
        InputError, match=r"q: holds float64; int8_softmax takes integers of 8 bits"
    ):
        Int8Softmax.prepare({}, q=np.zeros((2, 2)), k=np.zeros((2, 2)), v=np.zeros((2, 2)))
    with pytest.raises(InputError, match=r"v: 128 at \[0, 0\]; values must be"):
        spikeloom.core("int8_softmax", tokens=1, head_dim=1).compute(q=[[1]], k=[[1]], v=[[128]])


# The units


def outputs(dut, inputs, delay):
    """Outputs `o` for inputs that are set one after the other, `delay` cycles later."""
    seen = []

    async def bench(ctx):
        for n in range(len(inputs) + delay):
            for name, value in inputs[min(n, len(inputs) - 1)].items():
                ctx.set(getattr(dut, name), value)
            await ctx.delay(1e-8)
            seen.append(ctx.get(dut.p if hasattr(dut, "p") else dut.o))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen[delay:]


@pytest.mark.parametrize("norm_bits", [1, 3])
def test_divider(norm_bits):
    """Every number by every divisor that keeps the quotient in 8 bits."""
    for norm in range(1, 2**norm_bits):
        numbers = range((511 * norm + 1) // 2)
        found = outputs(
            Divider(norm_bits), [{"norm": norm, "i": n} for n in numbers], Divider.delay
        )
        assert found == [(2 * n + norm) // (2 * norm) for n in numbers]


@pytest.mark.parametrize(
    "keys", [{"prob_bits": 4, "frac_bits": 2}, {"prob_bits": 10}, {"shift": 1}]
)
def test_exponential(keys):
    core = Int8Softmax(**{"tokens": 2, "head_dim": 1, "shift": 6} | keys)
    below = range(min(2**core.score_bits, 1 << core.fraction + 5))
    below = [*below, 2**core.score_bits - 1]
    found = outputs(Exponential(core), [{"below": n} for n in below], Exponential.delay)
    assert found == weights(core, -np.array([0, *below])).tolist()[1:]


@pytest.mark.parametrize("shapes", [(signed(8), signed(8)), (unsigned(10), unsigned(8))])
def test_multiplier(shapes):
    rng = random.Random(1)
    ends = [(shape.width, -(2 ** (shape.width - 1)) if shape.signed else 0) for shape in shapes]
    pairs = [[low, low + 2**width - 1] for width, low in ends]
    inputs = [{"a": a, "b": b} for a in pairs[0] for b in pairs[1]]
    inputs += [
        {name: low + rng.getrandbits(width) for name, (width, low) in zip("ab", ends, strict=True)}
        for _ in range(20)
    ]
    found = outputs(Multiplier(*shapes), inputs, Multiplier.delay)
    assert found == [one["a"] * one["b"] for one in inputs]


@pytest.mark.parametrize("is_signed", [False, True])
@pytest.mark.parametrize("terms", [2, 5, 8])
def test_adder_tree(terms, is_signed):
    """The smallest and the largest sums, and random ones."""
    low = -8 if is_signed else 0
    rng = random.Random(terms)
    rows = [[low] * terms, [low + 15] * terms]
    rows += [[low + rng.randrange(16) for _ in range(terms)] for _ in range(10)]
    words = [sum((x & 15) << 4 * n for n, x in enumerate(row)) for row in rows]
    tree = AdderTree(terms, 4, signed=is_signed)
    found = outputs(tree, [{"i": word, "enable": 1} for word in words], tree.delay)
    assert found == [sum(row) for row in rows]
