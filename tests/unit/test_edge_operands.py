"""Operands at the edges: a difference of 1 in the sums changes many outputs."""

import numpy as np
import pytest

from spikeloom.contract import Core
from spikeloom.cores import all_cores
from spikeloom.cores.spiked.golden.phase_code import encode_quotients
from spikeloom.cores.spiked.tables import threshold_log

CASES = {
    "phase_encoder": ("partial beat", "positive spikes only", "64 steps, B near 1"),
    "output_encoder": ("partial block", "one encoder"),
    "spiking_neurons": ("leak 7/8, ternary, soft", "narrow membranes", "thresholds of channels"),
}


@pytest.mark.parametrize(
    ("name", "case"), [(name, case) for name, cases in CASES.items() for case in cases]
)
def test_a_difference_of_one(name, case):
    kind = all_cores()[name]
    core = kind.from_settings(kind.CASES[case])
    item = core.inputs["i"].item
    edges = core.check(core.edge_operands(np.random.default_rng(1)))["i"].astype(int)
    at_random = core.random_operands(np.random.default_rng(1))["i"].astype(int)
    changes = []
    for sums in (edges, at_random):
        found = core.golden(i=sums)["o"]
        moved = [(sums + delta).clip(item.low, item.high) for delta in (1, -1)]
        if name == "output_encoder":  # the first line divides the others
            for one in moved:
                one[0] = sums[0]
        changes.append(max((core.golden(i=one)["o"] != found).mean() for one in moved))
    assert changes[0] > 0.25
    assert changes[1] < 0.1


@pytest.mark.parametrize("case", ["partial block", "one encoder"])
def test_a_small_difference_of_a_logarithm(case):
    """Quotients are at edges: an error of 1/512 of a step changes many codes."""
    kind = all_cores()["output_encoder"]
    core = kind.from_settings(kind.CASES[case])
    offset = threshold_log(core.stage, core.stage.output_gain)
    rng = np.random.default_rng(3)
    changes = []
    for make in (core.edge_operands, core.random_operands):
        sums = [core.check(make(rng))["i"].astype(np.int64) for _ in range(40)]
        codes = [
            [encode_quotients(core.stage, x[1:], abs(x[0]), offset + error) for x in sums]
            for error in (-8, 0, 8)
        ]
        low, right, high = map(np.array, codes)
        changes.append(((low != right) | (high != right)).mean())
    assert changes[0] > 0.5
    assert changes[1] < 0.02


def test_sums_of_zero():
    """Also where a sum of 1 would spike."""
    kind = all_cores()["output_encoder"]
    core = kind.from_settings(kind.CASES["one encoder"])
    rng = np.random.default_rng(4)
    both = set()
    for _ in range(40):
        sums = core.edge_operands(rng)["i"]
        ones = core.golden(i=np.where(sums == 0, 1, sums))["o"]
        both |= {bool(code) for code in ones[sums[1:] == 0]}
        assert not core.golden(i=sums)["o"][sums[1:] == 0].any()
    assert both == {True, False}


@pytest.mark.parametrize("case", ["one lane", "relu", "multipliers of both kinds", "no shift"])
def test_a_difference_of_one_in_a_sum_of_products(case):
    """Sums of one token for each output are at edges: a bias that differs by 1 changes them."""
    kind = all_cores()["int8_linear"]
    core = kind.from_settings(kind.CASES[case])
    rng = np.random.default_rng(2)
    changes = []
    for make in (core.edge_operands, core.random_operands):
        operands = [core.check(make(rng)) for _ in range(20)]
        changes.append(np.mean([outputs_that_change(core, one) for one in operands]))
    assert changes[0] > 0.3
    assert case == "no shift" or changes[1] < changes[0] / 2


def outputs_that_change(core, operands):
    """The share of outputs of which a token changes with a bias that is 1 larger or smaller."""
    y = core.golden(**operands)["y"]
    moved = [operands | {"bias": operands["bias"] + delta} for delta in (1, -1)]
    return np.logical_or(*((core.golden(**one)["y"] != y).any(0) for one in moved)).mean()


@pytest.mark.parametrize("case", ["partial block", "fewest bits, B = 2", "one token"])
def test_winners_of_any_value(case):
    """Every score wins rows, and most scores are beside it."""
    kind = all_cores()["woss"]
    core = kind.from_settings(kind.CASES[case])
    pairs = set()
    for number in range(400):
        for row in core.check(core.edge_operands(np.random.default_rng(number)))["i"]:
            winner = min((score for score in row if score > 0), default=0)
            pairs |= {(int(winner), int(score)) for score in row}
    scores = range(-core.steps, core.steps + 1)
    beside = {(w, s) for w in range(core.steps + 1) for s in scores if s <= 0 or 0 < w <= s}
    if core.tokens == 1:
        beside = {(w, s) for w, s in beside if w == max(s, 0)}
    assert pairs <= beside
    assert len(pairs) > 0.8 * len(beside)


def test_which_cores_have_edges():
    having = [name for name, one in all_cores().items() if one.edge_operands != Core.edge_operands]
    assert sorted(having) == sorted([*CASES, "int8_linear", "woss"])
