"""The device's pins against a third-party UART model."""

import json

import pytest

from spikeloom.cores.ssa import SSA
from spikeloom.export.verilog import component_to_verilog
from spikeloom.link.linked_core import LinkedCore
from spikeloom.link.protocol import DEFAULT_BAUD
from spikeloom_boards.driver.golden_port import DIVISOR, GoldenPort
from spikeloom_sim.backends.rtl import build_simulation
from spikeloom_sim.simulators.cocotb_run import run_cocotb

from .ports import RecordingPort
from .test_sim_port import session

CONFIG = SSA(tokens=4, head_dim=8, steps=2)


@pytest.mark.long
def test_session_with_cocotbext_uart(tmp_path):
    port = RecordingPort(GoldenPort(CONFIG))
    session(port, (1, 2))
    transcript = tmp_path / "transcript.json"
    transcript.write_text(json.dumps([(way, data.hex()) for way, data in port.transcript]))

    device = LinkedCore(CONFIG, DIVISOR * DEFAULT_BAUD, DIVISOR)
    module = component_to_verilog(device, "device")
    arguments = build_simulation(module, "verilator", tmp_path)
    tests, failures = run_cocotb(
        *("verilator", module.name, tmp_path, "tests.link.pins_bench"),
        environment={"SPIKELOOM_TRANSCRIPT": str(transcript)},
        arguments=arguments,
    )
    assert (tests, failures) == (3, 0), (tmp_path / "simulation.log").read_text()[-2000:]
