"""`spikeloom generate`: Verilog that other tools accept, with reproducible bytes."""

import hashlib
import json
import re
import sys
from pathlib import Path

import pytest

from spikeloom.cores import all_cores
from spikeloom.export.files import Options, core_files, write_files
from spikeloom.outputs import RECORD
from spikeloom.tools import locate

from ..commands import run_command

CONFIGS = {
    "spikes": ("ssa", ["tokens=6", "head_dim=10", "mask=causal"]),
    "values": ("ssa", ["tokens=5", "head_dim=4", "inputs=values"]),
    "spiked": ("spiked", ["tokens=7", "head_dim=4", "lanes=3", "encoders=3", "mask=causal"]),
    "state first": ("a2os2a", ["tokens=6", "head_dim=16", "order=kv"]),
    "scores first": ("a2os2a", ["tokens=6", "head_dim=16", "order=qk"]),
    "without end": ("a2os2a", ["tokens=6", "head_dim=4", "length=open", "mask=causal"]),
    "neurons": ("a2os2a_block", ["tokens=5", "head_dim=4", "steps=3"]),
    "one block": ("woss", ["tokens=2", "encoders=2", "mask=causal"]),
    "narrow": ("relu_quantiser", ["values=4", "input_bits=5", "bits=8", "shift=1"]),
}

BY_DEFAULT = ("spikes", "state first", "narrow")
AS_CASES = [
    pytest.param(*config, id=name, marks=[] if name in BY_DEFAULT else pytest.mark.long)
    for name, config in CONFIGS.items()
]


@pytest.fixture
def generated(spikeloom, tmp_path):
    ran = spikeloom("generate", "ssa", "-o", "out", "--set", "tokens=4", "--set", "head_dim=4")
    assert (ran.code, ran.err) == (0, "")
    return tmp_path / "out"


@pytest.mark.parametrize(("core", "keys"), AS_CASES)
def test_lint(spikeloom, tmp_path, core, keys, verilator):
    """Verilator -Wall with the waivers, and Icarus -Wall, report no warnings."""
    options = [word for key in keys for word in ("--set", key)]
    assert spikeloom("generate", core, "-o", "out", *options).code == 0
    check_lint(tmp_path / "out", f"spikeloom_{core}", verilator)


@pytest.mark.long
@pytest.mark.parametrize("name", all_cores())
def test_lint_of_every_case(tmp_path, name, verilator):
    """Sizes at the ends of what a core can have leave no comparison that is always true."""
    for number, keys in enumerate(all_cores()[name].CASES.values()):
        folder = tmp_path / str(number)
        write_files(folder, core_files(all_cores()[name].from_settings(keys), Options(name="dut")))
        check_lint(folder, "dut", verilator)


def check_lint(folder, name, verilator):
    """Neither Verilator nor Icarus warns about the design `name` in `folder`."""
    assert verilator.lint(folder, f"{name}.vlt", f"{name}.v") == ""
    if locate("iverilog"):
        command = [locate("iverilog"), "-g2012", "-Wall", "-o", "x", f"{name}.v"]
        done = run_command(command, folder)
        assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.long
@pytest.mark.parametrize(
    "options",
    [
        ["--shell", "axi-lite", "--reset", "aresetn", "--no-init"],
        ["--shell", "wishbone", "--tdata", "power-of-two"],
    ],
)
def test_lint_of_shells(spikeloom, tmp_path, options, verilator):
    keys = ["--set", "tokens=3", "--set", "head_dim=6", "--set", "k_bits=7"]
    ran = spikeloom("generate", "a2os2a", *keys, *options, "--name", "mine", "-o", "out")
    assert (ran.code, ran.err) == (0, "")
    check_lint(tmp_path / "out", "mine", verilator)


@pytest.mark.parametrize(("core", "keys"), AS_CASES)
def test_names_are_plain(spikeloom, tmp_path, core, keys):
    """No name needs escaping or is reserved by a tool, and no net has zero bits."""
    options = [word for key in keys for word in ("--set", key)]
    assert spikeloom("generate", core, "-o", "out", *options).code == 0
    text = (tmp_path / "out" / f"spikeloom_{core}.v").read_text()
    assert re.findall(r"\\.*", text) == []
    assert set(re.findall(r"\$\w*", text)) <= {"$signed", "$unsigned"}
    assert re.findall(r"\b_\d+_\b|\[-1:0\]", text) == []


def test_power_of_two_widths(spikeloom, tmp_path):
    """For DMA engines: 21 bits of K and 39 of the output become 32 and 64."""
    keys = ("tokens=3", "head_dim=6", "lanes=3", "k_bits=7", "acc_bits=13")
    options = [word for key in keys for word in ("--set", key)]
    for tdata, expected in (("bytes", (8, 24, 16, 40)), ("power-of-two", (8, 32, 16, 64))):
        out = tmp_path / tdata
        assert spikeloom("generate", "a2os2a", "-o", out, *options, "--tdata", tdata).code == 0
        manifest = json.loads((out / "manifest.json").read_text())
        widths = {p["name"]: p["width"] for p in manifest["ports"] if p["name"].endswith("tdata")}
        assert manifest["tdata"] == tdata
        names = ("s_axis_q_tdata", "s_axis_k_tdata", "s_axis_v_tdata", "m_axis_o_tdata")
        assert tuple(widths[name] for name in names) == expected
    ran = spikeloom("generate", "a2os2a", "-o", "x", *options, "--tdata", "powers")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "unknown tdata 'powers'" in ran.err
    assert not (tmp_path / "x").exists()


def test_every_waiver_has_its_reason(generated):
    lines = (generated / "spikeloom_ssa.vlt").read_text().splitlines()[1:]
    waivers = [n for n, line in enumerate(lines) if line.startswith("lint_off")]
    assert waivers
    assert all(lines[n - 1].startswith("//") for n in waivers if n > 1)


def test_manifest(generated):
    manifest = json.loads((generated / "manifest.json").read_text())
    verilog = (generated / "spikeloom_ssa.v").read_bytes()
    assert manifest["sha256"] == hashlib.sha256(verilog).hexdigest()
    assert manifest["config"]["tokens"] == 4
    assert manifest["cycles"] > 0
    written = sorted(str(p.relative_to(generated)) for p in generated.rglob("*") if p.is_file())
    assert [RECORD, *manifest["files"]] == written
    header = verilog.decode().split("module spikeloom_ssa(")[1].split(");")[0]
    declared = re.findall(r"^  (input|output) (?:\[(\d+):0\] )?(\w+),?$", header, re.MULTILINE)
    found = [(name, flow, int(high or 0) + 1) for flow, high, name in declared]
    assert found == [(p["name"], p["direction"], p["width"]) for p in manifest["ports"]]
    control = ["clk", "rst", "start", "seed", "busy", "done", "misframed"]
    assert [name for name, _, _ in found[: len(control)]] == control


@pytest.mark.long
def test_same_config_same_bytes(spikeloom, tmp_path):
    """Also in another process with another hash seed, and when overwriting the first."""
    command = [
        sys.executable,
        "-m",
        "spikeloom_cli.main",
        "generate",
        "ssa",
        "--board",
        "icebreaker",
    ]
    contents = []
    for seed in ("1", "2"):
        done = run_command([*command, "-o", "out"], tmp_path, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stdout
        files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
        contents.append({path.name: path.read_bytes() for path in files})
    assert contents[0] == contents[1]
    assert {"icebreaker.pcf", "selftest.v"} <= set(contents[0])


def test_no_path_of_this_machine_in_the_files(generated):
    for path in filter(Path.is_file, generated.rglob("*")):
        text = path.read_text()
        assert str(Path.cwd()) not in text
        assert str(Path(__file__).parent) not in text


def fusesoc(verilator, folder, *arguments):
    """Run FuseSoC on the core in `folder`."""
    program = Path(sys.executable).parent / "fusesoc"
    if not program.exists():
        pytest.skip("fusesoc is not installed")
    environment = {"HOME": str(folder), **verilator.environment}
    return run_command([program, "--cores-root", ".", *arguments], folder, **environment)


@pytest.mark.parametrize(
    "target",
    [
        "lint",
        "sim",
        *(pytest.param(x, marks=pytest.mark.long) for x in ("default", "sim_verilator")),
    ],
)
def test_fusesoc_targets(generated, target, verilator):
    """Each runs; the simulations pass, and fail if a vector is wrong."""
    if target == "sim" and locate("iverilog") is None:
        pytest.skip("iverilog is not installed")
    name = "spikeloom:generated:spikeloom_ssa"
    assert name in fusesoc(verilator, generated, "core", "list").stdout
    done = fusesoc(verilator, generated, "run", f"--target={target}", name)
    assert done.returncode == 0, done.stdout
    if target.startswith("sim"):
        assert "spikeloom_ssa: PASSED, 3 runs equal the golden model" in done.stdout
        vectors = generated / "testbench" / "spikeloom_ssa_o.hex"
        vectors.write_text(vectors.read_text().replace("1", "0"))
        done = fusesoc(verilator, generated, "run", f"--target={target}", name)
        assert done.returncode != 0
        assert "spikeloom_ssa: FAILED" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "ssa"], "key tokens is missing"),
        (["generate", "magic"], "unknown core 'magic'"),
        (["generate", "ssa", "--board", "toaster"], "unknown board 'toaster'"),
        (["generate", "ssa", "--config", "none.toml"], "config file none.toml: cannot be read"),
        (
            ["generate", "ssa", "--board", "icestick", "--set", "cells=9"],
            "cells must be at most tokens (8), or tokens times a divisor",
        ),
    ],
)
def test_bad_input(spikeloom, tmp_path, arguments, message):
    ran = spikeloom(*arguments, "-o", "out")
    assert (ran.code, message in ran.err) == (2, True), ran.err
    assert list(tmp_path.iterdir()) == []


def test_other_peoples_folders_stay(spikeloom, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    ran = spikeloom("generate", "ssa", "--board", "icebreaker", "-o", tmp_path)
    assert (ran.code, "holds other files" in ran.err) == (2, True)
    assert (tmp_path / "thesis.tex").read_text() == "mine"
