"""What `generate --shell` writes: one register map in every document, instances, testbench."""

import ast
import json
import re
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml
from amaranth.hdl import Module

import spikeloom.export
from spikeloom.blocks.component import Component
from spikeloom.blocks.control import core_members
from spikeloom.cores.lfsr import LFSRUnit
from spikeloom.errors import InputError
from spikeloom.export.files import Options, core_files, write_files
from spikeloom.export.verilog import to_verilog
from spikeloom.port import Flag
from spikeloom.shell.buses import BUSES
from spikeloom.shell.registers import core_registers
from spikeloom.tools import require, run_tool

from ..pages import DOCS
from ..shell.test_shell import CORES
from .test_testbench import run_icarus

DOCUMENTED = {"ssa": "axi-lite", "saturating": "wishbone", "network": "axi-lite"}


@pytest.fixture(scope="module", params=DOCUMENTED)
def design(request, tmp_path_factory):
    """The folder of a core behind a shell, and its registers as JSON."""
    folder = tmp_path_factory.mktemp(request.param)
    bus = DOCUMENTED[request.param]
    write_files(folder, core_files(CORES[request.param], Options(name="mine", shell=bus)))
    return folder, json.loads((folder / "registers" / "mine.json").read_text())


def test_manifest_names_the_shell(design):
    folder, described = design
    manifest = json.loads((folder / "manifest.json").read_text())
    schema = Path(spikeloom.export.__file__).parent / "manifest.schema.json"
    jsonschema.validate(manifest | {"board": None, "files": []}, json.loads(schema.read_text()))
    assert manifest["shell"] == described["bus"]
    names = {port["name"] for port in manifest["ports"]}
    assert "irq" in names
    assert not names & {"start", "busy", "done", "seed", "misframed"}


def test_registers_do_not_overlap(design):
    _, described = design
    offsets = [register["offset"] for register in described["registers"]]
    assert offsets == sorted({*offsets})
    assert all(offset % 4 == 0 and offset < described["region_bytes"] for offset in offsets)
    for register in described["registers"]:
        taken = 0
        for field in register["fields"]:
            mask = ((1 << field["bits"]) - 1) << field["low"]
            assert mask & taken == 0
            assert mask < 1 << described["word_bits"]
            taken |= mask
        assert register["reset"] & ~taken == 0


def test_c_header(design, tmp_path):
    """A C++ compiler takes it, and its numbers are those of the JSON."""
    folder, described = design
    header = folder / "registers" / "mine.h"
    lines, expected = [], []
    for register in described["registers"]:
        name = f"MINE_{register['name']}"
        lines += [f"{name}_OFFSET", f"{name}_RESET"]
        expected += [register["offset"], register["reset"]]
        for field in register["fields"]:
            lines += [f"{name}_{field['name'].upper()}_{part}" for part in ("SHIFT", "MASK")]
            expected += [field["low"], ((1 << field["bits"]) - 1) << field["low"]]
    checks = "".join(
        f"typedef char check_{n}[({line}) == {value}u ? 1 : -1];\n"
        for n, (line, value) in enumerate(zip(lines, expected, strict=True))
    )
    program = tmp_path / "check.cpp"
    program.write_text(f'#include "{header.name}"\n#include "{header.name}"\n{checks}')
    options = ["-std=c++17", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]
    command = [require("c++"), *options, f"-I{header.parent}", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_markdown(design):
    folder, described = design
    text = (folder / "registers" / "mine.md").read_text()
    rows = re.findall(
        r"^\| `0x(\w+)` \| `(\w+)` \| ([\w-]+) \| `0x(\w+)` \| (.*) \|$", text, re.MULTILINE
    )
    assert rows == [
        (f"{r['offset']:03x}", r["name"], r["access"], f"{r['reset']:08x}", r["meaning"])
        for r in described["registers"]
    ]
    fields = re.findall(r"^\| (?:(\d+)\.\.)?(\d+) \| `(\w+)` \| (.*?) \|", text, re.MULTILINE)
    assert [(name, int(low), access) for _, low, name, access in fields] == [
        (f["name"], f["low"], f["access"]) for r in described["registers"] for f in r["fields"]
    ]


@pytest.mark.skipif(find_spec("cmsis_svd") is None, reason="cmsis-svd is not installed")
def test_svd(design):
    """It agrees with the schema of CMSIS-SVD, and a parser of others finds the same registers."""
    import cmsis_svd
    from cmsis_svd.parser import SVDParser
    from lxml import etree

    folder, described = design
    path = folder / "registers" / "mine.svd"
    schema = Path(cmsis_svd.__file__).parent / "schemas" / "CMSIS-SVD_1_3_9.xsd"
    etree.XMLSchema(etree.parse(schema)).assertValid(etree.parse(path))
    (peripheral,) = SVDParser.for_xml_file(str(path)).get_device().peripherals
    found = [
        (r.name, r.address_offset, r.reset_value, r.access.value, r.description)
        for r in peripheral.registers
    ]
    assert found == [
        (r["name"], r["offset"], r["reset"], r["access"], r["meaning"])
        for r in described["registers"]
    ]
    fields = [
        (f.name, f.bit_offset, f.bit_width, f.modified_write_values is not None)
        for r in peripheral.registers
        for f in r.fields
    ]
    assert fields == [
        (f["name"], f["low"], f["bits"], "clear" in f["access"])
        for r in described["registers"]
        for f in r["fields"]
    ]


def test_flags_of_several_bits():
    """Each has a register of its own, or two."""
    names = [register.name for register in core_registers(CORES["saturating"])]
    assert names[-1] == "FLAG_SATURATED"
    assert [r.name for r in core_registers(Wide.from_settings(KEYS))][-2:] == [
        "FLAG_COUNT_LOW",
        "FLAG_COUNT_HIGH",
    ]


BENCHES = [
    pytest.param("ssa", {"shell": "axi-lite", "reset": "aresetn", "initial": False}),
    pytest.param("network", {"shell": "wishbone"}),
    pytest.param("a2os2a", {"shell": "wishbone", "tdata": "power-of-two"}, marks=pytest.mark.long),
    pytest.param("spiked", {"shell": "axi-lite"}, marks=pytest.mark.long),
]


@pytest.mark.parametrize(("core", "options"), BENCHES)
def test_testbench(core, options, tmp_path):
    """The testbench of the design writes seed and start, and checks outputs, cycles, irq and
    flags; a wrong number of cycles is found."""
    write_files(tmp_path, core_files(CORES[core], Options(name="mine", **options)))
    folder = tmp_path / "testbench"
    done = run_icarus("mine", folder)
    assert (done.returncode, "PASSED, 3 runs" in done.stdout) == (0, True), done.stdout
    bench = folder / "mine_tb.v"
    text = bench.read_text()
    wrong = re.sub(r"(if \(run == 0\) expect_word\(12'h018, )(\d+)", r"\g<1>1\2", text)
    assert wrong != text
    bench.write_text(wrong)
    done = run_icarus("mine", folder)
    assert (done.returncode != 0, "register 0x018 is" in done.stdout) == (True, True), done.stdout


@pytest.mark.long
@pytest.mark.parametrize(("core", "bus"), [("ssa", "axi-lite"), ("network", "wishbone")])
def test_testbench_in_verilator(core, bus, tmp_path, verilator):
    """Also in 5.006, which takes a non-blocking assignment in an initial block for a blocking one;
    a bus that does not answer ends it."""
    write_files(tmp_path, core_files(CORES[core], Options(name="mine", shell=bus)))
    folder = tmp_path / "testbench"
    done = verilator.run_bench(folder, "mine_tb", "mine_tb.v", "../mine.v")
    assert (done.returncode, "PASSED, 3 runs" in done.stdout) == (0, True), done.stdout


@pytest.mark.parametrize(
    ("bus", "port", "register"),
    [
        ("axi-lite", "s_axi_awvalid", "020"),
        ("axi-lite", "s_axi_arvalid", "000"),
        ("wishbone", "wb_stb", "000"),
    ],
)
def test_bus_without_answers(bus, port, register, tmp_path):
    """The testbench ends, and names the registers."""
    files = core_files(CORES["ssa"], Options(name="mine", shell=bus))
    deaf = files["mine.v"].replace(f"({port})", "(1'b0)")
    assert deaf != files["mine.v"]
    write_files(tmp_path, files | {"mine.v": deaf})
    done = run_icarus("mine", tmp_path / "testbench")
    assert (done.returncode != 0, "mine: FAILED" in done.stdout) == (True, True), done.stdout
    assert f"register 0x{register}: an error, or no answer" in done.stdout


def test_attributes_for_vivado():
    """AXI4-Lite with its clock, and the interrupt."""
    text = to_verilog(CORES["ssa"], name="dut", shell="axi-lite").text
    head = text.partition("module dut(")[2].partition("\n);")[0]
    assert "ASSOCIATED_BUSIF s_axi:s_axis_q:s_axis_k:s_axis_v:m_axis_o," in head
    for part in ("AWADDR", "WSTRB", "BRESP", "ARVALID", "RREADY"):
        info = f'(* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi {part}" *)'
        assert re.search(rf"{re.escape(info)}\n  \w+ .*s_axi_{part.lower()},?$", head, re.MULTILINE)
    assert "xilinx.com:signal:interrupt:1.0 irq INTERRUPT" in head


def test_command(spikeloom, tmp_path):
    """The option writes the documents; a bus that is not known is one line, and nothing is left."""
    keys = ("--set", "width=8", "--set", "steps=3", "--name", "noise")
    ran = spikeloom("generate", "lfsr", *keys, "--shell", "axi-light", "-o", "out")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "unknown shell 'axi-light'; did you mean axi-lite?" in ran.err
    assert list(tmp_path.iterdir()) == []
    assert spikeloom("generate", "lfsr", *keys, "--shell", "wishbone", "-o", "out").code == 0
    files = {path.name for path in (tmp_path / "out" / "registers").iterdir()}
    assert files == {f"noise.{suffix}" for suffix in ("md", "json", "h", "svd")}


KEYS = {"width": 8, "steps": 3}


@dataclass(frozen=True, kw_only=True)
class Wide(LFSRUnit):
    """A core with a flag of more than a word."""

    @property
    def flags(self):
        return {"count": Flag("counts something", 40)}


@dataclass(frozen=True, kw_only=True)
class Quoting(LFSRUnit):
    """A core whose texts have the signs that end a text in some language."""

    @property
    def flags(self):
        return super().flags | {"odd": Flag('\'"a | b" \\\\ */\n<é>\\')}

    def describe(self):
        return 'one "two"\n\\'

    def create(self):
        return Constant(core_members(self))


@dataclass(frozen=True, kw_only=True)
class Keyword(LFSRUnit):
    """A core with a port that is a keyword."""

    @property
    def flags(self):
        return super().flags | {"Signal": Flag("a flag")}

    def create(self):
        return Ports(core_members(self))


@dataclass(frozen=True, kw_only=True)
class Refusing(LFSRUnit):
    """A core with a flag that has the name of an interrupt."""

    @property
    def flags(self):
        return super().flags | {"refused": Flag("something was refused")}

    def create(self):
        return Ports(core_members(self))


@dataclass(frozen=True, kw_only=True)
class Endless(LFSRUnit):
    """A core that never says that it is done."""

    def create(self):
        members = core_members(self)
        del members["done"]
        return Ports(members)


@dataclass(frozen=True, kw_only=True)
class Tunable(LFSRUnit):
    """A core with a port that is neither a flag nor a stream."""

    def create(self):
        members = core_members(self)
        return Ports(members | {"gain": members["start"]})


class Ports(Component):
    """Ports without anything behind them."""

    def elaborate(self, platform):
        raise NotImplementedError


class Constant(Ports):
    """Ports that stay 0."""

    def elaborate(self, platform):
        return Module()


@pytest.mark.parametrize("bus", [None, *BUSES])
def test_texts_with_signs_of_the_languages(bus, tmp_path):
    """No file in which a tool finds the end of a text too early; it is one line everywhere."""
    core = Quoting.from_settings(KEYS)
    write_files(tmp_path, core_files(core, Options(name="mine", shell=bus)))
    meaning, summary = '\'"a | b" \\\\ */ <é>\\', 'one "two" \\'
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["summary"] == summary
    assert yaml.safe_load((tmp_path / "mine.core").read_text())["description"] == summary
    for language in ("amaranth", "litex"):
        text = (tmp_path / "instances" / f"mine_{language}.py").read_text()
        (kind,) = [
            node
            for node in ast.parse(text).body
            if isinstance(node, ast.ClassDef) and node.name == "Mine"
        ]
        assert ast.get_docstring(kind, clean=False) == summary
    sources = ["mine.v", "instances/mine_example.v"]
    run_tool("yosys", "-q", "-p", f"read_verilog {' '.join(sources)}; check", cwd=tmp_path)
    if bus is None:
        assert {port["meaning"] for port in manifest["ports"] if port["name"] == "odd"} == {meaning}
        assert f"description={json.dumps(meaning, ensure_ascii=False)})" in text
        return
    header = tmp_path / "registers" / "mine.h"
    options = ["-std=c++17", "-Wall", "-Werror", "-fsyntax-only", "-x", "c++"]
    done = subprocess.run([require("c++"), *options, header], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    svd = ElementTree.parse(tmp_path / "registers" / "mine.svd").getroot()
    assert svd.findtext("description") == summary
    table = (tmp_path / "registers" / "mine.md").read_text()
    rows = re.findall(r"^\| .* \| `odd` \| .*$", table, re.MULTILINE)
    assert [len(re.split(r"(?<!\\)\|", row)) for row in rows] == [7] * 3


def test_port_that_is_a_keyword():
    with pytest.raises(InputError, match="lfsr: port 'Signal' is a keyword of VHDL"):
        to_verilog(Keyword.from_settings(KEYS))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Endless, "lfsr: no port done, which a register shell needs; generate it without --shell"),
        (Tunable, "lfsr: no register stands for its port gain; generate it without --shell"),
        (Refusing, "lfsr: flag refused has the name of an interrupt of the register shell"),
    ],
)
def test_cores_that_do_not_fit(kind, message):
    with pytest.raises(InputError, match=message) as raised:
        to_verilog(kind.from_settings(KEYS), shell="wishbone")
    assert "\n" not in str(raised.value)


PAGE = (DOCS / "use-a-core.md").read_text()


def test_page(spikeloom, tmp_path):
    """The command of the page, its table of registers, and its C code."""
    (command,) = re.findall(r"^    spikeloom (generate .*--shell .*)$", PAGE, re.MULTILINE)
    assert spikeloom(*command.split()).code == 0
    folder = tmp_path / command.split()[-1] / "registers"
    assert all(f"`{path.name}`" in PAGE for path in folder.iterdir())

    described = json.loads((folder / "attention.json").read_text())["registers"]
    rows = re.findall(r"^\| (`0x\w+`.*?) \| (.*?) \| ([\w-]+) \| .* \|$", PAGE, re.MULTILINE)
    shown = [
        (int(offset, 16), name, access)
        for offsets, names, access in rows
        for offset, name in zip(
            re.findall(r"`(0x\w+)`", offsets), re.findall(r"`(\w+)`", names), strict=True
        )
    ]
    assert shown == [(r["offset"], r["name"], r["access"]) for r in described]
    (code,) = re.findall(r"```c\n(.*?)```", PAGE, re.DOTALL)
    program = tmp_path / "run.cpp"
    program.write_text(f"{code}int main() {{ run(nullptr, 1); }}\n")
    options = ["-std=c++17", "-Wall", "-Werror", "-fsyntax-only", f"-I{folder}"]
    done = subprocess.run([require("c++"), *options, program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
