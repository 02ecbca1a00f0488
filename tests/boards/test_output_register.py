"""The pass that moves flip-flops behind ECP5 block RAM into its output register."""

import json
import shutil
from collections import Counter
from importlib.resources import files

import pytest

from spikeloom.errors import JobError
from spikeloom.families import find_family
from spikeloom.families.ecp5_output_register import IN_USE, LEFT, SAVED, USED
from spikeloom.tools import run_tool

ECP5 = find_family("ecp5")

RAM = """
module NAME(input clk, input rst, input we, input ce, input oce, input [8:0] wa, input [8:0] ra,
            input [35:0] d, output reg [35:0] q, output [35:0] more);
  (* no_rw_check, ram_style = "block" *) reg [WIDTH-1:0] memory [0:511];
  reg [WIDTH-1:0] word;
  initial begin word = 0; q = INIT; end
  always @(posedge clk) begin
    if (we) memory[wa] <= d;
    READ
    LOAD
  end
  MORE
endmodule
"""
DEFAULTS = {
    "WIDTH": "10",
    "INIT": "0",
    "READ": "if (ce) word <= memory[ra];",
    "LOAD": "if (oce) q <= word;",
    "MORE": "assign more = 0;",
}

ELSEWHERE = "the output goes elsewhere than to one register"
CASES: dict[str, tuple[dict[str, str], int | str]] = {
    # name: (changes of `RAM`, flip-flops saved or the reason why none are)
    "enabled": ({}, 10),
    "always_loading": ({"LOAD": "q <= word;"}, 10),
    "always_reading": ({"READ": "word <= memory[ra];"}, 10),
    "inverted": ({"LOAD": "if (!oce) q <= word;"}, 10),
    "wide": ({"WIDTH": "36"}, 36),
    "narrow": ({"WIDTH": "4"}, 4),
    "partly_unused": ({"LOAD": "if (oce) q <= word[6:2];"}, 5),
    "falling_edge": ({"posedge": "negedge"}, 10),
    "with_reset": (
        {"LOAD": "if (rst) q <= 0; else if (oce) q <= word;"},
        "the register has a reset",
    ),
    "fan_out": ({"MORE": "assign more = word ^ d;"}, ELSEWHERE),
    "straight_out": ({"MORE": "assign more = word;"}, ELSEWHERE),
    "one_bit_elsewhere": ({"LOAD": "if (oce) q <= {word[9:1], word[0] ^ ce};"}, ELSEWHERE),
    "as_enable": (
        {"LOAD": "if (word[0]) q[0] <= ce; q[9:1] <= word[9:1];"},
        "the output controls a register",
    ),
    "two_enables": (
        {"LOAD": "if (oce) q[4:0] <= word[4:0]; if (rst) q[9:5] <= word[9:5];"},
        "the registers have several enables",
    ),
    "both_senses": (
        {"LOAD": "if (oce) q[4:0] <= word[4:0]; else q[9:5] <= word[9:5];"},
        "the registers have several enables",
    ),
    "begins_as_1": ({"INIT": "36'h1"}, "the register powers up as 1"),
    "read_reset": (
        {"READ": "if (rst) word <= 0; else word <= memory[ra];"},
        "the memory has a reset",
    ),
    "both_edges": (
        {"LOAD": "", "MORE": "assign more = 0; always @(negedge clk) q <= word;"},
        "the register has another clock",
    ),
}
MOVED = {name: saved for name, (_, saved) in CASES.items() if isinstance(saved, int)}


def design():
    """A module for each case, and a top that has them all."""
    text = ""
    for name, (changes, _) in CASES.items():
        module = RAM.replace("NAME", name)
        for old, new in (DEFAULTS | changes).items():
            module = module.replace(old, new)
        text += module
    outputs = "".join(f", output [35:0] {name}_q, {name}_more" for name in CASES)
    inputs = ".clk(clk), .rst(rst), .we(we), .ce(ce), .oce(oce), .wa(wa), .ra(ra), .d(d)"
    instances = "".join(
        f"{name} u_{name}({inputs}, .q({name}_q), .more({name}_more));\n" for name in CASES
    )
    ports = "input clk, rst, we, ce, oce, input [8:0] wa, ra, input [35:0] d"
    return f"{text}\nmodule top({ports}{outputs});\n{instances}endmodule\n"


@pytest.fixture(scope="module")
def netlists(tmp_path_factory):
    """Folder with the netlists before and after the pass, and the counts of the pass."""
    folder = tmp_path_factory.mktemp("netlists")
    (folder / "top.v").write_text(design())
    script = f"read_verilog top.v; {ECP5.synthesise('top', 'before.json')}"
    run_tool("yosys", "-ql", "synthesis.log", "-p", script, cwd=folder)
    shutil.copy(folder / "before.json", folder / "after.json")
    return folder, ECP5.optimise(folder / "after.json")


def cells(netlist):
    return json.loads(netlist.read_text())["modules"]["top"]["cells"]


def test_what_is_moved(netlists):
    """The RAMs that allow it, no other; the rest is counted by its reason."""
    folder, counts = netlists
    reasons = Counter(LEFT + one for _, one in CASES.values() if isinstance(one, str))
    assert counts == {USED: len(MOVED), SAVED: sum(MOVED.values())} | reasons
    before, after = cells(folder / "before.json"), cells(folder / "after.json")
    gone = Counter(name.partition("_q_")[0] for name in before.keys() - after.keys())
    assert gone == MOVED
    assert {name for name, cell in before.items() if cell["type"] == "DP16KD"} <= after.keys()
    assert after.keys() <= before.keys()


def pins(name, bits):
    return ", ".join(f"{name}{n}" for n in reversed(range(bits)))


MODEL = files("spikeloom.families") / "ecp5_dp16kd.v"
# The ports and parameters of the model, and a RAM of one word that port B reads, as in `RAM`. The
# pass leaves addresses and data alone, so it is enough that the word depends on them.
REDUCED_RAM = f"""
{MODEL.read_text().partition("  localparam")[0]}
  reg [35:0] memory = 0, latch = 0, register = 0;
  always @(posedge (CLKA ^ (CLKAMUX == "INV")))
    if (CEA & WEA) memory <= {{{pins("DIB", 18)}, {pins("DIA", 18)}}} ^ {{{pins("ADA", 14)}}};
  always @(posedge (CLKB ^ (CLKBMUX == "INV"))) begin
    if (CEB) latch <= memory ^ {{{pins("ADB", 14)}, 10'd0, {pins("ADB", 14)}}};
    if (OCEB ^ (OCEBMUX == "INV")) register <= latch;
    if (RSTB) latch <= 0;
    if (RSTB & (OCEB ^ (OCEBMUX == "INV"))) register <= 0;
  end
  assign {{{pins("DOB", 18)}, {pins("DOA", 18)}}} =
      (DATA_WIDTH_B != 36) ? {{REGMODE_B == "OUTREG" ? register[17:0] : latch[17:0], 18'd0}} : {{
      REGMODE_B == "OUTREG" ? register[35:18] : latch[35:18],
      REGMODE_A == "OUTREG" ? register[17:0] : latch[17:0]}};
endmodule
"""


def prove_equal(folder):
    """Yosys proves that ``before.json`` and ``after.json`` behave the same."""
    (folder / "ram.v").write_text(REDUCED_RAM)
    for name in ("before", "after"):
        netlist = json.loads((folder / f"{name}.json").read_text())
        netlist["modules"] = {"top": netlist["modules"]["top"]}  # without black boxes of cells
        (folder / f"{name}_top.json").write_text(json.dumps(netlist))
    # Nets whose meaning the pass changes are not compared.
    hide = "rename -hide w:*word* w:*DO* w:*OCE* w:*register*"
    script = "".join(
        f"design -reset; read_json {name}_top.json; read_verilog ram.v +/ecp5/common_sim.vh; "
        f"hierarchy -top top; proc; flatten -wb; opt -full; {hide}; "
        f"rename top {name}; design -stash {name}; "
        for name in ("before", "after")
    )
    script += "".join(f"design -copy-from {name} {name}; " for name in ("before", "after"))
    script += "equiv_make before after both; hierarchy -top both; equiv_simple; equiv_induct; "
    run_tool("yosys", "-ql", "equivalence.log", "-p", script + "equiv_status -assert", cwd=folder)


@pytest.mark.long
def test_equivalence(netlists):
    prove_equal(netlists[0])


@pytest.mark.long
def test_equivalence_can_fail(netlists, tmp_path):
    """The proof finds a RAM that is configured wrongly."""
    shutil.copytree(netlists[0], tmp_path, dirs_exist_ok=True)
    netlist = json.loads((tmp_path / "after.json").read_text())
    (ram,) = (
        cell
        for name, cell in netlist["modules"]["top"]["cells"].items()
        if name.startswith("u_inverted.") and cell["type"] == "DP16KD"
    )
    assert ram["parameters"].pop("OCEBMUX") == "INV"
    (tmp_path / "after.json").write_text(json.dumps(netlist))
    with pytest.raises(JobError, match="unproven"):
        prove_equal(tmp_path)


@pytest.mark.parametrize(("mode", "result"), [("NOREG", USED), ("OUTREG", LEFT + IN_USE)])
def test_a_port_is_converted_once(tmp_path, mode, result):
    """A second pass must not take the next register behind the output register."""
    ram = {
        "type": "DP16KD",
        "parameters": {"DATA_WIDTH_B": f"{18:032b}", "REGMODE_A": mode, "CLKAMUX": "CLKA"},
        "connections": {"CLKA": [2], "DOA0": [3]},
        "port_directions": {"CLKA": "input", "DOA0": "output"},
    }
    register = {
        "type": "TRELLIS_FF",
        "parameters": {"REGSET": "RESET", "CLKMUX": "CLK", "CEMUX": "1", "LSRMUX": "LSR"},
        "connections": {"CLK": [2], "DI": [3], "Q": [4]},
        "port_directions": {"CLK": "input", "DI": "input", "Q": "output"},
    }
    top = {
        "attributes": {"top": "1"},
        "ports": {"q": {"direction": "output", "bits": [4]}},
        "cells": {"ram": ram, "register": register},
    }
    netlist = tmp_path / "netlist.json"
    netlist.write_text(json.dumps({"modules": {"top": top}}))
    assert ECP5.optimise(netlist)[result] == 1
    assert ("register" in cells(netlist)) == (mode == "OUTREG")
