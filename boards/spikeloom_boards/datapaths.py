"""Drawings as SVG, for reports and the documentation.

``python -m spikeloom_boards.datapaths docs`` writes those of the documentation.
"""

from __future__ import annotations

import math
import sys
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from spikeloom.cores import all_cores
from spikeloom.drawing import Drawing
from spikeloom.link import drawing as link_drawing
from spikeloom.stream_unit import StreamUnit

from .architecture import architecture

if TYPE_CHECKING:
    from spikeloom.contract import Core

INCH = 72  # units of the picture in a unit of a drawing
FILL = {
    "stream": "#f0f0f0",
    "memory": "#dbe9f6",
    "logic": "#fdf0d5",
    "random": "#e5f5e0",
    "field": "#f0f0f0",
}
INK, LINE, PAPER = "#1a1a1a", "#4d4d4d", "#ffffff"
FONT = "DejaVu Sans, Verdana, sans-serif"
TEXT, NOTE, TITLE = 8, 7, 10  # sizes
ANCHOR = {"left": "start", "center": "middle", "right": "end"}
HEAD = (5.0, 2.0)  # length and half the width of an arrow's head


def drawing_svg(drawing: Drawing) -> str:
    """A `Drawing` as SVG with real text, on a light background that is readable on any page."""
    width, height = drawing.width * INCH, drawing.height * INCH
    svg = ElementTree.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "width": f"{_number(width)}pt",
            "height": f"{_number(height)}pt",
            "viewBox": f"0 0 {_number(width)} {_number(height)}",
            "role": "img",
            "aria-label": drawing.caption or f"Datapath of {drawing.name}",
            "font-family": FONT,
            "style": f"max-width: {_number(width)}pt",
        },
    )
    _add(svg, "rect", width=width, height=height, rx=6, fill=PAPER)
    for box in drawing.boxes:
        _add_box(svg, box, drawing.height)
    for arrow in drawing.arrows:
        _add_arrow(svg, arrow, drawing.height)
    for label in drawing.labels:
        x, y = _place((label.x, label.y), drawing.height)
        if label.title:
            _add_text(svg, x, y, label.text, TITLE, INK, label.align)
        else:
            _add_text(svg, x, y, label.text, NOTE, LINE, label.align)
    if drawing.title:
        _add_text(svg, width / 2, 0.2 * INCH, drawing.title, TITLE, INK)
    ElementTree.indent(svg, " ")
    for text in svg.iter("text"):  # whitespace between lines would shift them
        text.text = None
        for line in text:
            line.tail = None
    return ElementTree.tostring(svg, encoding="unicode") + "\n"


def datapath_svg(core: Core) -> str:
    """The datapath of `core` as SVG."""
    return drawing_svg(core.stages())


def documentation_drawings() -> dict[str, Drawing]:
    """The drawings of the documentation by name: of the architecture, of the link, and of the
    configurations of every core's regression, units left out.

    Of several drawings with the same name and title, the one with the most boxes is used.
    """
    found = {}
    for core in all_cores().values():
        if issubclass(core, StreamUnit):
            continue
        for settings in core.CASES.values():
            drawing = core.from_settings(settings).stages()
            titled = found.setdefault(drawing.name, {})
            most = titled.setdefault(drawing.title, drawing)
            if len(drawing.boxes) > len(most.boxes):
                titled[drawing.title] = drawing
    drawings = {"architecture": architecture(), "link": link_drawing.link()}
    for name, titled in found.items():
        drawings[name] = reduce(Drawing.beside, [titled[title] for title in sorted(titled)])
    return drawings


def _add_box(svg, box, height):
    x, y = _place((box.x, box.y), height)
    wide, high = box.width * INCH + 4, box.height * INCH + 4
    corner = {"x": x - wide / 2, "y": y - high / 2, "width": wide, "height": high, "rx": 2}
    _add(svg, "rect", **corner, fill=FILL[box.kind], stroke=LINE)
    _add_text(svg, x, y, box.text, TEXT, INK)


def _add_arrow(svg, arrow, height):
    """Draw the line, the head, and the text above the middle of the last segment."""
    *points, before, tip = (_place(point, height) for point in arrow.points)
    length, half = HEAD
    run = math.dist(before, tip)
    x, y = ((to - start) / run for start, to in zip(before, tip, strict=True))
    foot = (tip[0] - length * x, tip[1] - length * y)
    sides = [(foot[0] + side * y, foot[1] - side * x) for side in (half, -half)]
    line = " ".join(f"{_number(a)},{_number(b)}" for a, b in (*points, before, foot))
    head = " ".join(f"{_number(a)},{_number(b)}" for a, b in (tip, *sides))
    _add(svg, "polyline", points=line, fill="none", stroke=LINE)
    _add(svg, "polygon", points=head, fill=LINE)
    if arrow.text:
        middle = ((before[0] + tip[0]) / 2, (before[1] + tip[1]) / 2 - 7)
        _add_text(svg, *middle, arrow.text, NOTE, LINE)


def _add_text(svg, x, y, text, size, colour, align="center"):
    """Draw lines of text, centred vertically at y."""
    lines = text.split("\n")
    attributes = {"font-size": _number(size), "text-anchor": ANCHOR[align], "fill": colour}
    if size == TITLE:
        attributes["font-weight"] = "bold"
    top = y - (len(lines) - 1) * 0.6 * size + 0.35 * size
    element = ElementTree.SubElement(svg, "text", attributes)
    for n, line in enumerate(lines):
        place = {"x": _number(x), "y": _number(top + 1.2 * size * n)}
        ElementTree.SubElement(element, "tspan", place).text = line


def _add(svg, tag, **attributes):
    numbers = {
        key: value if isinstance(value, str) else _number(value)
        for key, value in attributes.items()
    }
    ElementTree.SubElement(svg, tag, numbers)


def _place(point, height):
    """A point of the drawing in SVG coordinates, whose y axis points down."""
    return point[0] * INCH, (height - point[1]) * INCH


def _number(value):
    """A number with at most two decimals, without trailing zeros."""
    return f"{round(value, 2) + 0:g}"


if __name__ == "__main__":
    for name, drawing in documentation_drawings().items():
        (Path(sys.argv[1]) / f"{name}.svg").write_text(drawing_svg(drawing), encoding="utf-8")
