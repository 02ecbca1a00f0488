"""RTL of `int8_softmax` against its golden model, bit for bit, and its netlists with DSP blocks."""

import re

import numpy as np
import pytest

from spikeloom.cores.int8_softmax import Int8Softmax
from spikeloom.export.verilog import to_verilog
from spikeloom.families import find_part
from spikeloom_boards.netlist_size import netlist_size
from spikeloom_sim.regression import regression_configs, run_suite

from ..runs import run_golden, run_rtl
from .suite_cases import suite_cases

CONFIGS = regression_configs("int8_softmax")
SMALL = Int8Softmax(tokens=5, head_dim=4, value_dim=3, lanes=2, shift=9)


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
        *(("ecp5-25f", ["MULT18X18D"] * 4), ("up5k", ["SB_MAC16"] * 3), ("hx8k", [])),
        *(("gw1nr-9c", ["MULT9X9", "MULT9X9", "MULT18X18", "MULT18X18"]), ("ccgm1a1", [])),
    ],
)
def test_netlist(device, blocks, icarus, tmp_path):
    """The synthesised netlist passes the same suite: two multipliers a lane, in a DSP block each,
    two of the scores in one or, where the device has no blocks, in logic. On other families
    synthesis chooses."""
    part = find_part(device)
    module = to_verilog(SMALL, family=part)
    family = part.family.NAME
    result = run_suite(SMALL, simulator=icarus, netlist=family, module=module, keep=tmp_path)
    assert result.failures == 0, f"see {result.folder}"
    netlist = (tmp_path / "cells.v").read_text()
    found = re.findall(r"^  (MULT\w+|SB_MAC16|CC_MULT)\b", netlist, re.M)
    assert found == blocks


@pytest.mark.long
@pytest.mark.parametrize(("device", "dsps"), [("ecp5-25f", 10), ("up5k", 8), ("hx8k", 0)])
def test_size(device, dsps):
    """Two DSP blocks a lane, with their registers inside, or one and a half; none where there are
    none."""
    config = Int8Softmax(tokens=64, head_dim=64, lanes=5)
    part = find_part(device)
    size = netlist_size(config, part)
    assert size.dsps == dsps
    assert size.dsps <= part.device.dsps
    assert size.block_rams <= part.device.block_rams


@pytest.mark.long
@pytest.mark.parametrize(
    "shape", [{"tokens": 64, "head_dim": 64, "lanes": 13}, {"tokens": 49, "head_dim": 32}]
)
def test_vision_shape(shape):
    """Outputs and cycles of the shapes of the documentation, for soft and for sharp weights."""
    for shift in (9, 13):
        config = Int8Softmax(shift=shift, **shape)
        heads = [config.random_operands(np.random.default_rng(shift))]
        run = run_rtl(config, heads)
        assert np.array_equal(run.outputs, run_golden(config, heads))
        assert run.cycles == [config.cycles()]
