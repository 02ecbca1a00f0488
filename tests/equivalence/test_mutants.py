"""Mutants of small cores: each is killed by the cocotb suite or proved equivalent."""

import pytest

from spikeloom.cores.a2os2a import A2OS2A
from spikeloom.cores.spiked import Spiked
from spikeloom.cores.ssa import SSA
from spikeloom_sim.mutation import MutantFarm
from spikeloom_sim.simulators import SIMULATORS

# Enough time steps for a fault in any bit of an LFSR to reach the bits that are drawn.
COUNTER = {"tokens": 3, "head_dim": 4, "value_dim": 2, "cells": 3, "bits": 2, "mask": "causal"}
COUNTER["steps"] = 9

# Three columns of V, so that its corner turn repeats more than one row.
SAMPLED = {"tokens": 3, "head_dim": 4, "value_dim": 3, "mask": "causal", "engine": "sampled"}
SAMPLED |= {"steps": 9, "random": "own"}

# So few state words that an event can read a word whose update is still in the pipeline.
STATE = {"tokens": 4, "head_dim": 4, "value_dim": 2, "lanes": 2, "k_bits": 3, "order": "kv"}
SCORES = {"tokens": 4, "head_dim": 4, "value_dim": 6, "lanes": 2, "k_bits": 3, "order": "qk"}

# Few steps and bits, so that every entry of every table is used; enough dimensions and heads for
# sums near every threshold.
SPIKED = {"tokens": 5, "head_dim": 6, "value_dim": 2, "steps": 5, "base": 1.5, "lanes": 3}
SPIKED |= {"encoders": 1, "frac_bits": 8, "log_bits": 3, "heads": 16}

CONFIGS = {
    "spikes": SSA(**COUNTER),
    "values": SSA(**COUNTER, input_kind="values", value_bits=3),
    "sampled": SSA(**SAMPLED),
    "state first": A2OS2A(**STATE),
    "scores first": A2OS2A(**SCORES, mask="causal"),
    "spiked": Spiked(**SPIKED, mask="causal"),
}

pytestmark = pytest.mark.skipif(
    not SIMULATORS["icarus"].available(), reason="icarus is not installed"
)


@pytest.mark.long
@pytest.mark.parametrize(("inputs", "seed"), [("spikes", 2), ("sampled", 5)])
def test_sample_of_mutants(inputs, seed, tmp_path):
    _expect_no_survivors(CONFIGS[inputs], tmp_path, count=3, seed=seed)


# Number of mutants, seed, and number of survivors that register induction cannot prove equivalent,
# because it starts from any state. The survivors:
# spikes: (1) a bank of Q closed without looking at the stream's valid, which is always high there,
#   for the splitter before it holds the rest of the row; (2) a stuck bit in the next index of a
#   loop of three, which then counts 0, 3, 2 and still has its last at the right place.
# state first: (1) an index of a loop of four that counts 0, 3, 2, 1 and is used for nothing but its
#   last; (2) the spans left after the next, where a row has only one.
# scores first: whether a key is the last, inverted at every clock: the two chunks of a key invert
#   it back before it counts.
# spiked: (1, 2) an eighth and a 16th of a step in the logarithm of some scores, which may be a
#   third of a step wrong, for the table of thresholds decides (all 1,536 sums tried); (3) a 16th of
#   a step more in the logarithm of 1, (4) a 2,048th in that of some outputs, which change no code
#   of any sum over any normaliser (all 1,280 squared tried); (5) a neuron's place where its step
#   is taken, which happens only where the place has been found admitted.
HUNTS = {
    "spikes": (60, 1, 2),
    "values": (60, 1, 0),
    "sampled": (24, 1, 0),
    "state first": (30, 2, 2),
    "scores first": (44, 1, 1),
    "spiked": (40, 1, 5),
}


@pytest.mark.slow
@pytest.mark.parametrize("inputs", HUNTS)
def test_many_mutants(inputs, tmp_path):
    count, seed, explained = HUNTS[inputs]
    _expect_no_survivors(CONFIGS[inputs], tmp_path, count, seed, explained)


def _expect_no_survivors(config, folder, count, seed, explained=0):
    mutants = MutantFarm(config, folder).hunt(count, seed)
    survivors = [mutant.fault for mutant in mutants if mutant.verdict == "survived"]
    assert len(mutants) >= 0.9 * count  # Yosys skips faults it has already listed
    assert len(survivors) <= explained, survivors
