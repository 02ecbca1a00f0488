"""RTL of `a2os2a` against its golden model, bit for bit, in Verilog simulators."""

import re

import numpy as np
import pytest

from spikeloom.cores.a2os2a import A2OS2A
from spikeloom.export.verilog import to_verilog
from spikeloom.tools import run_tool
from spikeloom_sim.regression import regression_configs, run_suite

from ..runs import run_golden, run_rtl
from .suite_cases import suite_cases

CONFIGS = regression_configs("a2os2a")
ORDERS = ["kv", "qk"]


@pytest.mark.parametrize(("name", "simulator"), suite_cases(CONFIGS))
def test_suite(name, simulator):
    """Every configuration on both simulators: cycles, full speed, stalls, extremes, reset."""
    result = run_suite(CONFIGS[name], simulator=simulator)
    assert result.failures == 0, f"see {result.folder}"
    assert result.tests >= 6


@pytest.mark.long
def test_power_of_two_streams():
    """Streams of 32 and 64 bits that carry 21 and 39: the padding is ignored."""
    config = A2OS2A(tokens=3, head_dim=6, lanes=3, k_bits=7, acc_bits=13)
    module = to_verilog(config, "power-of-two")
    result = run_suite(config, module=module)
    assert result.failures == 0, f"see {result.folder}"
    assert {name: width for name, _, width in module.ports}["m_axis_o_tdata"] == 64


@pytest.mark.long
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("family", ["ice40", "ecp5"])
def test_netlist(family, order, icarus):
    """The synthesised netlist passes the same suite, on the simulator that compiles it quicker."""
    config = A2OS2A(tokens=4, head_dim=4, value_dim=6, lanes=2, k_bits=3, order=order)
    result = run_suite(config, simulator=icarus, netlist=family)
    assert result.failures == 0, f"see {result.folder}"


@pytest.mark.long
def test_netlist_with_output_register(icarus, tmp_path):
    """The same for a state in ECP5 block RAM, whose output register is used."""
    config = A2OS2A(tokens=3, head_dim=16, lanes=2, k_bits=3, order="kv")
    result = run_suite(config, simulator=icarus, netlist="ecp5", keep=tmp_path)
    assert result.failures == 0, f"see {result.folder}"
    assert '.REGMODE_B("OUTREG")' in (tmp_path / "cells.v").read_text()


@pytest.mark.long
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("family", ["ice40", "ecp5"])
@pytest.mark.parametrize(
    "shape",
    [{"tokens": 64, "head_dim": 64}, {"tokens": 8, "head_dim": 6, "value_dim": 9, "lanes": 3}],
    ids=["vision", "odd"],
)
def test_no_netlist_has_a_multiplier(shape, family, order, tmp_path):
    """Neither as a Yosys cell before mapping, nor as a DSP block after it."""
    module = to_verilog(A2OS2A(order=order, **shape))
    (tmp_path / "rtl.v").write_text(module.text)
    script = (
        f"read_verilog rtl.v; hierarchy -top {module.name}; proc; flatten; opt; "
        "tee -o coarse stat; "
        f"synth_{family}{' -dsp' if family == 'ice40' else ''} -top {module.name}; "
        "tee -o mapped stat"
    )
    run_tool("yosys", "-ql", "synthesis.log", "-p", script, cwd=tmp_path)
    coarse, mapped = ((tmp_path / name).read_text() for name in ("coarse", "mapped"))
    assert "$add" in coarse
    assert re.search(r"SB_LUT4|LUT4", mapped)
    assert not re.search(r"\$mul|\$div|\$mod|\$macc", coarse)
    assert not re.search(r"SB_MAC16|MULT18X18D|ALU54B", mapped)


@pytest.mark.long
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "density",
    [pytest.param(1, marks=pytest.mark.slow), 0.2, pytest.param(0.05, marks=pytest.mark.slow)],
)
def test_vision_shape(order, density):
    """N = D = 64 at 64 lanes: outputs and cycles for the densities of the documentation."""
    config = A2OS2A(tokens=64, head_dim=64, lanes=64, order=order)
    rng = np.random.default_rng(6)
    heads = [config.random_operands(rng, density)]
    run = run_rtl(config, heads)
    assert np.array_equal(run.outputs, run_golden(config, heads))
    assert run.cycles == [config.cycles(**heads[0])]


@pytest.mark.slow
def test_ten_thousand_tokens_in_constant_memory():
    """An open causal sequence, token by token, without overflow."""
    config = A2OS2A(tokens=10_000, head_dim=64, lanes=64, mask="causal", length="open")
    rng = np.random.default_rng(8)
    heads = [config.random_operands(rng, 0.05)]
    run = run_rtl(config, heads)
    assert np.array_equal(run.outputs, run_golden(config, heads))
