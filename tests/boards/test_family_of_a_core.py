"""Whatever synthesises a core for an FPGA family builds it for that family."""

import numpy as np
import pytest

from spikeloom.contract import BenchRow
from spikeloom.cores.spiked import Spiked
from spikeloom.cores.ssa import SSA
from spikeloom.errors import JobError
from spikeloom.export.verilog import to_verilog
from spikeloom.families import FAMILIES, find_part, netlists
from spikeloom_boards.bench import measure
from spikeloom_boards.bench.designs import Design
from spikeloom_boards.boards import BOARDS
from spikeloom_boards.generate import generate_files
from spikeloom_boards.netlist_size import netlist_size
from spikeloom_sim import netlist
from spikeloom_sim.backends.rtl import Netlist
from spikeloom_sim.regression import run_suite

CORE = SSA(tokens=1, head_dim=1, steps=1)


@pytest.fixture
def families(monkeypatch):
    """The families for which cores are built in this test; they are not synthesised."""
    seen = []
    create = SSA.create

    def recording(self):
        component = create(self)
        elaborate = component.elaborate

        def record(platform):
            seen.append(platform)
            return elaborate(platform)

        component.elaborate = record
        return component

    def no_tool(*command, **options):
        raise JobError("no tool runs here")

    monkeypatch.setattr(SSA, "create", recording)
    for module in (measure, netlist):
        monkeypatch.setattr(module, "run_tool", no_tool)
    monkeypatch.setattr("spikeloom_boards.netlist_size.run_tool", no_tool)
    return seen


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
def test_size(family, families):
    with pytest.raises(JobError, match="no tool"):
        netlist_size(CORE, family)
    assert families == [family]


@pytest.mark.parametrize("device", ["hx8k", "ecp5-25f"])
def test_bench(device, families):
    """Place and route of a row; its size is that of `netlist_size`, above."""
    design = Design(SSA, BenchRow("counter", "1x1", device, CORE.as_dict()))
    with pytest.raises(JobError, match="no tool"):
        measure.place(design, [1], lambda step: None)
    assert families == [find_part(device)]


@pytest.mark.long
@pytest.mark.parametrize("kind", netlists())
def test_netlist(kind, families, tmp_path):
    """Netlists that are simulated, by the backend and by the regression."""
    operands = CORE.random_operands(np.random.default_rng(0))
    for run in (
        lambda: Netlist(family=kind).run(CORE, [operands]),
        lambda: run_suite(CORE, netlist=kind, keep=tmp_path),
    ):
        with pytest.raises(JobError, match="no tool"):
            run()
    assert families == 2 * [netlists()[kind].family]


@pytest.mark.parametrize("board", [None, "icebreaker"])
def test_verilog(board, families, tmp_path):
    """Generated Verilog is for any FPGA, the self-test beside it for the board's family."""
    generate_files(CORE, tmp_path / "out", BOARDS[board] if board else None)
    assert families == [None, *([BOARDS[board].family] if board else [])]


@pytest.mark.long
def test_families_differ():
    """A family without memory of LUTs puts the small tables of `spiked` into block RAM."""
    core = Spiked(tokens=2, head_dim=2, steps=4, lanes=1)
    with_luts, without = (
        to_verilog(core, family=FAMILIES[name]).text for name in ("ecp5", "ice40")
    )
    assert with_luts != without
