"""The loader of a flash memory against a third-party model of one."""

import json
import shutil
from importlib.util import find_spec

import numpy as np
import pytest

from spikeloom.export.verilog import component_to_verilog
from spikeloom.link.flash_loader import FlashContents, FlashLoader
from spikeloom.link.frames import FrameDecoder
from spikeloom.link.linked_core import LinkedCore
from spikeloom.link.protocol import DEFAULT_BAUD, LAST, Command
from spikeloom.networks.network import network_core
from spikeloom_boards.driver import Device, NoAnswerError
from spikeloom_boards.driver.sim_port import SimPort
from spikeloom_sim.simulators import SIMULATORS
from spikeloom_sim.simulators.cocotb_run import run_cocotb
from tests.link.ports import KeptPort, RecordingPort
from tests.networks.random_network import random_network

SIZES = {"image": (4, 6, 1), "patch": (2, 3), "dims": 4, "hidden": 4, "classes": 3, "blocks": 0}
GRAPH = random_network(**SIZES, name="flash-net")
CORE = network_core(GRAPH)(lanes=4, weights="loaded")
ADDRESS, HZ = 0x012300, 1_000_000
WRAPPER = """
module board(
  input clk, rst, o_ready, output sck, busy, loaded, o_valid, o_last, output [15:0] o_data);
  wire cs, copi;
  wire [3:0] io;
  assign (weak0, weak1) io[0] = copi;
  qspi_flash #(.MEM_DEPTH(1 << 17)) flash(.clk(sck), .csb(~cs), .io(io));
  loader loader(
    .clk(clk), .rst(rst), .cs(cs), .sck(sck), .copi(copi), .cipo(io[1]), .busy(busy),
    .loaded(loaded), .o__valid(o_valid), .o__ready(o_ready), .o__payload({o_last, o_data}));
  initial begin
    #1 $readmemh("flash.hex", flash.memory);
    flash.powered_up = 0;
  end
endmodule
"""


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
@pytest.mark.skipif(find_spec("cocotbext.qspi") is None, reason="cocotbext-qspi is not installed")
@pytest.mark.parametrize("changed", [False, True])
def test_loader_with_cocotbext_qspi(changed, tmp_path):
    """The memory sleeps at first. With other contents, which the hash tells, nothing is sent."""
    from cocotbext.qspi import verilog_dir

    beats = np.random.default_rng(1).integers(0, 1 << 16, 50).astype("<u2")
    contents = FlashContents("weights", beats.tobytes(), 2)
    other = FlashContents("weights", beats[::-1].tobytes(), 2)
    lines = [
        f"@{ADDRESS:x}",
        *(f"{byte:02x}" for byte in (other if changed else contents).to_bytes()),
    ]
    (tmp_path / "flash.hex").write_text("\n".join(lines) + "\n")
    expected = [] if changed else [[int(beat), n == 49] for n, beat in enumerate(beats)]
    (tmp_path / "beats.json").write_text(json.dumps(expected))

    module = component_to_verilog(FlashLoader(contents, ADDRESS, HZ), "loader")
    (tmp_path / "loader.v").write_text(module.text)
    (tmp_path / "board.v").write_text(WRAPPER)
    sources = [verilog_dir() / "qspi_flash.v", tmp_path / "loader.v", tmp_path / "board.v"]
    SIMULATORS["icarus"].build(sources, "board", [], tmp_path)
    tests, failures = run_cocotb(
        *("icarus", "board", tmp_path, "tests.link.flash_bench"),
        environment={"SPIKELOOM_BEATS": str(tmp_path / "beats.json")},
    )
    assert (tests, failures) == (1, 0), (tmp_path / "simulation.log").read_text()[-2000:]


DEVICE = """
module device(input clk, rst, rx, output tx);
  wire cs, sck, copi;
  reg [7:0] memory [0:(1 << 17) - 1];
  reg [31:0] command = 0;
  integer bits = 0;
  wire [23:0] addr = command[23:0] + ((bits - 32) >> 3);
  linked linked(
    .clk(clk), .rst(rst), .rx(rx), .tx(tx), .cs(cs), .sck(sck), .copi(copi),
    .cipo(cipo));
  reg cipo;
  always @(negedge sck) cipo <= memory[addr[16:0]][7 - bits[2:0]];
  always @(posedge sck or negedge cs)
    if (!cs) bits <= 0;
    else begin
      bits <= bits + 1;
      if (bits < 32) command <= {command[30:0], copi};
    end
  initial begin
CONTENTS
  end
endmodule
"""


class FlashPort(SimPort):
    """A simulated device with a flash memory that holds `data`."""

    def __init__(self, config, data):
        self._data = data
        super().__init__(config)

    def _verilog(self, config):
        linked = LinkedCore(config, self._hz, self.divisor, ADDRESS)
        lines = [f"memory[{ADDRESS + n}] = {byte};" for n, byte in enumerate(self._data)]
        device = DEVICE.replace("CONTENTS", "\n".join(lines))
        return component_to_verilog(linked, "linked").text + device


@pytest.mark.long
@pytest.mark.parametrize("right", [True, False])
def test_device_with_flash(right):
    """The first run follows at once; the host loads weights only where the memory has others."""
    data = FlashContents.of(CORE).to_bytes()
    port = RecordingPort(FlashPort(CORE, data if right else data[::-1]))
    port.let_pass(100 + 8 * 4 * len(data) + round(60e-6 * port.divisor * DEFAULT_BAUD))
    try:
        with Device(port) as device:
            operands = CORE.random_operands(np.random.default_rng(1))
            run = device.run(**operands)
    finally:
        port.close()
    for name, expected in CORE.compute(**operands).items():
        assert np.array_equal(run.outputs[name], expected)
    decoder = FrameDecoder()
    written = [
        content[2] & ~LAST
        for way, sent in port.transcript
        if way == ">"
        for content in decoder.feed(sent)
        if content[1] == Command.WRITE
    ]
    assert set(written) == ({0} if right else {0, 1})


class AbandonedPort(RecordingPort):
    """Loses its host when that asks for results, while `lost`."""

    lost = False

    def write(self, data):
        if self.lost and any(x[1] == Command.READ for x in FrameDecoder().feed(data)):
            raise NoAnswerError("the host is gone")
        super().write(data)


@pytest.mark.long
def test_reset_while_results_wait():
    """No output of a run that was given up, and fills the queue, is among those of the next one."""
    graph = random_network(**SIZES | {"classes": 256}, name="many-classes")
    core = network_core(graph)(lanes=4, weights="loaded")
    simulated = FlashPort(core, FlashContents.of(core).to_bytes())
    port = AbandonedPort(KeptPort(simulated))
    operands = core.random_operands(np.random.default_rng(2))
    port.let_pass(200_000)
    try:
        port.lost = True
        with pytest.raises(NoAnswerError), Device(port) as device:
            device.run(**operands)
        port.lost = False
        port.let_pass(100_000)
        with Device(port) as device:
            run = device.run(**operands)
    finally:
        simulated.close()
    for name, expected in core.compute(**operands).items():
        assert np.array_equal(run.outputs[name], expected)
