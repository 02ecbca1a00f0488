"""The `a2os2a` core against its golden model, its cycle formula and its contract."""

from itertools import product

import numpy as np
import pytest

from spikeloom.cores.a2os2a import A2OS2A, schedule
from spikeloom.cores.a2os2a import golden as a2os2a
from spikeloom.errors import InputError
from spikeloom_sim.backends import RTL

from .a2os2a_runner import random_operands, simulate

SHAPES = [
    {"tokens": 1, "head_dim": 1},
    {"tokens": 5, "head_dim": 4},
    {"tokens": 7, "head_dim": 12, "value_dim": 8, "lanes": 4, "steps": 2},
    {"tokens": 6, "head_dim": 6, "value_dim": 9, "lanes": 3, "k_bits": 3, "steps": 2},
    {"tokens": 12, "head_dim": 1, "value_dim": 3, "k_bits": 1, "steps": 2},
    {"tokens": 4, "head_dim": 18, "lanes": 18, "k_bits": 2},
    {"tokens": 9, "head_dim": 2, "lanes": 2},
    {"tokens": 6, "head_dim": 6, "value_dim": 4, "k_bits": 1, "v_spikes": "binary", "steps": 2},
]
KINDS = list(product(("kv", "qk"), ("none", "causal")))
DENSITIES = [
    pytest.param(1, marks=pytest.mark.long),
    0.5,
    0.1,
    pytest.param(0, marks=pytest.mark.long),
]


@pytest.mark.parametrize(("order", "mask"), KINDS)
@pytest.mark.parametrize("density", DENSITIES, ids="density {}".format)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_outputs_and_clocks(shape, density, order, mask):
    """Every output bit, and the cycles of the formula, in two successive runs."""
    config = A2OS2A(order=order, mask=mask, **shape)
    operands = random_operands(config, 3, density=(density,) * 3)
    outputs, clocks, flags = simulate(config, operands, runs=2)
    expected = np.stack([a2os2a.scores_first(*step, mask) for step in zip(*operands, strict=True)])
    assert (outputs == np.concatenate([expected, expected])).all()
    assert clocks == [schedule.cycles(config, [x.tolist() for x in operands])] * 2
    assert flags == {"misframed": 0, "saturated": 0}


@pytest.mark.parametrize(("order", "mask"), KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_stalls_change_nothing(order, mask, seed):
    config = A2OS2A(tokens=6, head_dim=6, value_dim=4, lanes=2, steps=3, order=order, mask=mask)
    operands = random_operands(config, seed)
    outputs, _, flags = simulate(config, operands, stalls=0.5, seed=seed)
    expected = np.stack([a2os2a.state_first(*step, mask) for step in zip(*operands, strict=True)])
    assert (outputs == expected).all()
    assert not flags["misframed"]


@pytest.mark.parametrize(
    ("order", "mask"),
    [
        pytest.param("kv", "none", marks=pytest.mark.long),
        pytest.param("qk", "causal", marks=pytest.mark.long),
        pytest.param("kv", "causal", marks=pytest.mark.slow),
        pytest.param("qk", "none", marks=pytest.mark.slow),
    ],
)
def test_every_input_of_the_smallest_attention(order, mask):
    """Two tokens, two dimensions, K of one bit: all possible operands, one time step each."""
    q = list(product((0, 1), repeat=4))
    k = list(product((0, 1), repeat=4))
    v = list(product((-1, 0, 1), repeat=2))
    everything = list(product(q, k, v))
    steps = len(everything)
    operands = [
        np.array([case[n] for case in everything]).reshape(steps, 2, width)
        for n, width in enumerate((2, 2, 1))
    ]
    config = A2OS2A(
        tokens=2, head_dim=2, value_dim=1, k_bits=1, steps=steps, order=order, mask=mask
    )
    outputs, _, _ = simulate(config, operands)
    expected = np.stack([a2os2a.scores_first(*step, mask) for step in zip(*operands, strict=True)])
    assert (outputs == expected).all()


@pytest.mark.parametrize(("order", "mask"), KINDS)
@pytest.mark.parametrize("sign", [1, -1])
def test_largest_sums_do_not_wrap(order, mask, sign):
    config = A2OS2A(tokens=9, head_dim=6, k_bits=4, order=order, mask=mask)
    k = np.full((1, 9, 6), config.k_max)
    outputs, _, _ = simulate(config, (np.ones_like(k), k, np.full_like(k, sign)))
    assert outputs[0, -1, 0] == sign * 9 * 6 * config.k_max
    assert (
        outputs[0] == a2os2a.scores_first(*np.ones_like(k), k[0], sign * k[0] // 15, mask)
    ).all()


@pytest.mark.parametrize("stalls", [0.0, 0.4])
def test_open_sequences_end_where_the_stream_says(stalls):
    """Two sequences of 23 tokens through a core with widths for 8."""
    config = A2OS2A(tokens=8, head_dim=6, lanes=3, mask="causal", length="open")
    operands = random_operands(config, 5, tokens=23)
    outputs, _, flags = simulate(config, operands, runs=2, stalls=stalls)
    expected = a2os2a.run(config, *(x[0] for x in operands))
    assert (outputs == np.stack([expected, expected])).all()
    assert not flags["misframed"]


def test_open_sequences_of_several_steps():
    config = A2OS2A(tokens=5, head_dim=4, value_dim=6, steps=3, mask="causal", length="open")
    operands = config.random_operands(np.random.default_rng(4))
    (run,) = RTL().run(config, [operands])
    assert np.array_equal(run.outputs["o"], config.compute(**operands)["o"])
    assert run.cycles == config.cycles(**operands)


@pytest.mark.parametrize("sign", [1, -1])
def test_open_sequences_saturate_visibly(sign):
    config = A2OS2A(tokens=3, head_dim=2, k_bits=2, mask="causal", length="open")
    ones = np.ones((1, 8, 2), np.int64)
    state = a2os2a.RunningState(config)
    expected = state.answer(ones[0], 3 * ones[0], sign * ones[0])
    assert state.saturated
    outputs, _, flags = simulate(config, (ones, 3 * ones, sign * ones))
    assert (outputs[0] == expected).all()
    assert flags["saturated"]
    short = 5
    outputs, _, flags = simulate(config, [x[:, :short] for x in (ones, 3 * ones, sign * ones)])
    assert (outputs[0] == expected[:short]).all()
    assert not flags["saturated"]


def test_binary_v_saturates_like_ternary_v():
    """The state has no sign in memory; its largest value is the same."""
    keys = {"tokens": 3, "head_dim": 2, "k_bits": 2, "mask": "causal", "length": "open"}
    ternary, binary = A2OS2A(**keys), A2OS2A(**keys, v_spikes="binary")
    assert binary.stored_bits == ternary.stored_bits - 1
    ones = np.ones((1, 8, 2), np.int64)
    operands = (ones, 3 * ones, ones)
    outputs, _, flags = simulate(binary, operands)
    assert flags["saturated"]
    assert (outputs == simulate(ternary, operands)[0]).all()
    with pytest.raises(InputError, match="v: -1 at"):
        binary.compute(q=ones[0, :3], k=ones[0, :3], v=-ones[0, :3])


@pytest.mark.parametrize("operand", ["q", "k", "v"])
def test_misplaced_last_is_reported(operand):
    """Beats framed for three tokens, sent to a core of two."""
    config = A2OS2A(tokens=2, head_dim=2, steps=3)
    good = random_operands(config, 1)
    reframed = [
        x.reshape(2, 3, 2) if name == operand else x for name, x in zip("qkv", good, strict=True)
    ]
    _, _, flags = simulate(config, reframed, tokens=2)
    assert flags["misframed"]


@pytest.mark.parametrize("density", [1, 0.2, 0.05])
@pytest.mark.parametrize("order", ["kv", "qk"])
def test_zeros_cost_little(order, density):
    """N = D = 64, a word per clock: clocks stay within a tenth of the events, N and a constant."""
    config = A2OS2A(tokens=64, head_dim=64, lanes=64, order=order)
    q, k, v = random_operands(config, 9, density=(density,) * 3)
    clocks = schedule.cycles(config, [x.tolist() for x in (q, k, v)])
    if order == "kv":
        events = int((k != 0).sum() * (v != 0).any(axis=2).mean() + (q != 0).sum())
    else:
        events = int((q != 0).any(axis=2).sum()) * 64
    assert clocks <= 1.10 * events + 64 + 32
