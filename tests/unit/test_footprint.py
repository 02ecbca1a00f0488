"""Memory of golden models: estimated before a run, and refused if the machine has less."""

import tracemalloc

import numpy as np
import pytest

from spikeloom import footprint, memory
from spikeloom.backend import Golden
from spikeloom.cores import all_cores, find_core
from spikeloom.cores.attention import AttentionShape
from spikeloom.cores.ssa import SSA
from spikeloom.errors import InputError
from spikeloom_sim.backends import RTL

from ..runs import run_golden, run_rtl

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
    """The model uses at most the estimate, and the estimate is not far above it."""
    core = case.split()[0]
    config = find_core(core).from_settings(LONG[case])
    operands = config.random_operands(np.random.default_rng(0))
    tracemalloc.start()
    config.golden(**operands)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    grows = config.golden_bytes()
    assert peak < grows + footprint.MODEL
    assert grows / 4 < peak < 4 * grows + footprint.MODEL


def test_refused_before_it_is_computed(monkeypatch):
    config = SSA(tokens=64, head_dim=64, steps=2**24, input_kind="values")
    for backend in (Golden(), RTL()):
        with pytest.raises(InputError) as refused:
            backend.run(config, [{}] * 10_000)  # operands are not looked at
        message = str(refused.value)
        assert "steps = 16777216 takes about" in message
        assert "TB of memory and" in message
        assert "reduce steps or tokens" in message
        assert len(message.splitlines()) == 1


ATTENTION = [name for name, core in all_cores().items() if issubclass(core, AttentionShape)]


@pytest.mark.parametrize("core", ATTENTION)
def test_every_core_is_measured_against_the_memory(core, monkeypatch):
    config = find_core(core).from_settings({"tokens": 4, "head_dim": 4})
    operands = config.random_operands(np.random.default_rng(0))
    run_golden(config, [operands])
    monkeypatch.setattr(memory, "available_memory", lambda: 1e6)
    with pytest.raises(InputError, match=f"the golden model of {core} with tokens = 4"):
        run_golden(config, [operands])
    with pytest.raises(InputError, match=f"a simulation of 1 x {core} with tokens = 4"):
        run_rtl(config, [operands])
