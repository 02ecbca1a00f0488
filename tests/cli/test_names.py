"""`generate --name`: several designs in one project, and names that no language refuses."""

import importlib.util
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from amaranth.back import rtlil

import spikeloom.export
from spikeloom.export.design_name import SYSTEMVERILOG, VERILOG, VHDL
from spikeloom.export.instances import class_name
from spikeloom.networks import file
from spikeloom.tools import locate
from spikeloom_boards.boards import find_board
from spikeloom_boards.build import Build, design_files
from spikeloom_boards.presets import preset_config

from ..commands import run_command
from ..networks.random_network import random_network

SCHEMA = json.loads((Path(spikeloom.export.__file__).parent / "manifest.schema.json").read_text())
SMALL = {"image": (4, 6, 2), "patch": (2, 3), "dims": 4, "hidden": 3, "classes": 3, "blocks": 1}
DESIGNS = {
    "left": ("ssa", ["tokens=4", "head_dim=4"]),
    "left_core": ("ssa", ["tokens=3", "head_dim=5", "engine=sampled", "steps=2"]),
    "spiked": ("spiked", ["tokens=3", "head_dim=4"]),
    "additions": ("a2os2a", ["tokens=4", "head_dim=4", "order=kv"]),
    "net": ("small.safetensors", []),
}


def generate(spikeloom, tmp_path, name):
    """The folder of one of `DESIGNS`."""
    core, keys = DESIGNS[name]
    if core.endswith(".safetensors"):
        file.save(tmp_path / core, random_network(**SMALL, name="small"))
    options = [word for key in keys for word in ("--set", key)]
    ran = spikeloom("generate", core, "--name", name, *options, "-o", name)
    assert (ran.code, ran.err) == (0, "")
    return tmp_path / name


def top_of(manifests):
    """A module that contains every design."""
    lines = []
    for manifest in manifests:
        ports = [
            f".{port['name']}({port['width']}'d0)"
            if port["direction"] == "input" and port["name"] != "clk"
            else f".{port['name']}({'clk' if port['name'] == 'clk' else ''})"
            for port in manifest["ports"]
        ]
        lines.append(f"  {manifest['module']} {manifest['module']}_1 ({', '.join(ports)});")
    return "\n".join(["module everything (input clk);", *lines, "endmodule", ""])


@pytest.mark.long
def test_five_designs_in_one(spikeloom, tmp_path, verilator):
    """Three cores, two configurations of one of them, and a network: no module and no file has the
    name of another, and Verilator and Icarus accept them together without a warning."""
    folders = [generate(spikeloom, tmp_path, name) for name in DESIGNS]
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in folders]
    assert [manifest["module"] for manifest in manifests] == list(DESIGNS)
    modules, names = [], []
    for folder in folders:
        found = re.findall(
            r"^module (\w+)", (folder / f"{folder.name}.v").read_text(), re.MULTILINE
        )
        assert all(module.split("__")[0] == folder.name for module in found)
        modules += found
        names += [path.name for path in folder.iterdir() if path.suffix in (".v", ".vlt", ".core")]
    assert len(set(modules)) == len(modules)
    assert len(set(names)) == len(names)

    (tmp_path / "everything.v").write_text(top_of(manifests))
    verilog = [folder / f"{folder.name}.v" for folder in folders]
    waivers = [folder / f"{folder.name}.vlt" for folder in folders]
    top = ["-Wno-PINCONNECTEMPTY", "--top-module", "everything", "everything.v"]
    assert verilator.lint(tmp_path, *top, *waivers, *verilog) == ""
    if locate("iverilog") is None:
        pytest.skip("Verilator accepts them; iverilog is not installed")
    icarus = [locate("iverilog"), "-g2005", "-Wall", "-Wno-timescale", "-s", "everything"]
    done = run_command([*icarus, "-o", "everything.vvp", "everything.v", *verilog], tmp_path)
    assert (done.returncode, done.stdout) == (0, "")


def test_names_follow(spikeloom, tmp_path):
    """Files, FuseSoC's name and the waivers follow, and so does the self-test of a board."""
    ran = spikeloom("generate", "ssa", "--board", "icestick", "--name", "mine", "-o", "out")
    assert (ran.code, ran.err) == (0, "")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    jsonschema.validate(manifest, SCHEMA)
    assert set(manifest["files"]) >= {"mine.v", "mine.core", "mine.vlt", "mine_selftest.v"}
    assert "name: spikeloom:generated:mine:" in (tmp_path / "out" / "mine.core").read_text()
    waivers = (tmp_path / "out" / "mine.vlt").read_text()
    assert waivers.count("lint_off") == waivers.count('-file "*mine.v"') > 1
    modules = re.findall(r"^module (\w+)", (tmp_path / "out" / "mine_selftest.v").read_text(), re.M)
    assert {module.split("__")[0] for module in modules} == {"mine_selftest"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("always", "'always' is a keyword of Verilog"),
        ("logic", "'logic' is a keyword of SystemVerilog"),
        ("uwire", "'uwire' is a keyword of Verilog"),
        ("entity", "'entity' is a keyword of VHDL"),
        ("Signal", "'Signal' is a keyword of VHDL"),
        ("9lives", "is not an identifier"),
        ("_hidden", "is not an identifier"),
        ("trailing_", "is not an identifier"),
        ("two__underscores", "is not an identifier"),
        ("with space", "is not an identifier"),
        ("a-b", "is not an identifier"),
        ("a.b", "is not an identifier"),
        ("../up", "is not an identifier"),
        ("", "is not an identifier"),
        ("né", "is not an identifier"),
        ("line\nbreak", "is not an identifier"),
        ("end\n", "is not an identifier"),
        ("x" * 101, "is too long"),
    ],
)
def test_bad_names(spikeloom, tmp_path, name, message):
    ran = spikeloom("generate", "ssa", "--set", "tokens=4", "-o", "out", f"--name={name}")
    assert (ran.code, ran.err.count("\n"), message in ran.err) == (2, 1, True), ran.err
    assert list(tmp_path.iterdir()) == []


def test_name_of_a_bitstream():
    """The top module and every file of synthesis have it, and nothing else of the design."""
    board = find_board("icestick")
    texts = {
        name: design_files(Build(preset_config("ssa", board), board, board.frequency, name=name))
        for name in ("mine", "spikeloom")
    }
    assert {path.split(".")[0] for path in texts["mine"]} == {"mine"}
    assert re.findall(r"^module \\(\w+)$", texts["mine"]["mine.il"], re.M).count("mine") == 1
    assert " -top mine\n" in texts["mine"]["mine.ys"]
    plain = texts["spikeloom"]["spikeloom.il"]
    assert re.sub(r"\\spikeloom\b", r"\\mine", plain) == texts["mine"]["mine.il"]


@pytest.mark.parametrize(
    ("core", "name", "message"),
    [
        ("ssa", "always", "'always' is a keyword of Verilog"),
        ("ssa", "a/b", "is not an identifier"),
        ("ssa", "placed", "--name 'placed' is the name of another file of the build"),
        ("mnist-tiny", "weights", "--name 'weights' is the name of another file of the build"),
    ],
)
def test_bad_names_of_bitstreams(spikeloom, tmp_path, core, name, message):
    loaded = ["--set", "weights=loaded"] if core != "ssa" else []
    ran = spikeloom("build", core, "--board", "icebreaker", *loaded, "-o", "out", "--name", name)
    assert (ran.code, ran.err.count("\n"), message in ran.err) == (2, 1, True), ran.err
    assert list(tmp_path.iterdir()) == []


def test_classes_in_python():
    """The words of a name, unless the generated Python uses them for something else."""
    names = ("attention", "left_core", "none", "reset_signal", "stream", "wishbone_dma")
    assert [class_name(name) for name in names] == [
        "Attention",
        "LeftCore",
        "NoneCore",
        "ResetSignalCore",
        "Stream",
        "WishboneDma",
    ]
    assert class_name("WishboneDMA") == "WishboneDMACore"  # WishboneDMAReader is LiteX's


def test_every_keyword_is_listed():
    """Every keyword of Pygments' lexers, which are made for the same languages."""
    from pygments.lexers import hdl
    from pygments.token import Keyword

    known = VERILOG | SYSTEMVERILOG | VHDL | {"strength"}  # the last is none of IEEE 1364
    for lexer in (hdl.VerilogLexer, hdl.SystemVerilogLexer, hdl.VhdlLexer):
        rules = [rule for state in lexer.tokens.values() for rule in state]
        words = [r[0].words for r in rules if hasattr(r[0], "words") and r[1] is Keyword]
        assert words
        assert {word for group in words for word in group} <= known


@pytest.mark.parametrize(
    "name", ["Always", "a", "clk", "none", "yes", "clock_signal", "event_manager", "BEAT"]
)
def test_unusual_names_that_are_none_of_them(spikeloom, tmp_path, name):
    """Names of ports, and what YAML and Python take for something else."""
    ran = spikeloom(
        "generate", "lfsr", "--set", "width=8", "--set", "steps=3", "-o", "out", "--name", name
    )
    assert (ran.code, ran.err) == (0, "")
    targets = yaml.safe_load((tmp_path / "out" / f"{name}.core").read_text())["targets"]
    assert [targets[target]["toplevel"] for target in ("lint", "sim")] == [name, f"{name}_tb"]
    instances = tmp_path / "out" / "instances"
    compile((instances / f"{name}_litex.py").read_text(), "litex.py", "exec")
    spec = importlib.util.spec_from_file_location("generated", instances / f"{name}_amaranth.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = rtlil.convert(getattr(module, class_name(name))(), name="user", emit_src=False)
    assert text.count(f"cell \\{name} ") == 1
    if locate("iverilog"):
        command = [locate("iverilog"), "-g2012", "-s", name, "-o", "x", f"{name}.v"]
        done = run_command(command, tmp_path / "out")
        assert (done.returncode, done.stdout) == (0, "")
