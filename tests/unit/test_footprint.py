"""Memory of golden models: foretold before they run, and refused beyond what the machine has."""

import tracemalloc

import numpy as np
import pytest

from spikeloom.catalog import CORES
from spikeloom.errors import InputError
from spikeloom_sim import footprint, memory
from spikeloom_sim.adapters import adapter
from spikeloom_sim.backends import run_golden, run_rtl

LONG = {
    "ssa values": {"tokens": 16, "head_dim": 16, "steps": 1500, "inputs": "values"},
    "ssa own": {"tokens": 16, "head_dim": 16, "steps": 1500, "inputs": "values", "random": "own"},
    "ssa spikes": {"tokens": 64, "head_dim": 16, "steps": 400},
    "ssa sampled": {"tokens": 64, "head_dim": 64, "steps": 400, "engine": "sampled"},
    "a2os2a": {"tokens": 64, "head_dim": 64, "steps": 300},
    "a2os2a qk": {"tokens": 1500, "head_dim": 4, "order": "qk"},
    "a2os2a_block": {"tokens": 64, "head_dim": 16, "steps": 300},
    "spiked": {"tokens": 500, "head_dim": 4},
}


@pytest.mark.parametrize("case", LONG)
def test_estimates_hold(case):
    """The model takes no more than foretold, and what grows with the run is no wild guess."""
    core = case.split()[0]
    config = CORES[core].config(**LONG[case])
    operands = adapter(core).random_operands(config, np.random.default_rng(0))
    tracemalloc.start()
    adapter(core).golden(config, *operands)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    grows = footprint.golden_bytes(config) - footprint.MODEL
    assert peak < footprint.golden_bytes(config)
    assert grows / 4 < peak < 4 * grows + footprint.MODEL


def test_refused_before_it_is_computed(monkeypatch):
    config = CORES["ssa"].config(tokens=64, head_dim=64, steps=2**24, inputs="values")
    for run in (run_golden, run_rtl):
        with pytest.raises(InputError) as refused:
            run(config, [None] * 10_000)  # operands are not looked at
        told = str(refused.value)
        assert "steps = 16777216 takes about" in told
        assert "TB of memory and" in told
        assert "reduce steps or tokens" in told
        assert len(told.splitlines()) == 1


@pytest.mark.parametrize("core", CORES)
def test_every_core_is_measured_against_the_memory(core, monkeypatch):
    config = CORES[core].config(tokens=4, head_dim=4)
    operands = adapter(core).random_operands(config, np.random.default_rng(0))
    run_golden(config, [operands])
    monkeypatch.setattr(memory, "available_memory", lambda: 1e6)
    with pytest.raises(InputError, match=f"the golden model of {core} with tokens = 4"):
        run_golden(config, [operands])
    with pytest.raises(InputError, match=f"a simulation of 1 x {core} with tokens = 4"):
        run_rtl(config, [operands])
