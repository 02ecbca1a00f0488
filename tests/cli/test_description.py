"""What comes with the Verilog: header, comments, manifest, and instances in other languages."""

import importlib.util
import inspect
import json
import re
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from amaranth.back import rtlil

import spikeloom.export
from spikeloom.blocks.loop_nest import LoopNest
from spikeloom.cores import find_core
from spikeloom.export.design_name import SYSTEMVERILOG, VERILOG, VHDL
from spikeloom.export.files import Options, core_files, write_files
from spikeloom.export.instances import class_name
from spikeloom.networks.network import network_core
from spikeloom.shell.buses import BUSES
from spikeloom.tools import locate, run_tool
from spikeloom_sim.simulators import Verilator

from ..commands import run_command
from ..networks.random_network import random_network

SMALL = {"image": (4, 6, 2), "patch": (2, 3), "dims": 4, "hidden": 3, "classes": 3, "blocks": 1}
CORES = {
    "ssa": ("ssa", {"tokens": 3, "head_dim": 5, "bits": 1}, "bytes"),
    "spiked": ("spiked", {"tokens": 3, "head_dim": 4, "lanes": 3}, "power-of-two"),
    "a2os2a": ("a2os2a", {"tokens": 3, "head_dim": 6, "lanes": 3, "k_bits": 7}, "bytes"),
    "network": (None, {"weights": "loaded"}, "bytes"),
    "axi-lite": ("ssa", {"tokens": 3, "head_dim": 5, "bits": 1}, "bytes"),
    "wishbone": (None, {"weights": "loaded"}, "power-of-two"),
}


BY_DEFAULT = ("a2os2a", "network")
AS_CASES = [pytest.param(n, marks=[] if n in BY_DEFAULT else pytest.mark.long) for n in CORES]


@pytest.fixture(scope="module", params=AS_CASES)
def design(request, tmp_path_factory):
    """A core, the folder of its files, and its manifest."""
    name, keys, tdata = CORES[request.param]
    graph = random_network(**SMALL, name="small-net")
    core = (find_core(name) if name else network_core(graph)).from_settings(keys)
    folder = tmp_path_factory.mktemp(request.param)
    shell = request.param if request.param in BUSES else None
    files = core_files(core, Options(tdata=tdata, shell=shell))
    write_files(folder, files)
    return core, folder, json.loads(files["manifest.json"])


def schema():
    return json.loads((Path(spikeloom.export.__file__).parent / "manifest.schema.json").read_text())


def test_manifest_agrees_with_its_schema(spikeloom, tmp_path):
    """Of files that the command writes; a wrong one is refused."""
    assert (
        spikeloom("generate", "lfsr", "--set", "width=8", "--set", "steps=3", "-o", "x").code == 0
    )
    manifest = json.loads((tmp_path / "x" / "manifest.json").read_text())
    jsonschema.validate(manifest, schema())
    for wrong in ({"cycles": "53"}, {"streams": [{}]}, {"more": 1}, {"module": "9"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(manifest | wrong, schema())


def test_manifest_of_every_kind(design):
    core, _, manifest = design
    jsonschema.validate(manifest | {"board": None, "files": []}, schema())
    assert [s["name"] for s in manifest["streams"] if s["once"]] == list(core.loads)
    assert manifest["config_hash"]


def test_beats_are_as_the_manifest_says(design):
    """Tensors packed by the words of the manifest alone are those that the core's ports pack."""
    core, _, manifest = design
    rng = np.random.default_rng(3)
    ports = core.inputs | core.outputs
    plain = [stream for stream in manifest["streams"] if stream["beat"] is not None]
    for stream in plain:
        port = ports.get(stream["name"]) or core.loads[stream["name"]][0]
        tensor = port.random(rng)
        assert packed_by(stream, port.item.encode(tensor)) == port.pack(tensor)
    special = [stream for stream in manifest["streams"] if stream["beat"] is None]
    assert all(len(stream["order"]) > 50 for stream in special)


def packed_by(stream, codes):
    """Beats (data, last) of the tensor of `codes`, after the manifest's words on `stream`."""
    shape, block, bits = stream["shape"], stream["beat"], stream["element"]["bits"]
    codes = codes.reshape(shape)
    beats = []
    for corner in np.ndindex(*(-(-n // b) for n, b in zip(shape, block, strict=True))):
        word = 0
        for place, inside in enumerate(np.ndindex(*block)):
            where = [c * b + i for c, b, i in zip(corner, block, inside, strict=True)]
            if all(w < n for w, n in zip(where, shape, strict=True)):
                word |= int(codes[tuple(where)]) << place * bits
        beats.append(word)
    assert len(beats) == stream["beats"]
    every = stream["beats_per_tlast"]
    return [(word, int((n + 1) % every == 0)) for n, word in enumerate(beats)]


def test_header(design):
    """Version, configuration, licence, cycles, reset, every port and every stream."""
    core, folder, manifest = design
    text = (folder / f"{manifest['module']}.v").read_text()
    header = text.partition("\n\n")[0]
    assert header.isascii()
    assert all(line.startswith("//") and len(line) <= 110 for line in header.splitlines())
    words = " ".join(header.replace("\n//", " ").split())
    assert f"Generated by {manifest['generator']} and Yosys 0." in words
    assert "SPDX-License-Identifier: Apache-2.0" in words
    assert f"{core.cycles():,} ({manifest['cycles_are']})" in words
    assert f"Formula: {' '.join(core.cycle_formula().split())}." in words
    assert "Reset: rst, synchronous, active high" in words
    for key, value in manifest["config"].items():
        assert f"{key} = {'-' if value is None else value}" in words
    for port in manifest["ports"]:
        assert re.search(rf"//   {port['name']} +{port['direction']} +{port['width']} ", header)
    for stream in manifest["streams"]:
        assert f"{stream['prefix']}: {stream['beats']:,} beats a run" in words
        assert f"tdata: {stream['data_bits']} bits of data" in words


def test_order_of_ports(design):
    """Clock, reset, control and status (behind registers only the interrupt), then streams: inputs
    before outputs, each one's ports side by side."""
    core, folder, manifest = design
    names = [port["name"] for port in manifest["ports"]]
    control = [name for name in names if "_axis_" not in name]
    assert control[:3] == ["clk", "rst", "irq" if "irq" in names else "start"]
    streams = [*core.inputs, *core.loads], list(core.outputs)
    for flow, found in zip("sm", streams, strict=True):
        control += [
            f"{flow}_axis_{name}_{part}"
            for name in found
            for part in ("tdata", "tvalid", "tready", "tlast")
        ]
    assert names == control
    text = (folder / f"{manifest['module']}.v").read_text()
    header = text.partition(f"\nmodule {manifest['module']}(")[2].partition(");")[0]
    assert re.findall(r"(?:input|output) .*?(\w+),?$", header, re.MULTILINE) == names


def test_every_module_has_its_contract(design):
    """The first paragraph of the docstring of its class, if it has one."""
    _, folder, manifest = design
    text = (folder / f"{manifest['module']}.v").read_text()
    modules = re.findall(r"^((?:// .*\n)*)module (\w+)", text.partition("\n\n")[2], re.MULTILINE)
    assert len(modules) > 5
    bare = [name for comment, name in modules if not comment]  # modules without a class
    assert len(bare) < len(modules) / 4
    loops = " ".join(inspect.getdoc(LoopNest).partition("\n\n")[0].split())
    assert any(loops in " ".join(comment.replace("//", "").split()) for comment, _ in modules)
    assert "spikeloom_contract" not in text


def test_port_names_suit_every_language(design):
    _, _, manifest = design
    for port in manifest["ports"]:
        assert port["name"] not in VERILOG | SYSTEMVERILOG
        assert port["name"].lower() not in VHDL
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*", port["name"])


def test_verilog_instance(design, icarus):
    _, folder, manifest = design
    name = manifest["module"]
    sources = [folder / "instances" / f"{name}_example.v", folder / f"{name}.v"]
    for mode in ("-g2001", "-g2012"):
        options = [mode, "-Wall", "-Wno-timescale", "-s", f"{name}_example", "-o", "x.vvp"]
        done = run_command([locate("iverilog"), *options, *sources], folder)
        assert (done.returncode, done.stdout) == (0, "")


def test_systemverilog_instance(design):
    _, folder, manifest = design
    name = manifest["module"]
    home = Verilator.home()
    command = [home / "bin" / "verilator", "--lint-only", "-Wall", "-Wno-DECLFILENAME"]
    sources = [f"{name}.vlt", f"instances/{name}_wrapper.sv", f"{name}.v"]
    top = ["--top-module", f"{name}_wrapper"]
    done = run_command([*command, *top, *sources], folder, VERILATOR_ROOT=str(home))
    # The default width of an interface at the top is 8 bits.
    widths = [stream["tdata_bits"] for stream in manifest["streams"]]
    expected = "WIDTH" if any(width != 8 for width in widths) else None
    warnings = set(re.findall(r"%(?:Warning-)?(\w+):", done.stdout)) - {"Error"}
    assert all(warning.startswith(expected or "none") for warning in warnings), done.stdout


@pytest.mark.parametrize("standard", ["93", "08"])
def test_vhdl_component(design, standard):
    """GHDL elaborates an entity that instantiates the component."""
    ghdl = locate("ghdl")
    if ghdl is None:
        pytest.skip("ghdl is not installed")
    _, folder, manifest = design
    name = manifest["module"]
    ports = manifest["ports"]
    kinds = {p["name"]: vhdl_kind(p["width"]) for p in ports}
    signals = "\n".join(f"  signal {port} : {kind};" for port, kind in kinds.items())
    maps = ", ".join(f"{port} => {port}" for port in kinds)
    user = folder / f"user_{standard}.vhd"
    user.write_text(
        "library ieee;\nuse ieee.std_logic_1164.all;\n"
        f"use work.{name}_component.all;\n"
        "entity user is end entity;\narchitecture a of user is\n"
        f"{signals}\nbegin\n  core : {name} port map ({maps});\nend architecture;\n"
    )
    work = [f"--std={standard}", f"--workdir={folder}"]
    component = f"instances/{name}_component.vhd"
    for command in (["-a", *work, component, user.name], ["-e", *work, "user"]):
        done = run_command([ghdl, *command], folder)
        assert done.returncode == 0, done.stdout
        assert "error" not in done.stdout


def vhdl_kind(width):
    return "std_logic" if width == 1 else f"std_logic_vector({width - 1} downto 0)"


def test_amaranth_instance(design):
    """Yosys finds every port of the instance in the Verilog, with its width."""
    _, folder, manifest = design
    name = manifest["module"]
    path = folder / "instances" / f"{name}_amaranth.py"
    spec = importlib.util.spec_from_file_location("generated_amaranth", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    kind = getattr(module, class_name(manifest["module"]))
    (folder / "user.il").write_text(rtlil.convert(kind(), name="user", emit_src=False))
    run_tool(
        "yosys",
        "-q",
        "-p",
        f"read_verilog -defer {name}.v; read_rtlil user.il; hierarchy -check -top user; "
        "proc; check -assert",
        cwd=folder,
    )


def test_litex_instance(design):
    """The text is Python, and its instance has exactly the ports of the design."""
    _, folder, manifest = design
    text = (folder / "instances" / f"{manifest['module']}_litex.py").read_text()
    compile(text, "litex.py", "exec")
    found = {name: flow for flow, name in re.findall(r"^            ([io])_(\w+)=", text, re.M)}
    assert found == {port["name"]: port["direction"][0] for port in manifest["ports"]}
