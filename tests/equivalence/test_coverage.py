"""Coverage: bins in the Verilog, what Verilator counts, proofs that a point is unreachable."""

import importlib
import json
import re

import pytest

from spikeloom.cores import all_cores
from spikeloom.errors import JobError
from spikeloom.export.verilog import VerilogModule, to_verilog
from spikeloom_sim.coverage import KINDS, Bin, Coverage, Point, measure, with_bins
from spikeloom_sim.coverage.constants import constants
from spikeloom_sim.coverage.points import read_points
from spikeloom_sim.coverage.reasons import reason_for
from spikeloom_sim.coverage.states import settled_nets
from spikeloom_sim.mutation import mutant_configs
from spikeloom_sim.simulators import Verilator

# Per cent of the points that are not unreachable.
AIMS = {"line": 98, "branch": 98, "bin": 90}

needs_verilator = pytest.mark.skipif(not Verilator.available(), reason="needs Verilator")

COUNTER = """\
module top(
  input clk,
  input rst,
  input step,
  output last
);
  top__count count (
    .clk(clk),
    .last(last),
    .rst(rst),
    .step(step)
  );
endmodule

module top__count(
  input clk,
  input rst,
  input step,
  output last
);
  reg [2:0] n;
  initial n = 3'h0;
  wire [3:0] add_1;
  wire never;
  assign add_1 = n + 1'h1;
  assign last = n == 3'h4;
  assign never = last & (n == 3'h3);
  always @(posedge clk)
    if (rst) n <= 3'h0;
    else if (step) n <= last ? 3'h0 : add_1[2:0];
endmodule
"""
TOP = VerilogModule("top", COUNTER, ())


def quantiser():
    return mutant_configs(all_cores()["relu_quantiser"])["shifts of channels"]


def test_bins_of_a_core():
    """A cover statement for each bin; streams, control and counters have theirs."""
    config = quantiser()
    plain = to_verilog(config)
    module, bins = with_bins(config, plain)
    statements = re.findall(r"(bin_\d+): cover \((.*)\);  // cover$", module.text, re.M)
    assert statements == [(one.label, one.condition) for one in bins]
    whats = {f"{one.group}: {one.what}" for one in bins}
    assert {
        *("streams: input i waits for ready, between outputs", "starts: start, done"),
        *("streams: output o waits for ready, before the first output", "resets: reset, done"),
        *("values: input i has its lowest value", "values: output o has its highest value"),
        *("flags: saturated is counted", "flags: misframed is set"),
        "wraps: spikeloom_relu_quantiser__core_sent: beat ends",
    } <= whats
    without = [line for line in module.text.splitlines() if not line.endswith("// cover")]
    assert without == plain.text.splitlines()


def entry(kind, module, line, label, count, column=3):
    fields = {"f": "top.v", "l": line, "n": column, "page": f"v_{kind}/{module}", "o": label}
    return "C '" + "".join(f"\x01{key}\x02{value}" for key, value in fields.items()) + f"' {count}"


def test_points_of_a_file(tmp_path):
    """Counts of equal points are added; other files and what simulators need are left out."""
    text = "wire a;\nif (!a) begin\nassign b = a ? c[2] ? d : e : f;\nif (at_time_0) begin end\n"
    text += "x: cover (y);  // cover\n"
    lines = [
        "# SystemC::Coverage-3",
        entry("toggle", "m", 1, "a:0->1", 2),
        entry("toggle", "m", 1, "a:0->1", 3),
        entry("toggle", "m", 1, "ram[0][3]:1->0", 1),
        entry("branch", "m", 2, "if", 0),
        entry("branch", "m", 3, "cond_else", 1, 22),
        entry("branch", "m", 4, "if", 0),
        entry("line", "m", 5, "block", 9),
        entry("user", "m", 5, "bin_0", 0),
        entry("toggle", "m", 1, "a:1->0", 7).replace("top.v", "bench.v"),
    ]
    (tmp_path / "coverage.dat").write_text("\n".join(lines))
    found = read_points(
        tmp_path / "coverage.dat", "top.v", text, [Bin("bin_0", "resets", "one", "y")]
    )
    assert found == {
        Point("toggle", "m", "a 0->1", "a", 1): 5,
        Point("toggle", "m", "ram[0][3] 1->0", None, 0): 1,
        Point("branch", "m", "line 2, if: if (!a) begin", "a", 0): 0,
        Point("branch", "m", "line 3, cond_else: assign b = a ? c[2] ? d : e : f;", "c[2]", 0): 1,
        Point("bin", "m", "resets: one"): 0,
    }


def test_proofs_of_unreachable_points(tmp_path):
    """`never` and the carry of a counter to 4 keep 0 by either proof; what changes has none."""
    nets = [("top__count", net) for net in ("add_1[3]", "never", "n[2]", "last", "add_1[0]")]
    settled = settled_nets(TOP, nets, tmp_path / "states")
    assert settled == {("top__count", "add_1[3]"): 0, ("top__count", "never"): 0}
    constant = constants(TOP, nets, tmp_path / "constants")
    assert constant.keys() <= settled.keys()
    assert constant["top__count", "never"] == 0


def test_totals():
    points = [Point("line", "m", str(n)) for n in range(4)]
    found = Coverage("x", dict(zip(points, (1, 0, 0, 5), strict=True)), {points[1]: "proved"}, 1.0)
    assert found.totals("line") == (2, 1, 1)
    assert found.missed == [points[2]]
    assert found.as_dict()["unreachable"] == {"proved": ["m: 1"]}


def test_reasons_are_for_some_cores_only():
    idle = Point("bin", "m", "streams: input i transfers, idle")
    assert reason_for(quantiser(), idle)
    assert reason_for(all_cores()["ssa"](tokens=2, head_dim=2), idle) is None


@pytest.mark.long
@needs_verilator
def test_coverage_of_a_unit(tmp_path):
    """Every line, branch and bin of a unit is reached, or it is known why not."""
    found = measure(quantiser(), "small", tmp_path)
    assert [str(point) for point in found.missed if point.kind != "toggle"] == []
    for kind in KINDS:
        assert found.totals(kind)[0] > 10


@pytest.mark.slow
@needs_verilator
@pytest.mark.parametrize("core", [name for name, one in all_cores().items() if one.CASES])
def test_coverage_of_a_core(core):
    for name, config in mutant_configs(all_cores()[core]).items():
        found = measure(config, name)
        for kind, aim in AIMS.items():
            reached, _, missed = found.totals(kind)
            left = [str(point) for point in found.missed if point.kind == kind]
            assert 100 * reached >= aim * (reached + missed), left


@needs_verilator
def test_reached_although_unreachable(tmp_path, monkeypatch):
    """A reason that a test disproves is an error."""
    module = importlib.import_module("spikeloom_sim.coverage.measure")
    point = Point("bin", "m", "starts: start, done")
    monkeypatch.setattr(module, "_testbench", lambda *arguments: (tmp_path, "x"))
    monkeypatch.setattr(module, "_suite", lambda *arguments: (tmp_path, "x"))
    monkeypatch.setattr(module, "read_points", lambda *arguments: {point: 1})
    monkeypatch.setattr(module, "reason_for", lambda config, point: "never")
    with pytest.raises(JobError, match="called unreachable: starts: start, done"):
        module.measure(quantiser(), "small", tmp_path)


def test_command(spikeloom_command, tmp_path):
    """Table, names of the missed points, and one line for a wrong name."""
    code, out, err, folder = spikeloom_command("relu_quantiser", "--json")
    assert code == 0, err
    (found,) = json.loads(out)["configurations"]
    assert found["totals"]["line"] == {"reached": 1, "unreachable": 0, "missed": 1}
    table = (folder / "coverage.md").read_text().splitlines()
    assert table[0].startswith("| configuration | line, %")
    assert table[2].startswith("| relu_quantiser: shifts of channels | 50.0 |")
    (file,) = folder.glob("relu*.json")
    assert json.loads(file.read_text())["missed"] == [{"kind": "line", "point": "m: two"}]
    code, out, err, _ = spikeloom_command("relu_quantiser", "--only", "nothing")
    assert (code, err.count("\n")) == (2, 1)
    assert "unknown configuration 'nothing'" in err


@pytest.fixture
def spikeloom_command(capsys, monkeypatch, tmp_path):
    """`spikeloom coverage` with a made-up measurement: exit code, both outputs, its folder."""
    from spikeloom_cli import coverage
    from spikeloom_cli.main import main

    points = {Point("line", "m", "one"): 3, Point("line", "m", "two"): 0}
    monkeypatch.setattr(coverage, "measure", lambda config, name: Coverage(name, points, {}, 1.0))

    def run(*arguments):
        code = main(["coverage", *arguments, "-o", str(tmp_path / "out")])
        captured = capsys.readouterr()
        return code, captured.out, captured.err, tmp_path / "out"

    return run
