"""Load a build into a board: choose the programmer and check that it can run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from spikeloom.errors import InputError, JobError
from spikeloom.tools import TOOLS, locate, run_tool

from . import usb
from .boards import boards_with, find_board
from .programmer import Programmer

OFFSET = "-o"  # of iceprog, openFPGALoader and icesprog: the address in the flash memory


@dataclass(frozen=True)
class Flashing:
    """A bitstream and the programmer that loads it into a board; `loaded` names the streams that
    the host sends afterwards, `data` the file that is written at `address` of the flash memory."""

    board: str
    bitstream: Path
    programmer: Programmer
    loaded: tuple[str, ...] = ()
    data: Path | None = None
    address: int = 0

    @property
    def command(self) -> list[str]:
        """The command line, with the path of the tool, or its default name if it is not found."""
        return [self._tool, *self.programmer.arguments, str(self.bitstream)]

    @property
    def commands(self) -> list[list[str]]:
        """`command`, and the one that writes `data`, if there is any: first, as the board starts
        when its bitstream is written."""
        if self.data is None:
            return [self.command]
        place = [*self.programmer.arguments, OFFSET, str(self.address), str(self.data)]
        return [[self._tool, *place], self.command]

    @property
    def _tool(self) -> str:
        return locate(self.programmer.tool) or TOOLS[self.programmer.tool].commands[0]


def plan(folder: Path) -> Flashing:
    """Choose how to flash the build in `folder`, from installed tools and plugged-in devices.

    Does not open any device. Raises `InputError` if the folder has no complete build.
    """
    board, bitstream, loaded, data = _read_build(Path(folder))
    programmers = find_board(board).programmers
    plugged_in = {device.usb for device in usb.usb_devices()}
    best = max(
        programmers,
        key=lambda one: (one.usb in plugged_in, locate(one.tool) is not None),
    )
    if best.into != "flash" or data is None:
        return Flashing(board, bitstream, best, loaded or ((data["stream"],) if data else ()))
    return Flashing(board, bitstream, best, loaded, Path(folder) / data["file"], data["address"])


def flash(flashing: Flashing) -> None:
    """Load the bitstream, and its data. Raises `JobError` with the problem and how to fix it."""
    check(flashing)
    for _, *arguments in flashing.commands:
        run_tool(flashing.programmer.tool, *arguments)


def check(flashing: Flashing) -> None:
    """Raise `JobError` if the tool, the device or the permission to use it is missing."""
    programmer, board = flashing.programmer, flashing.board
    target = find_board(board)
    if locate(programmer.tool) is None:
        tools = dict.fromkeys(one.tool for one in target.programmers)
        ways = ", or ".join(f"{tool} ({TOOLS[tool].install})" for tool in tools)
        raise JobError(f"{board} is programmed by {ways}: none is installed")

    if not usb.can_look():
        return  # the programmer reports a missing device itself
    found = [device for device in usb.usb_devices() if device.usb == programmer.usb]
    if not found:
        wanted = " or ".join(dict.fromkeys(one.usb_id for one in target.programmers))
        others = _other_boards()
        hint = f". {target.before_flash}" if target.before_flash else ""
        if others:
            raise JobError(f"wrong device: {board} is USB {wanted}; plugged in: {others}{hint}")
        raise JobError(f"no device: nothing with USB {wanted} is plugged in for {board}{hint}")
    if len(found) > 1:
        raise JobError(
            f"{len(found)} devices are USB {programmer.usb_id}: unplug all but the {board}"
        )
    (device,) = found
    nodes = device.nodes(programmer.node)
    if not nodes:
        raise JobError(
            f"{device.usb_id} ({device.title}) has no {programmer.node} device file; replug it"
        )
    for node in nodes:
        if not usb.may_open(node):
            fix = usb.permission_fix(node, device.usb)
            raise JobError(f"no permission for {node} ({device.title}); {fix}")


def _read_build(folder):
    """(board, bitstream, streams that the host loads, data for the flash memory) of a build folder,
    after checking the hashes of the files."""
    path = folder / "report.json"
    if not path.is_file():
        raise InputError(
            f"{folder} holds no build; make one: spikeloom build CORE --board BOARD -o {folder}"
        )
    try:
        record = json.loads(path.read_text())
        board, bitstream, expected = (
            record[key] for key in ("board", "bitstream", "bitstream_sha256")
        )
        loaded, data = tuple(record.get("loaded", ())), record.get("flash_data")
        files = {bitstream: expected} | ({data["file"]: data["sha256"]} if data else {})
        if data:
            data = data | {"address": int(data["address"]), "stream": str(data["stream"])}
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} is not a build report; build again") from None
    for name, digest in files.items():
        if not (folder / name).is_file():
            raise InputError(f"{folder} holds no {name}; build again")
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise InputError(f"{folder / name} does not match the hash in {path.name}; build again")
    return board, folder / bitstream, loaded, data


def _other_boards():
    """Plugged-in devices that belong to known boards."""
    return ", ".join(
        f"{device.usb_id} ({device.title or 'nameless'}; {' or '.join(known)})"
        for device in usb.usb_devices()
        if (known := boards_with(device.usb))
    )
