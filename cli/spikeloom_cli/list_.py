"""`spikeloom list`: cores, boards, presets."""

from dataclasses import MISSING, fields

from spikeloom.catalog import CORES
from spikeloom_boards.recipes import BOARDS, preset_config

from .options import Json, console, print_json
from .tables import print_table


def list_(json: Json = False):
    """Cores with their keys, boards, and the preset of each core that fits a board."""
    cores = {
        name: {
            "summary": core.summary,
            "keys": {key.name: _describe(key) for key in fields(core.config)},
        }
        for name, core in CORES.items()
    }
    boards = {
        recipe.id: {
            "title": recipe.title,
            "device": recipe.device.name,
            "cells": recipe.device.cells,
            "block_rams": recipe.device.block_rams,
            "mhz": recipe.frequency / 1e6,
            "presets": list(recipe.presets),
            "programmers": list(dict.fromkeys(one.tool for one in recipe.programmers)),
            "uart": recipe.uart.note,
            "notes": " ".join(filter(None, (recipe.before_flash, recipe.notes))),
        }
        for recipe in BOARDS.values()
    }
    presets = [
        {
            "core": core,
            "board": recipe.id,
            "settings": settings,
            "mhz": recipe.frequency_of(core) / 1e6,
            "cycles": CORES[core].cycles(preset_config(core, recipe)),
        }
        for recipe in BOARDS.values()
        for core, settings in recipe.presets.items()
    ]
    if json:
        print_json({"cores": cores, "boards": boards, "presets": presets})
        return

    out = console()
    for name, core in cores.items():
        out.print(f"[bold]{name}[/bold]  {core['summary']}", soft_wrap=not out.is_terminal)
        print_table(
            ("key", "meaning", "allowed", "default"),
            [
                (key, told["help"], told["allowed"], shown(told["default"]))
                for key, told in core["keys"].items()
            ],
        )
    print_table(
        ("board", "title", "device", "cells", "RAMs", "flashed by", "fits"),
        [
            (
                name,
                told["title"],
                told["device"],
                told["cells"],
                told["block_rams"],
                " or ".join(told["programmers"]),
                ", ".join(told["presets"]),
            )
            for name, told in boards.items()
        ],
    )
    out.print("cycles: of the core, from start to the last output, operands on chip as far as")
    out.print("they fit; the worst case where a core passes over zeros")
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


def shown(default):
    """A key's default; that of a key which follows from others is in its meaning."""
    return "" if default is None else default


def _describe(key):
    meta = key.metadata
    allowed = ", ".join(meta["choices"]) if "choices" in meta else f"{meta['low']}..{meta['high']}"
    default = "required" if key.default is MISSING else key.default
    return {"help": meta["help"], "allowed": allowed, "default": default}
