"""The family Gowin: its PLL, models of its block RAM, a bitstream."""

import json

import numpy as np
import pytest

import spikeloom
from spikeloom.cores.ssa import SSA
from spikeloom.families import FAMILIES
from spikeloom.tools import locate
from spikeloom_boards.boards import find_board
from spikeloom_boards.build import Build, build
from spikeloom_sim.backends import Netlist

GOWIN = FAMILIES["gowin"]


@pytest.mark.parametrize("f_in", [12e6, 27e6, 50e6])
@pytest.mark.parametrize("mhz", [6.75, 27, 36, 48, 54, 60.75, 75, 81, 108, 250])
def test_pll(f_in, mhz):
    """A frequency is exact within the limits of the data sheets, or refused."""
    pll = GOWIN.pll(f_in, mhz * 1e6)
    ratios = {(a, b) for a in range(1, 65) for b in range(1, 65) if f_in * b == mhz * 1e6 * a}
    ratios = {(a, b) for a, b in ratios if 3e6 <= f_in / a <= 400e6}
    assert (pll is None) == (not ratios)
    if pll:
        assert (pll.in_div, pll.fb_div) in ratios
        assert 500e6 <= mhz * 1e6 * pll.out_div <= 1200e6


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("a2os2a", {"tokens": 4, "head_dim": 8}),
        pytest.param("spiked", {"tokens": 4, "head_dim": 4, "steps": 8}, marks=pytest.mark.long),
        pytest.param("ssa", {"tokens": 4, "head_dim": 8, "steps": 4}, marks=pytest.mark.slow),
        pytest.param("a2os2a", {"tokens": 16, "head_dim": 32, "lanes": 8}, marks=pytest.mark.slow),
    ],
)
def test_netlist(name, keys, icarus):
    core = spikeloom.core(name, **keys)
    operands = core.random_operands(np.random.default_rng(0))
    run = spikeloom.run(core, backend=Netlist(icarus, family="gowin"), **operands)
    assert run.mismatches == 0
    assert run.cycles == core.cycles(**operands)


@pytest.mark.long
@pytest.mark.parametrize("board", ["tang-nano-9k", "tang-nano-20k"])
def test_build(board, tmp_path):
    if locate(GOWIN.PLACER) is None:
        pytest.skip("nextpnr for Gowin is not installed: pip install 'spikeloom[gowin]'")
    core, target = SSA(tokens=8, head_dim=8, steps=4), find_board(board)
    report = build(Build(core, target, target.frequency), tmp_path / "out")
    assert report.timing_met
    assert {*(tmp_path / "out" / "spikeloom.fs").read_text()} == {*"01\n"}
    assert json.loads((tmp_path / "out" / "report.json").read_text())["cells"] == report.cells
