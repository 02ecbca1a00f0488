"""Other tools: synthesis for seven families in Yosys, reset polarity, Vivado's attributes."""

import json
import re
from functools import cache

import pytest

from spikeloom.cores import all_cores
from spikeloom.export.files import Options, core_files, write_files
from spikeloom.networks.network import network_core
from spikeloom.tools import run_tool

from ..networks.random_network import random_network
from .test_testbench import SMALL, run_icarus

NETWORK = network_core(random_network(**SMALL, name="small-net"))
SMALLEST = {
    **{
        name: core.from_settings(next(iter(core.CASES.values())))
        for name, core in all_cores().items()
    },
    "network": NETWORK.from_settings({"weights": "loaded"}),
}
FAMILIES = ("xilinx", "gowin", "nexus", "gatemate", "intel_alm", "microchip", "achronix")
WITHOUT = ("microchip", "achronix")  # flip-flops without initial values
BY_DEFAULT = {("lfsr", "achronix"), ("a2os2a", "gowin")}


def mark_of(core, family):
    return [] if (core, family) in BY_DEFAULT else pytest.mark.slow


SYNTHESES = [
    pytest.param(core, family, marks=mark_of(core, family))
    for core in SMALLEST
    for family in FAMILIES
]
WITHOUT_INITIAL = [
    pytest.param(core, marks=[] if core == "a2os2a" else pytest.mark.slow) for core in SMALLEST
]


@cache
def verilog_of(core, initial):
    """The Verilog of one of `SMALLEST`, which several families share."""
    return core_files(SMALLEST[core], Options(name="dut", initial=initial))["dut.v"]


@pytest.mark.parametrize(("core", "family"), SYNTHESES)
def test_synthesis(core, family, tmp_path):
    """Yosys finds no loop, no undriven net and no conflict in the netlist."""
    (tmp_path / "dut.v").write_text(verilog_of(core, family not in WITHOUT))
    script = f"read_verilog dut.v; synth_{family} -top dut; check -assert"
    run_tool("yosys", "-q", "-p", script, cwd=tmp_path)


@pytest.mark.parametrize("core", WITHOUT_INITIAL)
def test_reset_replaces_initial_values(core, tmp_path):
    """No register is initialised, and after an active-low reset the testbench passes in Icarus,
    where all of them begin undefined."""
    files = core_files(SMALLEST[core], Options(name="bare", reset="aresetn", initial=False))
    write_files(tmp_path, files)
    plain = re.sub(r"// synthesis translate_off.*?translate_on", "", files["bare.v"], flags=re.S)
    initialised = re.findall(r"^  initial (\w+) ", plain, re.MULTILINE)
    assert set(initialised) <= {"at_time_0"}
    manifest = json.loads(files["manifest.json"])
    assert manifest["reset"] == {
        "port": "aresetn",
        "active": "low",
        "kind": "synchronous",
        "needed": True,
    }
    done = run_icarus("bare", tmp_path / "testbench")
    assert (done.returncode, "PASSED" in done.stdout) == (0, True), done.stdout


def test_listing_of_a_network():
    """The operations of the engine, as text beside the Verilog; other cores have none."""
    network, core = SMALLEST["network"], SMALLEST["ssa"]
    assert core_files(network, Options(name="dut"))["dut.program.txt"] == network.program.listing()
    assert not core.listings


def test_large_ram():
    """Loaded weights ask for it only on request: most families have none, and Yosys fails."""
    texts = {
        wanted: core_files(SMALLEST["network"], Options(name="dut", large_ram=wanted))["dut.v"]
        for wanted in (False, True)
    }
    assert [text.count("huge") for text in texts.values()] == [0, 1]
    assert texts[True].replace('  (* ram_style = "huge" *)\n', "") == texts[False]


def test_attributes_for_vivado():
    """Every stream's ports, the clock with its streams and reset, and the reset's polarity."""
    core = SMALLEST["ssa"]
    for reset, polarity in (("rst", "HIGH"), ("aresetn", "LOW")):
        text = core_files(core, Options(name="dut", reset=reset))["dut.v"]
        header = text.partition("\nmodule dut(")[2].partition("\n);")[0]
        ports = re.findall(r"((?:  \(\*.*\*\)\n)*)  (?:input|output).* (\w+),?$", header, re.M)
        found = {name: attributes for attributes, name in ports}
        for name, attributes in found.items():
            stream, _, part = name.rpartition("_")
            if "_axis_" in name:
                info = f'"xilinx.com:interface:axis:1.0 {stream} {part.upper()}"'
                assert f"X_INTERFACE_INFO = {info}" in attributes
        assert "xilinx.com:signal:clock:1.0 clk CLK" in found["clk"]
        streams = "s_axis_q:s_axis_k:s_axis_v:m_axis_o"
        assert f"ASSOCIATED_BUSIF {streams}, ASSOCIATED_RESET {reset}" in found["clk"]
        assert f"xilinx.com:signal:reset:1.0 {reset} RST" in found[reset]
        assert f"POLARITY ACTIVE_{polarity}" in found[reset]


def test_constraints(spikeloom, tmp_path):
    """The clock of `--mhz`, in SDC and in XDC."""
    keys = ("--set", "width=8", "--set", "steps=3", "--name", "noise")
    assert spikeloom("generate", "lfsr", *keys, "--mhz", "240", "-o", "out").code == 0
    for suffix in ("sdc", "xdc"):
        lines = (tmp_path / "out" / f"noise.{suffix}").read_text().splitlines()
        commands = [line for line in lines if not line.startswith("#")]
        assert commands == ["create_clock -name clk -period 4.1667 [get_ports clk]"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--reset", "rstn"], "unknown reset 'rstn'"),
        (["--mhz", "0"], "--mhz 0.0 is no clock frequency"),
        (["--mhz", "nan"], "--mhz nan is no clock frequency"),
    ],
)
def test_bad_options(spikeloom, tmp_path, options, message):
    ran = spikeloom("generate", "ssa", "--set", "tokens=4", "-o", "out", *options)
    assert (ran.code, ran.err.count("\n"), message in ran.err) == (2, 1, True), ran.err
    assert list(tmp_path.iterdir()) == []
