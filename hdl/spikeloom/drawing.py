"""Datapath drawings as plain data, and their check against the hardware.

A drawing is part of the folder of its core. Its creation requires neither hardware nor a plotting
library; `spikeloom_boards.datapaths` renders it as SVG.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Literal

Kind = Literal["stream", "memory", "logic", "random", "field"]
Align = Literal["left", "center", "right"]
Point = tuple[float, float]
Submodules = Mapping[str, "Submodules"]


@dataclass(frozen=True)
class Box:
    """A rectangle around (x, y).

    Members
    -------
    kind : "stream", "memory", "logic" or "random" (a source of random bits); "field" for a box that
        shows no hardware.
    of : the submodules that the box represents, as dotted paths from the component. ``*`` in a name
        matches any characters. A path that ends in a dot is the logic of a component without its
        submodules ("." for the top).
    port : the port of the core, for a box of kind "stream".
    """

    x: float
    y: float
    width: float
    height: float
    text: str
    kind: Kind
    of: tuple[str, ...] = ()
    port: str | None = None


@dataclass(frozen=True)
class Arrow:
    """A line through `points` with its head at the last one, and `text` above the last segment."""

    points: tuple[Point, ...]
    text: str = ""


@dataclass(frozen=True)
class Label:
    """A text. `align` determines which part of it is at (x, y); vertically it is centred."""

    x: float
    y: float
    text: str
    align: Align = "center"
    title: bool = False


@dataclass
class Drawing:
    """A datapath: boxes, arrows between them, and labels.

    A unit is an inch; y points upwards from the bottom left corner.

    Members
    -------
    name : name of the file in the documentation.
    title : text above the drawing; drawings of one name with different titles share a file.
    left_out : submodules that no box represents, by path, with the reason.
    caption : description for readers who cannot see the picture (default: the datapath of `name`).
    """

    name: str
    width: float
    height: float
    title: str = ""
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    caption: str = ""

    def box(
        self, x: float, y: float, text: str, kind: Kind, width: float, height: float, *of: str
    ) -> None:
        """Add a box that represents the submodules `of`."""
        self.boxes.append(Box(x, y, width, height, text, kind, of))

    def input(
        self, x: float, y: float, port: str, *of: str, width: float = 1.2, height: float = 0.5
    ) -> None:
        """Add the box of an input stream, and of submodules that check or count its beats."""
        self.boxes.append(Box(x, y, width, height, f"s_axis_{port}", "stream", of, port))

    def output(
        self, x: float, y: float, port: str, *of: str, width: float = 1.2, height: float = 0.5
    ) -> None:
        """Add the box of an output stream, and of submodules that count its beats."""
        self.boxes.append(Box(x, y, width, height, f"m_axis_{port}", "stream", of, port))

    def arrow(self, *points: Point, text: str = "") -> None:
        """Add an arrow along `points`."""
        self.arrows.append(Arrow(points, text))

    def label(self, x: float, y: float, text: str, align: Align = "center") -> None:
        """Add a label."""
        self.labels.append(Label(x, y, text, align))

    def leave_out(self, reason: str, *paths: str) -> None:
        """Record the reason why no box represents these submodules."""
        self.left_out |= dict.fromkeys(paths, reason)

    def beside(self, other: Drawing) -> Drawing:
        """Both drawings in one, `other` on the right."""
        left, right = self._titled(0.0), other._titled(self.width)
        return Drawing(
            self.name,
            self.width + other.width,
            max(self.height, other.height),
            boxes=left.boxes + right.boxes,
            arrows=left.arrows + right.arrows,
            labels=left.labels + right.labels,
            left_out=self.left_out | other.left_out,
        )

    def _titled(self, right: float) -> Drawing:
        """The drawing shifted by `right`, with its title as a label."""
        titles = [Label(self.width / 2, self.height - 0.2, self.title, title=True)]
        labels = self.labels + (titles if self.title else [])
        return replace(
            self,
            title="",
            boxes=[replace(one, x=one.x + right) for one in self.boxes],
            arrows=[
                replace(one, points=tuple((x + right, y) for x, y in one.points))
                for one in self.arrows
            ],
            labels=[replace(one, x=one.x + right) for one in labels],
        )


def drawing_faults(drawing: Drawing, submodules: Submodules, ports: Iterable[str]) -> list[str]:
    """The differences between a drawing and the hardware, one line each.

    Every path, of a box or left out, must name a submodule. Every submodule must be drawn or left
    out, by its own path or through all of its submodules. Every port must have exactly one box.

    Parameters
    ----------
    submodules : nested submodules of the component by name.
    ports : streams of the component.
    """
    shown = [path for box in drawing.boxes for path in box.of]
    paths = [*shown, *drawing.left_out]
    faults = [f"{path}: no such submodule" for path in paths if not _find(path, submodules)]
    faults += [f"{name}: neither shown nor left out" for name in _missing(paths, submodules, "")]
    faults += [
        f"{path}: left out without a reason" for path, why in drawing.left_out.items() if not why
    ]
    faults += [
        f"box {box.text!r}: names neither a submodule nor a port"
        for box in drawing.boxes
        if box.kind != "field" and not box.of and not box.port
    ]
    named = [box.port for box in drawing.boxes if box.port]
    faults += [f"port {name}: not one box" for name in ports if named.count(name) != 1]
    return faults + [f"port {name}: no such port" for name in sorted({*named} - {*ports})]


def _find(path: str, submodules: Submodules) -> bool:
    """Whether there is a submodule at `path`."""
    first, _, rest = path.partition(".")
    if path == ".":
        return True  # the logic of the component itself
    inner = [below for name, below in submodules.items() if fnmatchcase(name, first)]
    return any(_find(rest, below) for below in inner) if rest else bool(inner)


def _missing(paths: list[str], submodules: Submodules, prefix: str) -> list[str]:
    """Submodules that `paths`, relative to `submodules`, do not name."""
    missing = []
    for name, below in submodules.items():
        split = [path.partition(".") for path in paths]
        inside = [(dot, rest) for first, dot, rest in split if fnmatchcase(name, first)]
        if any(not dot for dot, _ in inside):
            continue
        if inside:
            deeper = [rest for _, rest in inside if rest]
            missing += _missing(deeper, below, f"{prefix}{name}.")
        else:
            missing.append(prefix + name)
    return missing
