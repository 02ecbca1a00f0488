"""Mutants of small `ssa` cores: the cocotb suite kills them, or they are proved equivalent."""

import pytest

from spikeloom.config import SSAConfig
from spikeloom_sim.mutation import MutantFarm
from spikeloom_sim.simulators import SIMULATORS

SHAPE = {"tokens": 3, "head_dim": 4, "value_dim": 2, "cells": 3, "bits": 2, "mask": "causal"}

# Enough time steps for a fault in any bit of an LFSR to come round to the bits that are drawn.
STEPS = 9

CONFIGS = {
    "spikes": SSAConfig(**SHAPE, steps=STEPS),
    "values": SSAConfig(**SHAPE, steps=STEPS, inputs="values", value_bits=3),
}

pytestmark = pytest.mark.skipif(
    not SIMULATORS["icarus"].available(), reason="icarus is not installed"
)


@pytest.mark.parametrize("inputs", CONFIGS)
def test_sample_of_mutants(inputs, tmp_path):
    _expect_no_survivors(CONFIGS[inputs], tmp_path, count=3, seed=2)


@pytest.mark.slow
@pytest.mark.parametrize("inputs", CONFIGS)
def test_sixty_mutants(inputs, tmp_path):
    _expect_no_survivors(CONFIGS[inputs], tmp_path, count=60, seed=1)


def _expect_no_survivors(config, folder, count, seed):
    mutants = MutantFarm(config, folder).hunt(count, seed)
    assert len(mutants) == count
    assert [mutant.fault for mutant in mutants if mutant.verdict == "survived"] == []
