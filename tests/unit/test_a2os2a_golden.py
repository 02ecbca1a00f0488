"""Golden model of addition-only attention: known answers, both orders, bounds, bad input."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeloom.cores.a2os2a import A2OS2A
from spikeloom.cores.a2os2a import golden as a2os2a
from spikeloom.cores.a2os2a.expected import TRAINED, Densities, expected_cycles
from spikeloom.errors import InputError

from .a2os2a_runner import random_operands

DENSITIES = ("q_density", "k_density", "v_density")


def test_by_hand():
    """Q picks rows of K: scores [[1, 5], [3, 7], [0, 0]]; V adds and subtracts."""
    q = np.array([[0, 1], [1, 1], [0, 0]])
    k = np.array([[2, 1], [2, 5], [9, 0]])
    v = np.array([[1, -1], [-1, 0], [1, 1]])
    config = A2OS2A(tokens=3, head_dim=2)
    # Scores q k^T: [[1, 5, 0], [3, 7, 9], [0, 0, 0]].
    assert a2os2a.run(config, q, k, v).tolist() == [[-4, -1], [5, 6], [0, 0]]
    causal = A2OS2A(tokens=3, head_dim=2, mask="causal")
    assert a2os2a.run(causal, q, k, v).tolist() == [[1, -1], [-4, -3], [0, 0]]


@settings(max_examples=60, deadline=None)
@given(
    tokens=st.integers(1, 12),
    head_dim=st.integers(1, 9),
    value_dim=st.integers(1, 9),
    k_bits=st.integers(1, 16),
    mask=st.sampled_from(["none", "causal"]),
    seed=st.integers(0, 2**32),
)
def test_orders_agree(tokens, head_dim, value_dim, k_bits, mask, seed):
    config = A2OS2A(tokens=tokens, head_dim=head_dim, value_dim=value_dim, k_bits=k_bits, mask=mask)
    q, k, v = (operand[0] for operand in random_operands(config, seed))
    expected = a2os2a.scores_first(q, k, v, mask)
    assert (a2os2a.state_first(q, k, v, mask) == expected).all()
    assert (a2os2a.float_reference(q, k, v, mask) == expected).all()
    assert (a2os2a.run(config, q, k, v) == expected).all()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("k_bits", [1, 8, 16])
def test_widths_hold_the_largest_sums(k_bits, sign):
    config = A2OS2A(tokens=65, head_dim=48, k_bits=k_bits, order="kv")
    k = np.full((65, 48), config.k_max)
    q, v = np.ones_like(k), np.full_like(k, sign)
    output = a2os2a.run(config, q, k, v)
    assert (output == sign * 65 * 48 * config.k_max).all()
    for value, bits in (
        (abs(int(output[0, 0])), config.acc_bits),
        (65 * config.k_max, config.state_bits),
        (48 * config.k_max, config.score_bits + 1),
    ):
        assert value < 2 ** (bits - 1)
        assert value >= 2 ** (bits - 2)  # and not a bit wider


def test_large_results_are_exact():
    """Beyond 2**53 a float64 product would round; int32 would wrap."""
    config = A2OS2A(tokens=4096, head_dim=256, k_bits=16, order="qk")
    assert config.acc_bits > 32
    k = np.full((4096, 256), config.k_max)
    output = a2os2a.run(config, np.ones_like(k), k, np.ones_like(k))
    assert output.dtype == np.int64
    assert (output == 4096 * 256 * config.k_max).all()


@pytest.mark.parametrize("density", [1.0, None, 0.05], ids=["dense", "trained", "sparse"])
def test_auto_takes_the_order_of_fewer_clocks(density):
    """For operands of the densities given, or of the default; `prepare` measures them."""
    densities = {} if density is None else dict.fromkeys(DENSITIES, density)
    expected = TRAINED if density is None else Densities(density, density, density)
    rng = np.random.default_rng(1)
    chosen = set()
    for tokens in (3, 12, 40):
        for mask in ("none", "causal"):
            auto = A2OS2A(tokens=tokens, head_dim=16, lanes=8, mask=mask, **densities)
            operands = {
                name: port.random(rng, getattr(expected, name))
                for name, port in auto.inputs.items()
            }
            clocks = {
                order: replace(auto, order=order).cycles(**operands) for order in ("qk", "kv")
            }
            print(tokens, mask, clocks, auto.chosen_order)
            fitted, _ = A2OS2A.prepare({"mask": mask, "lanes": 8}, **operands)
            assert fitted.densities == Densities.of(operands)
            if abs(clocks["qk"] - clocks["kv"]) > 0.15 * min(clocks.values()):  # not by chance
                assert {auto.chosen_order, fitted.chosen_order} == {min(clocks, key=clocks.get)}
                chosen.add(auto.chosen_order)
    assert chosen == {"qk", "kv"}


def test_order_of_a_trained_layer():
    """N = 49, D = 32, K of 4 bits, 8 lanes, 4 steps: `qk` would take 2.7 times as many cycles."""
    auto = A2OS2A(tokens=49, head_dim=32, k_bits=4, lanes=8, steps=4)
    assert auto.chosen_order == "kv"
    rng = np.random.default_rng(0)
    operands = {
        name: port.random(rng, getattr(TRAINED, name)) for name, port in auto.inputs.items()
    }
    for order, clocks in (("kv", 14_900), ("qk", 39_900)):
        assert replace(auto, order=order).cycles(**operands) == pytest.approx(clocks, rel=0.03)
        expected = auto.steps * expected_cycles(auto, order, TRAINED)
        assert expected == pytest.approx(clocks, rel=0.03)


def test_table_of_cycles():
    """The cycles and events of the documentation."""
    row = re.compile(r"\| (\d+) % \| (\d+) % \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|")
    rows = row.findall((Path(__file__).parents[2] / "docs" / "a2os2a.md").read_text())
    assert len(rows) == 4
    config = A2OS2A(tokens=64, head_dim=64, lanes=64, order="kv")
    for q, kv, *figures in (map(int, row) for row in rows):
        drawn = random_operands(config, 6, density=(q / 100, kv / 100, kv / 100))
        operands = dict(zip("qkv", drawn, strict=True))
        found = []
        for order in ("kv", "qk"):
            core = replace(config, order=order)
            found += [core.cycles(**operands), a2os2a.count_events(core, **operands)]
        assert found == figures


def test_order_that_is_named_stays():
    given = {"tokens": 2, "head_dim": 8, "order": "kv"}
    core, _ = A2OS2A.prepare(
        given, q=np.ones((2, 8)) > 0, k=np.ones((2, 8), int), v=np.zeros((2, 8), int)
    )
    assert core == A2OS2A(**given)
    auto = A2OS2A(tokens=2, head_dim=8, k_density=0.5)
    settled = auto.settled()
    assert settled == A2OS2A(tokens=2, head_dim=8, order=auto.chosen_order)


def test_running_state_equals_causal_attention_in_any_portions():
    config = A2OS2A(tokens=500, head_dim=8, mask="causal", length="open")
    q, k, v = (operand[0] for operand in random_operands(config, 3))
    state = a2os2a.RunningState(config)
    parts = [state.answer(q[a:b], k[a:b], v[a:b]) for a, b in ((0, 1), (1, 300), (300, 500))]
    assert (np.concatenate(parts) == a2os2a.scores_first(q, k, v, "causal")).all()
    assert not state.saturated


def test_open_sequence_of_each_step():
    """Every step begins with an empty state, and one that saturates sets the flag."""
    keys = {"tokens": 3, "head_dim": 2, "k_bits": 2, "mask": "causal", "length": "open"}
    config = A2OS2A(**keys, steps=3)
    q, k, v = random_operands(config, 3)
    expected = [a2os2a.scores_first(*step, "causal") for step in zip(q, k, v, strict=True)]
    assert (a2os2a.run(config, q, k, v) == np.stack(expected)).all()
    ones = np.ones((3, 8, 2), np.int64)
    fills = np.array([0, 3, 1])[:, None, None]
    assert a2os2a.run_and_saturate(config, ones, fills * ones, ones)[1]
    assert not a2os2a.run_and_saturate(config, ones, fills % 3 * ones, ones)[1]


def test_running_state_saturates_and_says_so():
    config = A2OS2A(tokens=3, head_dim=2, k_bits=2, mask="causal", length="open")
    bound = 2 ** (config.state_bits - 1) - 1  # 15 where three tokens of 3 reach 9
    ones = np.ones((8, 2), np.int64)
    state = a2os2a.RunningState(config)
    output = state.answer(ones, 3 * ones, ones)
    assert output[:, 0].tolist() == [min(6 * n, 2 * bound) for n in range(1, 9)]
    assert state.saturated
    exact = a2os2a.RunningState(config)
    exact.answer(ones[:5], 3 * ones[:5], ones[:5])
    assert not exact.saturated


@pytest.mark.parametrize("power", [15, pytest.param(20, marks=pytest.mark.slow)])
def test_a_million_tokens_without_a_wrap(power):
    """Random signs over 2**20 tokens, and one element of equal ones: the state stays exact."""
    config = A2OS2A(tokens=2**power, head_dim=64, mask="causal", length="open")
    assert config.state_bits == 8 + power + 1
    rng = np.random.default_rng(1)
    state = a2os2a.RunningState(config)
    total = np.zeros((64, 64), np.int64)
    portion = 2**14
    q = (rng.random((portion, 64)) < 0.2).astype(np.int64)
    k = rng.integers(0, 256, (portion, 64))
    v = rng.integers(-1, 2, (portion, 64))
    k[:, 0], v[:, 0] = config.k_max, 1  # one element grows by the most there is
    grown = (k.T.astype(float) @ v).astype(np.int64)
    for _ in range(2**power // portion):
        output = state.answer(q, k, v)
        total += grown
        assert (output[-1] == q[-1] @ total).all()
    assert (state.state == total).all()
    assert state.state[0, 0] == 2**power * 255
    assert not state.saturated


GOOD = {"q": np.zeros((3, 2), int), "k": np.zeros((3, 2), int), "v": np.zeros((3, 2), int)}


@pytest.mark.parametrize(
    ("operand", "value", "message"),
    [
        ("k", -1, r"k\[1, 0\] = -1 is not allowed; values must be 0..255"),
        ("k", 256, r"k\[1, 0\] = 256 is not allowed"),
        ("v", 2, r"v\[1, 0\] = 2 is not allowed; values must be -1..1"),
        ("q", 2, r"q\[1, 0\] = 2 is not allowed; values must be 0..1"),
    ],
)
def test_values_out_of_range(operand, value, message):
    operands = {name: tensor.copy() for name, tensor in GOOD.items()}
    operands[operand][1, 0] = value
    with pytest.raises(InputError, match=message):
        a2os2a.run(A2OS2A(tokens=3, head_dim=2), **operands)


@pytest.mark.parametrize("operand", ["q", "k", "v"])
def test_floats_and_shapes_are_refused(operand):
    config = A2OS2A(tokens=3, head_dim=2)
    with pytest.raises(InputError, match=f"{operand} must hold integers, not float64"):
        a2os2a.run(config, **GOOD | {operand: GOOD[operand].astype(float)})
    with pytest.raises(InputError, match=f"{operand} has shape"):
        a2os2a.run(config, **GOOD | {operand: np.zeros((3, 3), int)})


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"acc_bits": 12}, "acc_bits = 12 .* at least 13"),
        ({"lanes": 3}, "lanes = 3 .* divisor"),
        ({"length": "open"}, "length"),
        ({"length": "open", "mask": "causal", "order": "qk"}, "length"),
        ({"order": "qk", "tokens": 5000}, "order"),
        ({"k_bits": 17}, "k_bits"),
        ({"tokens": 0}, "tokens"),
    ],
)
def test_bad_keys(keys, message):
    with pytest.raises(InputError, match=message):
        A2OS2A(**{"tokens": 2, "head_dim": 8} | keys)
