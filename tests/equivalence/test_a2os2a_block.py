"""RTL of `a2os2a_block` against its golden model, bit for bit, in Verilog simulators."""

import numpy as np
import pytest

from spikeloom.cores.a2os2a_block import A2OS2ABlock
from spikeloom_sim.regression import regression_configs, run_suite

from ..runs import run_golden, run_rtl
from .suite_cases import suite_cases

CONFIGS = regression_configs("a2os2a_block")


@pytest.mark.parametrize(("name", "simulator"), suite_cases(CONFIGS, default=5))
def test_suite(name, simulator):
    """Every configuration on both simulators: cycles, full speed, stalls, extremes, reset."""
    result = run_suite(CONFIGS[name], simulator=simulator)
    assert result.failures == 0, f"see {result.folder}"
    assert result.tests >= 6


@pytest.mark.slow
@pytest.mark.parametrize("family", ["ice40", "ecp5"])
def test_netlist(family, icarus):
    """The synthesised netlist passes the same suite."""
    config = A2OS2ABlock(tokens=3, head_dim=4, lanes=2, steps=3, k_bits=3)
    result = run_suite(config, simulator=icarus, netlist=family)
    assert result.failures == 0, f"see {result.folder}"


@pytest.mark.long
def test_every_pre_activation_of_one_token(icarus):
    """N = D = 1, 3 bits: every q, k, v in both of two steps, against the golden model."""
    config = A2OS2ABlock(
        **{"tokens": 1, "head_dim": 1, "steps": 2, "k_bits": 2, "input_bits": 3, "k_shift": 0},
        **{"q_threshold": 2, "v_threshold": 2, "o_threshold": 3},
    )
    first = np.array(np.meshgrid(*[range(-4, 4)] * 3)).reshape(3, -1).T
    second = np.random.default_rng(0).permutation(first)
    heads = [
        tuple(np.array([[[a[n]]], [[b[n]]]]) for n in range(3))
        for a, b in zip(first, second, strict=True)
    ]
    expected = run_golden(config, heads)
    assert np.array_equal(run_rtl(config, heads, simulator=icarus).outputs, expected)
    assert 0 < expected.mean() < 1


@pytest.mark.long
def test_run_of_a_users_tensors():
    """Cycles follow the formula, for operands with many queries without a spike."""
    settings = {"steps": "3", "order": "qk", "lanes": "2", "q_threshold": "3000"}
    q, k, v = np.random.default_rng(1).integers(-2048, 2048, (3, 3, 6, 8))
    config, heads = A2OS2ABlock.prepare(settings, q=q, k=k, v=v)
    run = run_rtl(config, heads)
    assert np.array_equal(run.outputs, run_golden(config, heads))
    assert run.cycles == [config.cycles(**heads[0])]
