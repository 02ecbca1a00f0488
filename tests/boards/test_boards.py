"""Boards: constraints match the platforms, PLLs generate their clocks, and builds work."""

import hashlib
import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikeloom.errors import InputError
from spikeloom.families import FAMILIES
from spikeloom.outputs import RECORD
from spikeloom.tools import for_amaranth, locate, run_tool
from spikeloom_boards.board_top import BoardTop
from spikeloom_boards.boards import BOARDS
from spikeloom_boards.build import Build, build, design_files
from spikeloom_boards.clocking import ClockPlan
from spikeloom_boards.constraints import constraints_name, constraints_text
from spikeloom_boards.flash import plan
from spikeloom_boards.presets import core_clock, preset_config, presets_of

CONSTRAINTS = Path(__file__).parents[2] / "constraints"


@pytest.mark.parametrize("board", BOARDS)
def test_constraints_follow_the_board(board):
    target = BOARDS[board]
    assert (CONSTRAINTS / constraints_name(target)).read_text() == constraints_text(target)


def test_no_constraints_without_a_board():
    kept = {path.name for path in CONSTRAINTS.iterdir()} - {"README.md"}
    assert kept == {constraints_name(target) for target in BOARDS.values()}


@pytest.mark.parametrize("mhz", [24, 30, 36, 48])
def test_ice_pll_agrees_with_icepll(mhz):
    """Project IceStorm's calculator finds the same frequency from the same dividers."""
    pll = FAMILIES["ice40"].pll(12e6, mhz * 1e6)
    assert 12 * (pll.divf + 1) / 2**pll.divq / (pll.divr + 1) == mhz
    beside = Path(locate("icepack")).parent / "yowasp-icepll"
    output = _output(beside, "-i", "12", "-o", str(mhz))
    assert f"FILTER_RANGE: {pll.filter_range} " in output
    for name, value in (("DIVR", pll.divr), ("DIVF", pll.divf), ("DIVQ", pll.divq)):
        assert re.search(rf"{name}:\s+{value} ", output), output


@pytest.mark.parametrize("mhz", [50, 60, 62.5, 75, 100])
def test_ecp_pll(mhz):
    pll = FAMILIES["ecp5"].pll(25e6, mhz * 1e6)
    assert 25 * pll.fb_div / pll.in_div == mhz
    assert 400 <= mhz * pll.out_div <= 800


@pytest.mark.parametrize(("oscillator", "mhz"), [(25, 75), (100, 75), (48, 72), (50, 60)])
def test_ecp_pll_agrees_with_ecppll(oscillator, mhz, tmp_path):
    """Project Trellis' calculator accepts the same dividers."""
    pll = FAMILIES["ecp5"].pll(oscillator * 1e6, mhz * 1e6)
    beside = Path(locate("ecppack")).parent / "yowasp-ecppll"
    _output(beside, "-i", str(oscillator), "-o", str(mhz), "-f", "pll.v", cwd=tmp_path)
    verilog = (tmp_path / "pll.v").read_text()
    for name, value in (
        ("CLKI_DIV", pll.in_div),
        ("CLKFB_DIV", pll.fb_div),
        ("CLKOP_DIV", pll.out_div),
    ):
        assert f".{name}({value})" in verilog, verilog


def test_clock_out_of_reach():
    assert FAMILIES["ice40"].pll(12e6, 1e6) is None
    with pytest.raises(InputError, match=r"33\.333333 MHz cannot be made"):
        ClockPlan(BOARDS["icebreaker"], 33_333_333)


@pytest.mark.parametrize("board", BOARDS)
def test_preset_is_a_valid_configuration(board):
    presets = presets_of(BOARDS[board])
    for core, preset in presets.items():
        config = preset_config(core, BOARDS[board])
        assert preset.settings.items() <= config.as_dict().items()
    assert "ssa" in presets


@pytest.mark.parametrize("board", BOARDS)
def test_pins(board):
    """Lights, tied pins and serial port are pins of the platform, each used once."""
    target = BOARDS[board]
    platform = target.make_platform()
    platform.request(target.clock, dir="-")
    for n in range(len(target.leds)):
        platform.request("light", n, dir="-")
    for n in range(len(target.tied)):
        platform.request("tied", n, dir="-")
    if target.uart.on_light:  # the two share a pin
        platform = target.make_platform()
    platform.request("serial", 0, dir={"rx": "-", "tx": "-"})


class Echo(wiring.Component):
    """A design with a serial line."""

    rx: In(1)
    tx: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.tx.eq(self.rx)
        return m


def echo_files(target):
    """Files that Amaranth writes for an `Echo` on a board, by name."""
    top = BoardTop(target, Echo(), ("tx", "tx"), target.frequency)
    with for_amaranth(target.family.TOOLS):
        files = target.make_platform().prepare(top, "echo").files
    return {name: text if isinstance(text, str) else text.decode() for name, text in files.items()}


@pytest.mark.slow
@pytest.mark.parametrize("board", BOARDS)
def test_nextpnr_takes_clock_lights_and_serial_line(board, tmp_path):
    """nextpnr accepts the clock input, PLL, pins and package together."""
    target = BOARDS[board]
    for name, text in echo_files(target).items():
        (tmp_path / name).write_text(text)
    run_tool("yosys", "-ql", "echo.log", "echo.ys", cwd=tmp_path)
    family = target.family
    pins = f"echo.{family.CONSTRAINTS}"
    mhz = target.frequency / 1e6
    command = family.place(target.part, f"echo.{family.NETLIST}", constraints=pins, mhz=mhz)
    run_tool(*command, "--report", "report.json", "--quiet", cwd=tmp_path)
    nextpnr = json.loads((tmp_path / "report.json").read_text())
    (clock,) = nextpnr["fmax"].values()
    assert clock["constraint"] == pytest.approx(mhz, rel=1e-3)
    plls = nextpnr["utilization"][family.PLL]["used"]
    assert plls == (target.frequency != target.oscillator)


@pytest.mark.parametrize("board", BOARDS)
def test_serial_line_goes_to_the_pins_of_the_constraints(board):
    target = BOARDS[board]
    (text,) = (t for n, t in echo_files(target).items() if n.endswith(target.family.CONSTRAINTS))
    constraints = re.sub('[";]', "", text)
    kept = re.sub('#.*|[";]', "", constraints_text(target))
    for part in ("rx", "tx"):
        where = r"(?:SITE |Loc = )?"
        pin = re.search(rf"uart_{part} {where}(\w+)\b", kept)[1]
        assert re.search(rf"serial_0__{part}__io {where}{pin}\b", constraints)
    assert ("light_0__io" in constraints) == (not target.uart.on_light)


@pytest.mark.parametrize("board", BOARDS)
def test_nextpnr_options_are_those_of_the_platform(board):
    target = BOARDS[board]
    platform = target.make_platform()
    command = target.family.place(target.part, "x.json")
    options = dict(pairwise(command))
    if target.family.NAME == "ice40":
        assert options["--package"] == platform.package.lower()
        assert "--speed" not in options
        assert f"--{platform.device[5:].lower()}" in command
    elif target.family.NAME == "gowin":
        assert options["--device"] == platform.part
        series = platform._chipdb_device.replace("AR", "A")  # the R stands for a second die
        assert f"family={series}" in command
    elif target.family.NAME == "gatemate":
        assert options["--device"] == platform.device
    else:
        package = platform._nextpnr_package_options[platform.package]
        assert options["--package"].lower() == package.lower()
        assert options["--speed"] == platform.speed
        assert platform._nextpnr_device_options[platform.device] in command
    assert target.device.name == getattr(platform, "device", target.device.name)


@pytest.mark.parametrize("board", BOARDS)
def test_frequencies_can_be_made(board):
    target = BOARDS[board]
    assert target.make_platform().resources[target.clock, 0].clock.frequency == target.oscillator
    for frequency in (target.frequency, *(core_clock(core, target) for core in presets_of(target))):
        ClockPlan(target, frequency)


@pytest.mark.parametrize(
    ("board", "settings", "chosen"),
    [
        ("icestick", {"tokens": "49", "head_dim": "32"}, {"cells": 7, "bits": 8, "random": "own"}),
        ("icebreaker", {"tokens": "49"}, {"feed": "diagonals", "random": "own"}),
        ("icebreaker", {"inputs": "values"}, {"feed": "rows", "bits": 8, "random": "own"}),
        ("icebreaker", {"engine": "counter"}, {"cells": 16, "bits": 8, "random": "slices"}),
    ],
)
def test_another_shape_engine_or_input_is_chosen_for_anew(board, settings, chosen):
    config = preset_config("ssa", BOARDS[board], settings)
    assert chosen.items() <= config.as_dict().items()


@pytest.mark.parametrize(
    ("board", "size"),
    [
        pytest.param("icebreaker", 104_090, marks=pytest.mark.long),
        pytest.param("colorlight-5a75b", None, marks=pytest.mark.slow),
    ],
)
def test_small_build(board, size, tmp_path):
    """Build a bitstream and report of a small core; the bytes do not depend on the folder."""
    target = BOARDS[board]
    config = preset_config("ssa", target, {"tokens": 8, "head_dim": 8})
    begun, hashes = [], []
    for folder in ("a", "another/b"):
        job = Build(config, target, core_clock("ssa", target))
        report = build(job, tmp_path / folder, begun.append)
        bitstream = (tmp_path / folder / report.bitstream).read_bytes()
        hashes.append(hashlib.sha256(bitstream).hexdigest())
        assert size in (None, len(bitstream))
    assert begun == ["elaborate", "synthesise", "place and route", "pack"] * 2
    assert hashes == [report.bitstream_sha256] * 2
    assert report.timing_met
    assert 0 < report.cells < report.cells_available
    assert json.loads((tmp_path / "a" / "report.json").read_text())["fmax_mhz"] == report.fmax_mhz
    page = (tmp_path / "a" / "report.html").read_text()
    assert "core.lane_0" in page  # in the floorplan
    assert f"{report.fmax_mhz:.1f} MHz" in page
    left = {path.name for path in (tmp_path / "a").iterdir()}
    logs = {"synthesis.log", "nextpnr.log", "nextpnr.json", "spikeloom.ys"}
    reports = {"report.json", "report.html", "times.json", RECORD}
    assert left - logs - reports <= {report.bitstream, "spikeloom.pcf", "spikeloom.lpf"}
    assert plan(tmp_path / "a").board == board


def test_design_is_the_same_text_everywhere():
    """The synthesis input does not depend on set order or installation folders."""
    script = (
        "from spikeloom_boards.build import Build, design_files; "
        "from spikeloom_boards.boards import BOARDS; "
        "from spikeloom_boards.presets import preset_config; "
        "target = BOARDS['icestick']; "
        "job = Build(preset_config('ssa', target), target, target.frequency); "
        "print(''.join(design_files(job).values()))"
    )
    texts = [
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    assert texts[0] == texts[1]
    assert 'attribute \\src "spikeloom/' in texts[0]
    assert not re.search(r'src "([^"]*\|)?/', texts[0])
    assert not re.search(r"\\\S*\[", texts[0])
    assert sys.prefix not in texts[0]


def test_memories_in_block_ram_have_no_bypass():
    """Every read port of a memory that is never read where it is written; a transparent one has
    its own."""
    target = BOARDS["icebreaker"]
    config = preset_config("spiked", target)
    text = design_files(Build(config, target, core_clock("spiked", target)))["spikeloom.il"]
    modules = [part for part in text.split("\nend\n") if "cell $memrd_v2" in part]
    kinds = [
        (
            "attribute \\no_rw_check 1" in part,
            "1" in re.search(r"TRANSPARENCY_MASK \d+'(\d+)", part)[1],
            "0" not in re.search(r"COLLISION_X_MASK \d+'(\d+)", part)[1],
        )
        for part in modules
    ]
    assert all(free == (unchecked and not transparent) for unchecked, transparent, free in kinds)
    assert sum(free for *_, free in kinds) >= 8


@pytest.mark.long
def test_core_that_does_not_fit(tmp_path):
    target = BOARDS["icestick"]
    config = preset_config("ssa", target, {"tokens": 32, "head_dim": 32})
    with pytest.raises(InputError, match=r"does not fit iCE40HX1K: .* \d+ block RAMs of 16"):
        build(Build(config, target, core_clock("ssa", target)), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("core", "board"), [(core, board) for board in BOARDS for core in presets_of(BOARDS[board])]
)
def test_preset_builds_and_meets_its_clock(core, board, tmp_path):
    target = BOARDS[board]
    job = Build(preset_config(core, target), target, core_clock(core, target))
    assert build(job, tmp_path / board).timing_met


def _output(program, *arguments, cwd=None):
    command = [program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=cwd).stdout


@pytest.mark.parametrize(
    ("board", "in_block_ram"),
    [("icebreaker", False), pytest.param("ulx3s-85f", True, marks=pytest.mark.long)],
)
def test_memories_suit_the_family(board, in_block_ram):
    """iCE40 has no LUTs that are memory: what is written goes to block RAM, trace tables do not."""
    target = BOARDS[board]
    config = preset_config("spiked", target)
    text = design_files(Build(config, target, core_clock("spiked", target)))["spikeloom.il"]
    memories = re.findall(r"((?: *attribute .*\n)*) *memory width (\d+) size \d+ \\(\w+)\n", text)
    forced = {(name, int(width)): "ram_style" in attributes for attributes, width, name in memories}
    codes = len(config.create().o.payload.data) * config.encoders
    traces = {width: inside for (name, width), inside in forced.items() if name == "traces_0"}
    assert set(traces.values()) == {in_block_ram}
    assert max(traces) <= config.frac_bits + 1
    assert forced["memory", codes] != in_block_ram
