"""`spikeloom list`: list cores, units, networks, boards and presets."""

from __future__ import annotations

from dataclasses import MISSING
from typing import Any

from spikeloom.contract import Core
from spikeloom.cores import all_cores, find_core
from spikeloom.networks.finding import network_names
from spikeloom.stream_unit import StreamUnit
from spikeloom_boards.boards import BOARDS
from spikeloom_boards.presets import core_clock, preset_config, presets_of

from .options import Json, console, print_json
from .tables import print_table


def list_(json: Json = False) -> None:
    """List cores, units and networks with their keys, boards, and presets for each board."""
    cores, units = {}, {}
    for name, core in all_cores().items():
        (units if issubclass(core, StreamUnit) else cores)[name] = _entry(core)
    networks = {name: _entry(find_core(name)) for name in network_names()}
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
        listed = {"cores": cores, "units": units, "networks": networks}
        print_json(listed | {"boards": boards, "presets": presets})
        return

    out = console()
    for name, core in (cores | units | networks).items():
        out.print(f"[bold]{name}[/bold]  {core['summary']}", soft_wrap=not out.is_terminal)
        print_table(
            ("key", "meaning", "allowed", "default"),
            [
                (key, entry["help"], entry["allowed"], shown(entry["default"]))
                for key, entry in core["keys"].items()
            ],
        )
    print_table(
        ("board", "title", "device", "cells", "RAMs", "flashed by", "fits"),
        [
            (
                name,
                entry["title"],
                entry["device"],
                entry["cells"],
                entry["block_rams"],
                " or ".join(entry["programmers"]),
                ", ".join(entry["presets"]),
            )
            for name, entry in boards.items()
        ],
    )
    out.print("cycles: core only, from start to the last output beat, with as many operands")
    out.print("preloaded as fit on chip; worst case for cores that skip zeros")
    print_table(
        ("preset", "settings", "clock", "cycles"),
        [
            (
                f"{preset['core']} on {preset['board']}",
                " ".join(f"{key}={value}" for key, value in preset["settings"].items()),
                f"{preset['mhz']:g} MHz",
                f"{preset['cycles']:,}",
            )
            for preset in presets
        ],
    )


def shown(default: Any) -> Any:
    """A key's default, or "" if it is derived from other keys (its help text says how)."""
    return "" if default is None else default


def _entry(core: type[Core]) -> dict[str, Any]:
    return {
        "summary": core.SUMMARY,
        "keys": {key: _describe(field) for key, field in core.keys().items()},
    }


def _describe(key):
    meta = key.metadata
    allowed = ", ".join(meta["choices"]) if "choices" in meta else f"{meta['low']}..{meta['high']}"
    if "list" in meta:
        allowed += ", or a list"
    default = "required" if key.default is MISSING else key.default
    return {"help": meta["help"], "allowed": allowed, "default": default}
