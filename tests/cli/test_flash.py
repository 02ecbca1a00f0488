"""`spikeloom flash`: the command line for every board, and all errors."""

import hashlib
import json
import re
import subprocess

import pytest

from spikeloom.tools import TOOLS, locate
from spikeloom_boards import usb
from spikeloom_boards.boards import BOARDS

from .fake_usb import FakeUsb

COMMANDS = {
    "icebreaker": "iceprog {}",
    "tang-nano-9k": "openFPGALoader -b tangnano9k {}",
    "tang-nano-20k": "openFPGALoader -b tangnano20k {}",
    "gatemate-a1-evb": "openFPGALoader -b olimex_gatemateevb {}",
    "icestick": "iceprog {}",
    "hx8k-breakout": "iceprog {}",
    "icesugar": "icesprog {}",
    "upduino-v3": "iceprog {}",
    "tinyfpga-bx": "tinyprog -p {}",
    "ulx3s-25f": "openFPGALoader -b ulx3s {}",
    "ulx3s-85f": "openFPGALoader -b ulx3s {}",
    "orangecrab-r0.2": "dfu-util -d 1209:5af0 -a 0 -D {}",
    "ecpix5-45f": "openFPGALoader -b ecpix5 {}",
    "ecpix5-85f": "openFPGALoader -b ecpix5 {}",
    "colorlight-5a75b": "openFPGALoader -b colorlight -c ft232 {}",
    "butterstick": "dfu-util -d 1209:5af1 -a 0 -D {}",
    "icepi-zero": "openFPGALoader -b icepi-zero {}",
    "versa-ecp5": "openFPGALoader -b ecp5_generic -c ft2232 {}",
}
RULE = (
    'SUBSYSTEM=="usb|tty|hidraw", ATTRS{idVendor}=="0403", ATTRS{idProduct}=="6010", '
    'MODE="0660", GROUP="plugdev", TAG+="uaccess"'
)


@pytest.fixture
def devices(tmp_path, monkeypatch):
    """A fake USB tree without devices; tests add them."""
    return FakeUsb(tmp_path / "root", monkeypatch)


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """``tools("iceprog", ...)``: from now on only these programs exist; they record their
    arguments in ``ran``, and fail on request."""
    for tool in TOOLS.values():
        monkeypatch.delenv(tool.variable, raising=False)
    monkeypatch.setattr("sys.executable", str(tmp_path / "nowhere" / "python"))

    def only(*names, failing=False):
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in names:
            script = f"#!/bin/sh\necho {name} $* >> {tmp_path}/ran\n"
            (folder / name).write_text(
                script + ("echo no flash found; exit 3\n" if failing else "")
            )
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return only


@pytest.fixture
def built(tmp_path):
    """``built("icebreaker")``: a folder with the files that `build` writes."""

    def make(board="icebreaker", **entries):
        folder = tmp_path / "out"
        folder.mkdir()
        (folder / "spikeloom.bin").write_bytes(b"bitstream")
        digest = hashlib.sha256(b"bitstream").hexdigest()
        entries = {
            "board": board,
            "bitstream": "spikeloom.bin",
            "bitstream_sha256": digest,
        } | entries
        (folder / "report.json").write_text(json.dumps(entries))
        return folder

    return make


@pytest.mark.parametrize("board", BOARDS)
def test_dry_run_prints_the_command_line(board, spikeloom, built, devices, tools, tmp_path):
    tools()
    ran = spikeloom("flash", built(board), "--dry-run")
    assert (ran.code, ran.out) == (0, COMMANDS[board].format(tmp_path / "out/spikeloom.bin") + "\n")


def test_flash(spikeloom, built, devices, tools, tmp_path):
    tools("iceprog")
    devices.plug_in("icebreaker")
    ran = spikeloom("flash", built())
    assert (ran.code, ran.out) == (0, "icebreaker: spikeloom.bin was loaded into its flash\n")
    assert (tmp_path / "ran").read_text() == f"iceprog {tmp_path}/out/spikeloom.bin\n"


def test_data_of_the_flash_memory(spikeloom, built, devices, tools, tmp_path):
    """It is written first, at its address; a damaged file is refused."""
    tools("iceprog")
    devices.plug_in("icebreaker")
    digest = hashlib.sha256(b"weights").hexdigest()
    data = {"file": "w.bin", "sha256": digest, "address": 131072, "stream": "weights"}
    folder = built(flash_data=data)
    (folder / "w.bin").write_bytes(b"weights")
    ran = spikeloom("flash", folder)
    assert (ran.code, ran.out) == (
        0,
        "icebreaker: spikeloom.bin and w.bin were loaded into its flash\n",
    )
    commands = [f"iceprog -o 131072 {folder}/w.bin", f"iceprog {folder}/spikeloom.bin"]
    assert (tmp_path / "ran").read_text().splitlines() == commands
    shown = spikeloom("flash", folder, "--dry-run").out.splitlines()
    assert [line.partition("/iceprog")[2] for line in shown] == [one[7:] for one in commands]
    (folder / "w.bin").write_bytes(b"weight")
    ran = spikeloom("flash", folder)
    assert (ran.code, "w.bin does not match the hash" in ran.err) == (2, True)


def test_the_tool_that_is_installed_is_taken(spikeloom, built, devices, tools, tmp_path):
    tools("openFPGALoader")
    devices.plug_in("icebreaker")
    record = json.loads(spikeloom("flash", built(), "--json").out)
    bitstream = str(tmp_path / "out/spikeloom.bin")
    assert record["command"][1:] == ["-b", "ice40_generic", bitstream]
    assert record["done"]


def test_where_devices_are_not_shown_the_programmer_looks(
    spikeloom, built, tools, tmp_path, monkeypatch
):
    monkeypatch.setattr(usb, "ROOT", tmp_path)
    tools("iceprog")
    assert spikeloom("flash", built()).code == 0
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("board", "plugged_in", "node", "installed", "message"),
    [
        ("icebreaker", [], "", [], r"iceprog \(apt-get .*\), or openFPGALoader \(.*none is"),
        ("icebreaker", [], "", ["iceprog"], "no device: nothing with USB 0403:6010"),
        ("tinyfpga-bx", [], "", ["tinyprog"], "Press the reset button"),
        (
            "orangecrab-r0.2",
            ["icebreaker"],
            "",
            ["dfu-util"],
            r"wrong device: orangecrab-r0.2 is USB 1209:5af0; plugged in: 0403:6010 "
            r"\(1BitSquared iCEBreaker V1.0e; icebreaker or icestick or",
        ),
        ("icebreaker", ["icebreaker"] * 2, "", ["iceprog"], "2 devices are USB 0403:6010: unplug"),
        ("icebreaker", ["icebreaker"], "005", ["iceprog"], re.escape(RULE)),
        (
            *("tinyfpga-bx", ["tinyfpga-bx"], "ttyACM0", ["tinyprog"]),
            r"no permission for .*/dev/ttyACM0 .* usermod -aG dialout",
        ),
        ("icesugar", ["icesugar"], "hidraw0", ["icesprog"], "no permission for .*/dev/hidraw0"),
    ],
)
def test_what_is_missing(
    board, plugged_in, node, installed, message, spikeloom, built, devices, tools, tmp_path
):
    tools(*installed)
    for number, name in enumerate(plugged_in, start=5):
        devices.plug_in(name, number)
    devices.forbidden.add(node)
    ran = spikeloom("flash", built(board))
    assert ran.code == 1
    assert re.search(message, ran.err), ran.err
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "ran").exists()


def test_a_failing_tool(spikeloom, built, devices, tools):
    tools("iceprog", failing=True)
    devices.plug_in("icebreaker")
    ran = spikeloom("flash", built())
    assert ran.code == 1
    assert "iceprog failed (exit code 3): no flash found" in ran.err


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda out: (out / "report.json").unlink(), "holds no build; make one: spikeloom build"),
        (lambda out: (out / "report.json").write_text("{"), "is not a build report"),
        (lambda out: (out / "report.json").write_text("[]"), "is not a build report"),
        (lambda out: (out / "spikeloom.bin").unlink(), "holds no spikeloom.bin"),
        (
            lambda out: (out / "spikeloom.bin").write_bytes(b"bitstreaM"),
            "does not match the hash in",
        ),
    ],
)
def test_folders_without_a_whole_build(harm, message, spikeloom, built, devices):
    folder = built()
    harm(folder)
    ran = spikeloom("flash", folder)
    assert (ran.code, message in ran.err) == (2, True), ran.err


def test_a_board_nobody_knows(spikeloom, built, devices):
    ran = spikeloom("flash", built("breadboard"))
    assert (ran.code, "unknown board 'breadboard'" in ran.err) == (2, True)


def test_names_are_those_that_openfpgaloader_lists():
    loader = locate("openFPGALoader")
    if loader is None:
        pytest.skip("openFPGALoader is not installed")
    if subprocess.run([loader, "--Version"], capture_output=True).returncode == 127:
        pytest.skip("openFPGALoader does not start: libusb-1.0 or libftdi1 is not installed")
    listed = {
        option: _first_column(loader, option) for option in ("--list-boards", "--list-cables")
    }
    boards, cables = listed["--list-boards"], listed["--list-cables"]
    for board in BOARDS.values():
        for programmer in board.programmers:
            if programmer.tool != "openFPGALoader":
                continue
            options = dict(zip(programmer.arguments[::2], programmer.arguments[1::2], strict=True))
            assert options["-b"] in boards
            cable = cables[options.get("-c", boards[options["-b"]])]
            assert cable == f"0x{programmer.usb_id}", board.id


def _first_column(loader, option):
    """Names in a list of openFPGALoader's, with what its second column says of each."""
    done = subprocess.run([loader, option], capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    return {row[0]: row[1] for row in rows if len(row) > 1}
