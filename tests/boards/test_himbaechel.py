"""Families of nextpnr-himbaechel, Gowin and GateMate: PLLs, models of block RAM, bitstreams."""

import json

import numpy as np
import pytest

import spikeloom
from spikeloom.cores.ssa import SSA
from spikeloom.families import FAMILIES
from spikeloom.networks.network import network_core
from spikeloom.tools import locate
from spikeloom_boards.boards import BOARDS, find_board
from spikeloom_boards.build import Build, build
from spikeloom_cli.main import main
from spikeloom_sim.backends import Netlist

from ..networks.random_network import random_network

GOWIN, GATEMATE = FAMILIES["gowin"], FAMILIES["gatemate"]
MHZ = [6.75, 27, 36, 48, 54, 60.75, 75, 81, 108, 250]


@pytest.mark.parametrize("f_in", [12e6, 27e6, 50e6])
@pytest.mark.parametrize("mhz", MHZ)
def test_gowin_pll(f_in, mhz):
    """A frequency is exact within the limits of the data sheets, or refused."""
    pll = GOWIN.pll(f_in, mhz * 1e6)
    ratios = {(a, b) for a in range(1, 65) for b in range(1, 65) if f_in * b == mhz * 1e6 * a}
    ratios = {(a, b) for a, b in ratios if 3e6 <= f_in / a <= 400e6}
    assert (pll is None) == (not ratios)
    if pll:
        assert (pll.in_div, pll.fb_div) in ratios
        assert 500e6 <= mhz * 1e6 * pll.out_div <= 1200e6


@pytest.mark.parametrize("f_in", [10e6, 25e6, 48e6])
@pytest.mark.parametrize("mhz", [*MHZ, 33.3])
def test_gatemate_pll(f_in, mhz):
    """Exact for an oscillator in its range and the dividers of place and route, or refused."""
    oscillators = [2 * f_in * n for n in range(1, 251) if 1250e6 < 2 * f_in * n <= 2500e6]
    dividers = {2, *(4 * n for n in range(1, 1000))}
    possible = any(osc / 2 == mhz * 1e6 * n for osc in oscillators for n in dividers)
    pll = GATEMATE.pll(f_in, mhz * 1e6)
    assert (pll is not None) == possible
    if pll:
        assert (pll.f_in, pll.f_out) == (f_in / 1e6, mhz)
    assert GATEMATE.pll(60e6, 60e6) is None
    assert GATEMATE.pll(10e6, 420e6) is None


LONG, SLOW = pytest.mark.long, pytest.mark.slow


@pytest.mark.parametrize(
    ("family", "name", "keys"),
    [
        pytest.param("gowin", "a2os2a", {"tokens": 4, "head_dim": 8}, marks=LONG),
        pytest.param("gowin", "spiked", {"tokens": 4, "head_dim": 4, "steps": 8}, marks=LONG),
        pytest.param("gowin", "ssa", {"tokens": 4, "head_dim": 8, "steps": 4}, marks=SLOW),
        pytest.param(
            "gowin", "a2os2a", {"tokens": 16, "head_dim": 32, "lanes": 8}, marks=SLOW, id="larger"
        ),
        pytest.param("gatemate", "a2os2a", {"tokens": 4, "head_dim": 8}, marks=LONG),
        pytest.param("gatemate", "spiked", {"tokens": 4, "head_dim": 4, "steps": 8}, marks=SLOW),
        pytest.param("gatemate", "ssa", {"tokens": 4, "head_dim": 8, "steps": 4}, marks=SLOW),
        pytest.param(
            *("gatemate", "ssa", {"tokens": 4, "head_dim": 8, "steps": 4, "engine": "sampled"}),
            marks=LONG,
            id="sampled",
        ),
        pytest.param(
            *("gatemate", "a2os2a", {"tokens": 16, "head_dim": 32, "lanes": 8}),
            marks=SLOW,
            id="larger",
        ),
    ],
)
def test_netlist(family, name, keys, icarus):
    core = spikeloom.core(name, **keys)
    operands = core.random_operands(np.random.default_rng(0))
    run = spikeloom.run(core, backend=Netlist(icarus, family=family), **operands)
    assert run.mismatches == 0
    assert run.cycles == core.cycles(**operands)


SMALL = {"image": (4, 6, 2), "patch": (2, 3), "dims": 4, "hidden": 3, "classes": 3, "blocks": 1}


@pytest.mark.parametrize(
    "family", [pytest.param("gowin", marks=LONG), pytest.param("gatemate", marks=SLOW)]
)
def test_netlist_of_a_network(family, icarus):
    """The engine, whose memories have contents."""
    network = network_core(random_network(**SMALL, name="small-net"))
    core = network.from_settings({"lanes": 4})
    operands = core.random_operands(np.random.default_rng(0))
    run = spikeloom.run(core, backend=Netlist(icarus, family=family), **operands)
    assert run.mismatches == 0
    assert run.cycles == core.cycles(**operands)


@pytest.mark.parametrize("board", ["tang-nano-9k", "gatemate-a1-evb"])
def test_tools_that_are_missing(board, tmp_path, monkeypatch, capsys):
    """One line with the command that installs them, before anything is done."""
    monkeypatch.setattr("spikeloom.tools.shutil.which", lambda *command, **options: None)
    assert main(["build", "ssa", "--board", board, "-o", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    family = find_board(board).family
    assert f"{family.PLACER} is missing; install it with: pip install {family.PACKAGE}" in error
    assert len(error.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "board",
    [
        pytest.param(name, marks=LONG if board.family is GOWIN else SLOW)
        for name, board in BOARDS.items()
        if board.family in (GOWIN, GATEMATE)
    ],
)
def test_build(board, tmp_path):
    target = find_board(board)
    family = target.family
    if locate(family.PLACER) is None:
        pytest.skip(f"place and route is not installed: pip install 'spikeloom[{family.NAME}]'")
    core = SSA(tokens=8, head_dim=8, steps=4)
    report = build(Build(core, target, target.frequency, name="mine"), tmp_path / "out")
    assert report.timing_met
    assert report.bitstream == f"mine.{family.BITSTREAM}"
    bitstream = (tmp_path / "out" / report.bitstream).read_bytes()
    assert len(bitstream) > 10_000
    assert family is not GOWIN or {*bitstream.decode()} == {*"01\n"}
    assert json.loads((tmp_path / "out" / "report.json").read_text())["cells"] == report.cells
