"""Operands at the edges: a difference of 1 in the sums changes many outputs."""

import numpy as np
import pytest

from spikeloom.contract import Core
from spikeloom.cores import all_cores

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


def test_which_cores_have_edges():
    having = [name for name, one in all_cores().items() if one.edge_operands != Core.edge_operands]
    assert sorted(having) == sorted(CASES)
