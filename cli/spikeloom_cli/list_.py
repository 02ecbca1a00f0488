"""`spikeloom list`: cores, boards, presets."""

from dataclasses import MISSING

from rich.table import Table

from spikeloom.cores import all_cores
from spikeloom_boards.boards import BOARDS
from spikeloom_boards.presets import core_clock, preset_config, presets_of

from .options import Json, console, print_json

WIDTH = 120  # columns that the tables take


def list_(json: Json = False):
    """Cores with their keys, boards, and the preset of each core that fits a board."""
    cores = {
        name: {
            "summary": core.SUMMARY,
            "keys": {key: _describe(field) for key, field in core.keys().items()},
        }
        for name, core in all_cores().items()
    }
    boards = {
        board.id: {
            "title": board.title,
            "family": board.family.NAME,
            "device": board.device.name,
            "cells": board.device.cells,
            "block_rams": board.device.block_rams,
            "mhz": board.frequency / 1e6,
            "presets": list(presets_of(board)),
            "programmers": list(dict.fromkeys(one.tool for one in board.programmers)),
            "uart": board.uart.note,
            "notes": " ".join(filter(None, (board.before_flash, board.notes))),
        }
        for board in BOARDS.values()
    }
    presets = [
        {
            "core": core,
            "board": board.id,
            "settings": preset.settings,
            "mhz": core_clock(core, board) / 1e6,
            "cycles": preset_config(core, board).cycles(),
        }
        for board in BOARDS.values()
        for core, preset in presets_of(board).items()
    ]
    if json:
        print_json({"cores": cores, "boards": boards, "presets": presets})
        return

    out = console()
    out.width = max(out.width, WIDTH)
    for name, core in cores.items():
        out.print(f"[bold]{name}[/bold]  {core['summary']}")
        table = Table("key", "meaning", "allowed", "default", box=None, padding=(0, 2))
        for key, told in core["keys"].items():
            table.add_row(key, told["help"], told["allowed"], str(told["default"]))
        out.print(table)
    headings = ("board", "", "device", "cells", "RAMs", "flashed by", "fits")
    table = Table(*headings, box=None, padding=(0, 1))
    for name, told in boards.items():
        table.add_row(
            f"[bold]{name}[/bold]",
            told["title"],
            told["device"],
            str(told["cells"]),
            str(told["block_rams"]),
            " or ".join(told["programmers"]),
            ", ".join(told["presets"]),
        )
    out.print(table)
    table = Table("preset", "settings", "clock", "cycles", box=None, padding=(0, 2))
    for preset in presets:
        settings = " ".join(f"{key}={value}" for key, value in preset["settings"].items())
        mhz = f"{preset['mhz']:g} MHz"
        name = f"{preset['core']} on {preset['board']}"
        table.add_row(name, settings, mhz, str(preset["cycles"]))
    out.print(table)


def _describe(key):
    meta = key.metadata
    allowed = ", ".join(meta["choices"]) if "choices" in meta else f"{meta['low']}..{meta['high']}"
    default = "required" if key.default is MISSING else key.default
    return {"help": meta["help"], "allowed": allowed, "default": default}
