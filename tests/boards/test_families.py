"""FPGA families are defined in one file each, and boards as data; tests add new ones."""

import json
import re
from fnmatch import fnmatch
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spikeloom.families as families
from spikeloom.contract import BenchRow
from spikeloom.cores.ssa import SSA
from spikeloom.errors import InputError, JobError
from spikeloom.export.verilog import to_verilog
from spikeloom.families import FAMILIES, find_family, find_netlist, find_part
from spikeloom.tools import TOOLS, run_tool
from spikeloom_boards.bench.designs import Design
from spikeloom_boards.boards import BOARDS, add_boards, find_board, read_boards
from spikeloom_boards.build import Build, build
from spikeloom_boards.constraints import constraints_text
from spikeloom_boards.presets import core_clock, preset_config
from spikeloom_cli.main import main
from spikeloom_sim.netlist import synthesise
from spikeloom_sim.simulators import Icarus
from tests.pages import files_of

ROOT = Path(__file__).parents[2]
HOME = ROOT / "hdl" / "spikeloom" / "families"

# The board and the family that the documentation adds.
BOARD_PAGE, FAMILY_PAGE = files_of("docs/add-a-board.md"), files_of("docs/add-a-family.md")
TOY = BOARD_PAGE["boards/spikeloom_boards/boards/toy.toml"]
PINS = BOARD_PAGE["constraints/toy.pcf"]
GATES = FAMILY_PAGE["hdl/spikeloom/families/gates.py"]

# Data outside `HOME` that refers to families: presets by device class, bench rows by device.
DATA = (
    "boards/spikeloom_boards/bench/designs.py",
    *("hdl/spikeloom/cores/*/presets.py", "hdl/spikeloom/cores/*/bench.py"),
    "hdl/spikeloom/networks/presets.py",
    "boards/spikeloom_boards/platforms/*.py",
)
GENERAL = {"LUT4", "PLL"}  # a family's name of its cell or PLL, and a word of every report
PRIMITIVES = r"SB_|TRELLIS_|ICESTORM_|CCU2C|DP16KD|PDPW16KD|EHXPLL|PFUMX|L6MUX|nextpnr-\w"


def words(family):
    """Names that identify a family outside its file."""
    names = [family.NAME, family.TITLE, *family.TOOLS, family.PACKAGE, *family.MODELS]
    names += [family.CELL, family.RAM, family.PLL]
    for device in family.DEVICES:
        names += [device.id, device.name, *device.packages, device.presets]
    return [name for name in names if name not in GENERAL]


def test_families_are_named_in_their_own_files_alone():
    names = sorted({re.escape(name) for one in FAMILIES.values() for name in words(one)})
    named = re.compile(rf"(?<![a-z])({'|'.join(names)})(?![a-z])|(?-i:{PRIMITIVES})", re.IGNORECASE)
    houses = ("hdl", "sim", "boards", "cli", "models")
    sources = chain.from_iterable((ROOT / house).rglob("*.*") for house in houses)
    found = {}
    for path in sorted(sources):
        if path.suffix in (".py", ".html", ".css", ".cpp") and path.parent != HOME:
            lines = path.read_text().splitlines()
            lines = [f"{n}: {line}" for n, line in enumerate(lines, 1) if named.search(line)]
            if lines:
                found[path.relative_to(ROOT).as_posix()] = lines
    for path in [path for path in found if any(fnmatch(path, pattern) for pattern in DATA)]:
        print(f"{path}: {len(found.pop(path))} lines of data")
    print(*found.items(), sep="\n")
    assert found == {}
    # A family's parts have its name before an underscore.
    modules = [path.stem for path in HOME.glob("*.py") if path.stem not in ("__init__", "family")]
    kept = {stem.partition("_")[0] for stem in modules}
    assert kept == {family.NAME for family in FAMILIES.values()}


@pytest.fixture
def registries():
    """Restores families, tools and boards after a test."""
    known: dict[str, Any]
    saved = [(known, dict(known)) for known in (FAMILIES, TOOLS, BOARDS)]
    yield
    for known, before in saved:
        known.clear()
        known.update(before)


@pytest.mark.long
def test_a_board_is_added_as_text(registries, tmp_path, monkeypatch, capsys):
    """list, generate, build and flash work for the new board."""
    monkeypatch.chdir(tmp_path)
    (board,) = add_boards(TOY, "toy.toml")
    assert find_board("toy") is board
    assert list(BOARDS).index("toy") < list(BOARDS).index("ulx3s-25f")  # family by family
    assert constraints_text(board) == PINS
    keys = ["--set", "tokens=2", "--set", "head_dim=2", "--set", "steps=1"]
    assert main(["generate", "ssa", "--board", "toy", "-o", "out", *keys]) == 0
    assert (tmp_path / "out" / "toy.pcf").read_text() == PINS

    config = preset_config("ssa", board, {"tokens": 2, "head_dim": 2, "steps": 1})
    report = build(Build(config, board, core_clock("ssa", board)), tmp_path / "built")
    assert (report.board, report.device, report.target_mhz) == ("toy", "iCE40HX1K", 24.0)
    assert report.timing_met
    assert (tmp_path / "built" / report.bitstream).stat().st_size == 32_220  # of every HX1K

    capsys.readouterr()
    assert main(["flash", "built", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["command"][1:3] == ["-b", "toy"]
    assert main(["list", "--json"]) == 0
    listing = json.loads(capsys.readouterr().out)
    assert listing["boards"]["toy"]["cells"] == 1280
    (preset,) = (preset for preset in listing["presets"] if preset["board"] == "toy")
    assert (preset["core"], preset["mhz"]) == ("ssa", 24.0)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('title = "A toy"', "", "toy: key title is missing"),
        ('title = "A toy"', "title = 3", "title = 3 must be of type str"),
        ('title = "A toy"', 'titel = "A toy"', "unknown key 'titel'; keys: id, title"),
        ('title = "A toy"', 'id = "x"', "name the FPGA with device, package and speed"),
        ('"hx1k"', '"hx2k"', "unknown device 'hx2k'; did you mean hx8k?"),
        ('"tq144"', '"sg48"', "package 'sg48' is not one of hx1k's: tq144"),
        ('"tq144"', '"tq144"\nspeed = "6"', "speed '6' is not one of hx1k's: none"),
        ("24_000_000", '"24 MHz"', "frequency = '24 MHz' must be of type int"),
        ("24_000_000", "true", "frequency = True must be of type int"),
        ("24_000_000", "0", "frequency = 0 must be at least 1 Hz"),
        ('[["led", 2]]', '["led", 2]', "leds: 'led' is not [resource, number]"),
        ('[["led", 2]]', '[["led"]]', "leds: ['led'] is not [resource, number]"),
        ("{61 = 1}", "{61 = 2}", "tied: 61 = 2 must be 0 or 1"),
        ('uart.note = "two wires"', "", "toy: uart: key note is missing"),
        ('usb = "1234:abcd"', 'usb = "toy"', "usb must be vendor:product in hexadecimal"),
        ('into = "SRAM"', 'into = "ROM"', "into = 'ROM' is not one of flash, SRAM"),
        ('tool = "openFPGALoader"', 'tool = "magic"', "tool = 'magic' is not one of yosys"),
        ("[toy]", "[toy", "toy.toml: not TOML"),
        ("[toy]", "lonely = 1\n[toy]", "lonely is not a table"),
    ],
)
def test_invalid_boards_are_refused(before, after, message):
    """The error is one line with the file, the board and the key."""
    assert before in TOY
    with pytest.raises(InputError, match=r"^toy\.toml: ") as caught:
        read_boards(TOY.replace(before, after, 1), "toy.toml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_message_on_the_page():
    with pytest.raises(InputError) as caught:
        read_boards(TOY.replace('"tq144"', '"sg48"'), "toy.toml")
    assert f"`{caught.value}`" in (ROOT / "docs" / "add-a-board.md").read_text()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("icestick:", "no_stick:", "cannot be imported; name it module:class"),
        ("ICEStickPlatform", "Platform2", "cannot be imported; name it module:class"),
        ('[["led", 2]]', '[["led", 20]]', "has no resource led 20; it has clk12 0"),
        ('[["led", 2]]', '[["led", 2, "g"]]', "led 2 has no part 'g': none"),
        ('"clk12"', '"clk13"', "has no resource clk13 0"),
    ],
)
def test_missing_platform_resources_are_refused(before, after, message):
    (board,) = read_boards(TOY.replace(before, after, 1), "toy.toml")
    with pytest.raises(InputError, match=r"^toy: ") as caught:
        board.make_platform()
    assert message in str(caught.value)


def test_names_are_taken_once(registries):
    add_boards(TOY, "toy.toml")
    with pytest.raises(InputError, match="the board already exists"):
        add_boards(TOY, "again.toml")
    with pytest.raises(ValueError, match="the name 'ice40' is taken"):
        families.register(find_family("ice40"))


@pytest.fixture
def gates(registries, tmp_path, monkeypatch):
    """The family "gates", found by its file in the families' folder."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "gates.py").write_text(GATES)
    monkeypatch.setattr(families, "__path__", [*families.__path__, str(tmp_path / "more")])
    monkeypatch.chdir(tmp_path)
    families.load()
    return find_family("gates")


def test_a_family_is_one_file(gates, registries, monkeypatch, capsys):
    """Bench, boards, presets, list, doctor and constraints use it."""
    assert list(FAMILIES) == [
        "ice40",
        "gowin",
        "gates",
        "ecp5",
        "gatemate",
    ]  # by their smallest devices
    design = Design(SSA, BenchRow("counter", "1x1", "gates-9k", {"tokens": 2, "head_dim": 2}))
    assert (design.part.family, design.part.device.cells) == (gates, 9000)
    assert find_part("gates-9k", speed="2").speed == "2"
    with pytest.raises(
        InputError, match="unknown family 'x'; families: ice40, gowin, gates, ecp5, gatemate, "
    ):
        find_netlist("x")

    text = TOY.replace('"hx1k"', '"gates-9k"').replace('"tq144"', '"none"')
    (board,) = add_boards(text, "toy.toml")
    assert list(BOARDS).index("tang-nano-20k") + 1 == list(BOARDS).index("toy")
    assert 'IO_PORT "uart_rx" IO_TYPE=LVCMOS33 PULL_MODE=UP;' in constraints_text(board)
    assert constraints_text(board).startswith("// A toy: clock, lights and UART\n// tied_0: hold")
    assert constraints_text(board).endswith("// board_clk: 12 MHz\n")
    with pytest.raises(InputError, match="toy has no preset of ssa"):
        preset_config("ssa", board)
    monkeypatch.setitem(SSA.PRESETS, "gates", SSA.PRESETS["ice40-1k"])
    assert preset_config("ssa", board).as_dict()["tokens"] == 8

    assert main(["list", "--json"]) == 0
    listing = json.loads(capsys.readouterr().out)
    assert listing["boards"]["toy"].items() >= {"family": "gates", "device": "GATES9"}.items()
    assert "toy" in [preset["board"] for preset in listing["presets"]]
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "MISSING place-gates     place and route for Gates  install it with: pip install" in out
    assert "MISSING pack-gates      bitstreams for Gates" in out


def test_netlist_of_a_new_family(gates, tmp_path):
    """It has the ports of the core and contains only gates and flip-flops."""
    module = to_verilog(SSA(tokens=1, head_dim=1, steps=1))
    netlist = synthesise(module, "gates", tmp_path)
    assert (netlist.name, netlist.ports) == (module.name, module.ports)
    assert netlist.text.count("endmodule") == 1
    assert not re.search(r"\+|\bcase\b", re.sub(r"/\*.*?\*/|\\\S+", "", netlist.text))
    assert "+" in module.text


@pytest.mark.long
def test_run_of_a_new_family(gates, tmp_path, capsys):
    """`run --backend netlist --family gates` equals the golden model."""
    if not Icarus.available():
        pytest.skip("icarus is not installed")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((2, 1)))
    tensors = ("--q", "x.npy", "--k", "x.npy", "--v", "x.npy", "--set", "steps=2")
    run = ["run", "ssa", *tensors, "-o", "o.npy", "--backend", "netlist", "--sim", "icarus"]
    assert main([*run, "--family", "gates", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mismatches"] == 0
    assert main([*run, "--family", "gate"]) == 2
    assert "unknown family 'gate'; did you mean gates?" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    "device", [one.id for family in FAMILIES.values() for one in family.DEVICES]
)
def test_place_and_route_knows_every_package_and_speed(device, tmp_path):
    part = find_part(device)
    (tmp_path / "top.v").write_text("module top(input a, output b); assign b = a; endmodule\n")
    script = f"read_verilog top.v; {part.family.synthesise('top', 'top.json')}"
    run_tool("yosys", "-ql", "log", "-p", script, cwd=tmp_path)
    for package in part.device.packages:
        for speed in part.device.speeds:
            command = part.family.place(find_part(device, package, speed), "top.json")
            try:
                run_tool(*command, "--quiet", cwd=tmp_path)
            except JobError as error:  # Gowin: later than the names of package and speed
                if part.family.NAME != "gowin" or "Unconstrained IO" not in str(error):
                    raise
