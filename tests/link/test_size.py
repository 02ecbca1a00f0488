"""Cells used by the link in addition to a core."""

import re

import pytest

from spikeloom.export.verilog import component_to_verilog
from spikeloom.families import find_family
from spikeloom.link.host_link import HostLink
from spikeloom.link.identity import Identity
from spikeloom.tools import run_tool
from spikeloom_boards.boards import find_board
from spikeloom_boards.presets import preset_config
from spikeloom_boards.report import finish_synthesis
from tests.pages import ROOT


@pytest.mark.slow
def test_luts_on_ice40(tmp_path):
    """No more LUT4 than the page says for the ssa preset of the iCEBreaker, and four block RAMs."""
    page = (ROOT / "docs" / "link.md").read_text()
    documented = int(re.search(r"the link takes (\d+) LUT4 and four", page)[1])
    core = preset_config("ssa", find_board("icebreaker"))
    link = HostLink(Identity.of(core, 36_000_000), 36)
    module = component_to_verilog(link, "host_link")
    (tmp_path / "host_link.v").write_text(module.text)
    script = "read_verilog host_link.v; synth_ice40 -top host_link -json host_link.json"
    run_tool("yosys", "-ql", "synthesis.log", "-p", script, cwd=tmp_path)
    found = finish_synthesis(tmp_path / "host_link.json", find_family("ice40"))
    print(found)
    assert found.lut4 <= documented
    assert found.block_rams == 4
