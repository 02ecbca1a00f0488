"""Mutants of small cores: the cocotb suite kills them, or they are proved equivalent."""

import pytest

from spikeloom.config import A2OS2AConfig, SpikedConfig, SSAConfig
from spikeloom_sim.mutation import MutantFarm
from spikeloom_sim.simulators import SIMULATORS

# Enough time steps for a fault in any bit of an LFSR to come round to the bits that are drawn.
SSA = {"tokens": 3, "head_dim": 4, "value_dim": 2, "cells": 3, "bits": 2, "mask": "causal"}
SSA["steps"] = 9

# So few words of the state that events meet their word on the way back to it.
STATE = {"tokens": 4, "head_dim": 4, "value_dim": 2, "lanes": 2, "k_bits": 3, "order": "kv"}
SCORES = {"tokens": 4, "head_dim": 4, "value_dim": 6, "lanes": 2, "k_bits": 3, "order": "qk"}

CONFIGS = {
    "spikes": SSAConfig(**SSA),
    "values": SSAConfig(**SSA, inputs="values", value_bits=3),
    "state first": A2OS2AConfig(**STATE),
    "scores first": A2OS2AConfig(**SCORES, mask="causal"),
    "spiked": SpikedConfig(
        **{"tokens": 4, "head_dim": 3, "value_dim": 2, "steps": 5, "base": 1.5, "lanes": 3},
        **{"encoders": 1, "frac_bits": 8, "log_bits": 3, "mask": "causal", "heads": 12},
    ),
}

pytestmark = pytest.mark.skipif(
    not SIMULATORS["icarus"].available(), reason="icarus is not installed"
)


@pytest.mark.parametrize("inputs", ["spikes", "values"])
def test_sample_of_mutants(inputs, tmp_path):
    _expect_no_survivors(CONFIGS[inputs], tmp_path, count=3, seed=2)


# Survivors that register induction cannot prove equivalent, because it starts from any state, and
# why they are: (1) a bank of Q closed without looking at the stream's valid, which is always high
# there, for the splitter before it holds the rest of the row; (2) a stuck bit in the next index of
# a loop of three, which then counts 0, 3, 2 and still has its last at the right place.
EXPLAINED = {"spikes": 2, "values": 0}


@pytest.mark.slow
@pytest.mark.parametrize("inputs", CONFIGS)
def test_sixty_mutants(inputs, tmp_path):
    _expect_no_survivors(CONFIGS[inputs], tmp_path, 60, seed=1, explained=EXPLAINED[inputs])


def _expect_no_survivors(config, folder, count, seed, explained=0):
    mutants = MutantFarm(config, folder).hunt(count, seed)
    survivors = [mutant.fault for mutant in mutants if mutant.verdict == "survived"]
    assert len(mutants) >= 0.9 * count  # Yosys passes over faults it has listed already
    assert len(survivors) <= explained, survivors
