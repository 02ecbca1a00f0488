"""Placement of the parts of a design on the FPGA."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spikeloom.families import FAMILIES

from .critical_path import source_name

COLOURS = ("#2f6db5", "#e08214", "#3a9d5d", "#b2459b", "#8c6d31", "#17a2b8", "#c0392b")
OTHER, MEMORY = "#b9bec6", "#40464f"

# nextpnr writes one JSON entry per line: a cell's name, then its type and its location.
_CELL = re.compile(r'^ {8}"(.+)": \{$')
_TYPE = re.compile(r'^ {10}"type": "(\w+)"')
_PLACE = re.compile(r'^ {12}"NEXTPNR_BEL": "X(\d+)/?Y(\d+)/')


@dataclass(frozen=True)
class Part:
    """One part of the design: its number of cells, and the tiles (x, y) where it has the most
    cells of all parts."""

    name: str
    colour: str
    cells: int
    tiles: tuple


def read_placement(path: Path) -> Iterator[tuple[int, int, str, str]]:
    """(x, y, cell name, cell type) of every cell in the design that nextpnr wrote."""
    with open(path, errors="replace") as lines:
        name = kind = ""
        for line in lines:
            if found := _CELL.match(line):
                name = found[1]
            elif found := _TYPE.match(line):
                kind = found[1]
            elif found := _PLACE.match(line):
                yield int(found[1]), int(found[2]), name, kind


def floorplan(cells: Iterable[tuple[int, int, str, str]]) -> list[Part]:
    """`Part`s of a placement, largest first; small parts are merged into "other"."""
    tiles, sizes, memories = defaultdict(Counter), Counter(), set()
    block_rams = {family.RAM for family in FAMILIES.values()}
    for x, y, name, kind in cells:
        part = part_name(name)
        sizes[part] += 1
        tiles[x, y][part] += 1
        if kind in block_rams:
            memories.add((x, y))
    largest = [part for part, _ in sizes.most_common() if part != "other"][: len(COLOURS)]
    held = defaultdict(list)
    for tile in sorted(tiles):
        (part, _) = max(tiles[tile].items(), key=lambda item: (item[1], item[0]))
        place = "block RAM" if tile in memories else part if part in largest else "other"
        held[place].append(tile)
    shown = [*zip(largest, COLOURS, strict=False), ("other", OTHER), ("block RAM", MEMORY)]
    counted = dict(sizes) | {"block RAM": len(memories)}
    counted["other"] = sum(size for part, size in sizes.items() if part not in largest)
    return [
        Part(name, colour, counted[name], tuple(held[name]))
        for name, colour in shown
        if counted.get(name)
    ]


def part_name(cell: str) -> str:
    """The part that a cell belongs to: a block of the core, or a module around the core."""
    names = source_name(cell).split(".")
    if "core" in names[:-1]:
        return "core." + names[names.index("core") + 1]
    return names[0] if len(names) > 1 else "other"


def floorplan_svg(parts: Sequence[Part], from_top: bool = False, height: int = 320) -> str:
    """SVG of the tiles, coloured by part; rows count from the bottom, or `from_top`."""
    tiles = [tile for part in parts for tile in part.tiles]
    if not tiles:
        return ""
    width, rows = (max(axis) + 1 for axis in zip(*tiles, strict=True))
    paths = "".join(
        f'<path fill="{part.colour}" d="{_squares(part.tiles, 0 if from_top else rows)}">'
        f"<title>{part.name}</title></path>"
        for part in parts
    )
    return (
        f'<svg class="floorplan" viewBox="0 0 {width} {rows}" height="{height}" '
        f'xmlns="http://www.w3.org/2000/svg"><rect width="{width}" height="{rows}" fill="#f4f5f7"/>'
        f"{paths}</svg>"
    )


def _squares(tiles, rows):
    """A path of one square per tile; if `rows` is given, row 0 is at the bottom."""
    return "".join(f"M{x} {rows - 1 - y if rows else y}h.9v.9h-.9z" for x, y in tiles)
