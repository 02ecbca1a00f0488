"""RTL of `int8_linear` against its golden model, bit for bit, and its netlists with DSP blocks."""

import re

import numpy as np
import pytest

from spikeloom.cores.int8_linear import Int8Linear
from spikeloom.export.verilog import to_verilog
from spikeloom.families import find_part
from spikeloom_boards.netlist_size import netlist_size
from spikeloom_sim.backends import RTL
from spikeloom_sim.regression import regression_configs, run_suite

from .suite_cases import suite_cases

CONFIGS = regression_configs("int8_linear")
SMALL = Int8Linear(tokens=4, input_dim=10, output_dim=7, lanes=5, logic_lanes=1, scale_bits=6)


@pytest.mark.parametrize(("name", "simulator"), suite_cases(CONFIGS, first=1))
def test_suite(name, simulator):
    """Every configuration on both simulators: cycles, full speed, stalls, extremes, reset."""
    result = run_suite(CONFIGS[name], simulator=simulator)
    assert result.failures == 0, f"see {result.folder}"
    assert result.tests >= 6


@pytest.mark.long
@pytest.mark.parametrize(
    ("device", "blocks"),
    [
        *(("ecp5-25f", ["MULT18X18D"] * 4), ("up5k", ["SB_MAC16"] * 2), ("hx8k", [])),
        *(("gw1nr-9c", ["MULT9X9"] * 4), ("ccgm1a1", ["CC_MULT"] * 4)),
    ],
)
def test_netlist(device, blocks, icarus, tmp_path):
    """The synthesised netlist passes the same suite. Of five lanes one is made of logic; four take
    a DSP block each, or two a block, or are made of logic too. On other families synthesis
    chooses."""
    part = find_part(device)
    module = to_verilog(SMALL, family=part)
    family = part.family.NAME
    result = run_suite(SMALL, simulator=icarus, netlist=family, module=module, keep=tmp_path)
    assert result.failures == 0, f"see {result.folder}"
    netlist = (tmp_path / "cells.v").read_text()
    assert re.findall(r"^  (MULT\w+|SB_MAC16|CC_MULT)\b", netlist, re.M) == blocks


@pytest.mark.long
@pytest.mark.parametrize(
    ("device", "lanes", "logic_lanes", "dsps"),
    [("ecp5-25f", 22, 0, 22), ("ecp5-25f", 64, 58, 6), ("up5k", 16, 0, 8), ("hx8k", 4, 0, 0)],
)
def test_size(device, lanes, logic_lanes, dsps):
    """DSP blocks and block RAMs of the documentation's rows; none of the blocks in a rounding."""
    config = Int8Linear(tokens=49, input_dim=64, lanes=lanes, logic_lanes=logic_lanes)
    part = find_part(device)
    size = netlist_size(config, part)
    assert size.dsps == dsps
    assert size.block_rams <= part.device.block_rams


@pytest.mark.long
@pytest.mark.parametrize(
    "shape",
    [
        {"input_dim": 64, "lanes": 16},
        {"input_dim": 64, "output_dim": 128, "lanes": 64, "activation": "relu"},
        {"input_dim": 128, "output_dim": 64, "lanes": 26},
    ],
)
def test_layers_of_a_transformer(shape):
    """Outputs and cycles of the layers of the documentation, with one bank of weights too."""
    for banks in (1, 2):
        config = Int8Linear(tokens=49, weight_banks=banks, **shape)
        runs = [config.random_operands(np.random.default_rng(n)) for n in range(2)]
        for operands, run in zip(runs, RTL().run(config, runs), strict=True):
            assert np.array_equal(run.outputs["y"], config.compute(**operands)["y"])
            assert run.cycles == config.cycles()
