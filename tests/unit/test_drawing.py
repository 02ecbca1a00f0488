"""Datapath drawings: they match the hardware and are legible."""

import copy
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from amaranth.hdl import Fragment
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

import spikeloom
from spikeloom.composition import Composition
from spikeloom.contract import Core
from spikeloom.cores import all_cores
from spikeloom.drawing import Drawing, drawing_faults
from spikeloom.item import Bit
from spikeloom.link.drawing import link
from spikeloom.link.linked_core import LinkedCore
from spikeloom.port import Port
from spikeloom_boards.datapaths import (
    INCH,
    NOTE,
    TEXT,
    TITLE,
    documentation_drawings,
    drawing_svg,
)

DOCS = Path(__file__).parents[2] / "docs"
SHORTEST = 0.14  # last part of an arrow: twice its head
FONT = FontProperties(family="DejaVu Sans")


def submodules(component):
    """The submodules of a component by name, those of each of them in turn."""

    def below(fragment):
        return {name: below(inner) for inner, name, _ in fragment.subfragments}

    return below(Fragment.get(component, None))


@cache
def varied(core):
    """Cases of `core` that differ in their drawing or in a choice: engine, order, mask, ..."""
    seen, chosen = [], {}
    for case, settings in core.CASES.items():
        config = core.from_settings(settings)
        traits = [item for item in settings.items() if isinstance(item[1], str)]
        traits.append(config.stages())
        if any(trait not in seen for trait in traits):
            chosen[case] = config
            seen += traits
    return chosen


def ports(core):
    return [*core.inputs, *core.outputs]


# The hardware


@pytest.mark.parametrize("name", all_cores())
def test_submodules(name):
    for case, core in varied(all_cores()[name]).items():
        faults = drawing_faults(core.stages(), submodules(core.create()), ports(core))
        assert not faults, case


def test_link():
    core = all_cores()["a2os2a"](tokens=2, head_dim=2)
    assert not drawing_faults(link(), submodules(LinkedCore(core, 12_000_000, 12)), [])


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("ssa", {"engine": "counter"}),
        ("ssa", {"engine": "sampled", "mask": "causal"}),
        ("spiked", {}),
        ("a2os2a", {"order": "kv"}),
        ("a2os2a", {"order": "qk"}),
        ("a2os2a_block", {}),
        ("relu_quantiser", {"values": 1, "input_bits": 4, "bits": 2, "shift": 0}),
    ],
)
def test_changed_hardware(name, settings):
    """A renamed, added or removed submodule or port is a fault."""
    small = {} if "values" in settings else {"tokens": 2, "head_dim": 2}
    core = all_cores()[name].from_settings(small | settings)
    drawing, there, streams = core.stages(), submodules(core.create()), ports(core)
    assert not drawing_faults(drawing, there, streams)
    for module in there:
        others = {key: below for key, below in there.items() if key != module}
        numbered = "_" in module and module.rpartition("_")[2].isdigit()
        if not numbered:  # lanes: any number of them
            assert drawing_faults(drawing, others | {"renamed": there[module]}, streams)
    assert drawing_faults(drawing, there | {"added": {}}, streams) == [
        "added: neither shown nor left out"
    ]
    assert drawing_faults(drawing, there, [*streams, "added"]) == ["port added: not one box"]
    assert drawing_faults(drawing, there, streams[1:]) == [f"port {streams[0]}: no such port"]


def test_changed_hardware_inside():
    """If boxes show the inside of a submodule, all of it must be drawn."""
    core = all_cores()["a2os2a"](tokens=2, head_dim=2, order="kv")
    there = submodules(core.create())
    for module in ("events", "sums", "late"):
        changed = copy.deepcopy(there)
        changed["attention"]["renamed"] = changed["attention"].pop(module)
        faults = drawing_faults(core.stages(), changed, ports(core))
        assert "attention.renamed: neither shown nor left out" in faults
        assert any(fault.startswith(f"attention.{module}") for fault in faults)
    there["attention"]["sums"]["added"] = {}
    assert drawing_faults(core.stages(), there, ports(core)) == [
        "attention.sums.added: neither shown nor left out"
    ]


def test_faults():
    drawing = Drawing("x", 4, 4)
    drawing.box(1, 1, "a", "logic", 1, 0.5, "a_*", "b.c")
    drawing.box(3, 1, "own logic", "logic", 1, 0.5, ".", "b.")
    drawing.box(1, 2, "frame", "field", 1, 0.5)
    drawing.leave_out("why", "d")
    there = {"a_0": {}, "a_1": {"inner": {}}, "b": {"c": {}}, "d": {}}
    assert not drawing_faults(drawing, there, [])
    assert drawing_faults(drawing, there | {"b": {"c": {}, "e": {}}}, []) == [
        "b.e: neither shown nor left out"
    ]
    assert drawing_faults(drawing, there | {"b": {}}, []) == ["b.c: no such submodule"]
    drawing.box(3, 2, "nothing", "memory", 1, 0.5)
    drawing.leave_out("", "d")
    assert drawing_faults(drawing, there, []) == [
        "d: left out without a reason",
        "box 'nothing': names neither a submodule nor a port",
    ]
    del drawing.left_out["d"], drawing.boxes[-1]
    assert drawing_faults(drawing, there, []) == ["d: neither shown nor left out"]
    drawing.input(1, 3, "q")
    drawing.output(3, 3, "q")
    assert "port q: not one box" in drawing_faults(drawing, there, ["q"])


def test_light():
    """Drawings need neither Amaranth nor Matplotlib."""
    script = (
        "import sys\n"
        "from spikeloom.cores import all_cores\n"
        "for core in all_cores().values():\n"
        "    [core.from_settings(case).stages() for case in core.CASES.values()]\n"
        "import spikeloom.link.drawing\n"
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    for file in Path(spikeloom.__file__).parent.rglob("*drawing.py"):
        assert "amaranth" not in file.read_text(encoding="utf-8")


# The picture


@dataclass(frozen=True, kw_only=True)
class Odd(Core):
    """A core of which only the streams are known."""

    NAME = "odd"

    @property
    def inputs(self):
        port = Port(axes="N", shape=(4,), item=Bit(), beat=(1,), closes="N")
        return {"a": port, "rather_a_long_name": port}

    @property
    def outputs(self):
        return {"first": self.inputs["a"], "second": self.inputs["a"]}


@dataclass(frozen=True, kw_only=True)
class Skipping(Composition):
    """A composition with streams that pass columns full of parts."""

    NAME = "skipping"

    def parts(self):
        cores = all_cores()
        some = {"neurons": 12, "lanes": 1, "steps": 1}
        return {
            "ternary": cores["spiking_neurons"](
                **some, input_bits=9, threshold=3, output="ternary"
            ),
            "relu": cores["relu_quantiser"](values=12, input_bits=9, bits=8, shift=0),
            "attention": cores["a2os2a"](tokens=3, head_dim=4, lanes=1),
            "fire": cores["spiking_neurons"](**some, input_bits=13, threshold=3),
        }

    def wires(self):
        return {
            "ternary.i": "v",
            "relu.i": "k",
            "attention.q": "q",
            "attention.k": "relu.o",
            "attention.v": "ternary.o",
            "fire.i": "attention.o",
            "o": "fire.o",
        }

    @property
    def inputs(self):
        parts = self.parts()
        return {
            "k": parts["relu"].inputs["i"],
            "q": parts["attention"].inputs["q"],
            "v": parts["ternary"].inputs["i"],
        }

    @property
    def outputs(self):
        return {"o": self.parts()["fire"].outputs["o"]}


def test_composition():
    core = Skipping()
    drawing = core.stages()
    assert not drawing_faults(drawing, submodules(core.create()), ports(core))
    # K passes V's gatherer, and Q that and the neurons.
    assert sorted(len(arrow.points) for arrow in drawing.arrows)[-3:] == [2, 4, 6]


@cache
def all_drawings():
    """Every drawing that differs from the others."""
    drawings = [*documentation_drawings().values(), Odd().stages(), Skipping().stages()]
    for core in all_cores().values():
        for config in varied(core).values():
            drawing = config.stages()
            if drawing not in drawings:
                drawings.append(drawing)
    return drawings


def rectangle(x, y, width, height):
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


@cache
def text_width(line, size):
    return TextPath((0, 0), line, size=size, prop=FONT).get_extents().width / INCH


def text_rectangle(x, y, text, size, align="center"):
    lines = text.split("\n")
    width = max(text_width(line, size) for line in lines)
    x += {"left": width / 2, "center": 0, "right": -width / 2}[align]
    return rectangle(x, y, width, (1.2 * size * (len(lines) - 1) + size) / INCH)


def overlap(a, b):
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def inside(a, b):
    return b[0] <= a[0] and b[1] <= a[1] and a[2] <= b[2] and a[3] <= b[3]


def crosses(points, area):
    """Whether a line through `points` has a part in `area`."""
    for start, end in pairwise(points):
        if not overlap(area, (*np.minimum(start, end), *np.maximum(start, end))):
            continue
        x, y = np.linspace(start, end, 200).T
        if ((area[0] < x) & (x < area[2]) & (area[1] < y) & (y < area[3])).any():
            return True
    return False


def distance(point, area):
    x = max(area[0] - point[0], 0, point[0] - area[2])
    y = max(area[1] - point[1], 0, point[1] - area[3])
    return np.hypot(x, y)


def illegible(drawing):
    """Elements that overlap others, or are misplaced."""
    found = []
    outlines = [rectangle(box.x, box.y, box.width, box.height) for box in drawing.boxes]
    texts = [text_rectangle(box.x, box.y, box.text, TEXT) for box in drawing.boxes]
    labels = [
        (one.text, text_rectangle(one.x, one.y, one.text, TITLE if one.title else NOTE, one.align))
        for one in drawing.labels
    ]
    if drawing.title:
        place = (drawing.width / 2, drawing.height - 0.2)
        labels.append((drawing.title, text_rectangle(*place, drawing.title, TITLE)))
    for arrow in drawing.arrows:
        (x0, y0), (x1, y1) = arrow.points[-2:]
        if arrow.text:
            place = ((x0 + x1) / 2, (y0 + y1) / 2 + 7 / INCH)
            labels.append((arrow.text, text_rectangle(*place, arrow.text, NOTE)))
        if np.hypot(x1 - x0, y1 - y0) < SHORTEST:
            found.append(f"arrow {arrow.points} is too short")
        ends = (arrow.points[0], arrow.points[-1])
        if any(min(distance(end, outline) for outline in outlines) > 0.15 for end in ends):
            found.append(f"arrow {arrow.points} ends nowhere")
        for box, outline in zip(drawing.boxes, outlines, strict=True):
            if crosses(arrow.points, outline):
                found.append(f"arrow {arrow.points} crosses box {box.text!r}")

    paper = (0, 0, drawing.width, drawing.height)
    for box, outline, text in zip(drawing.boxes, outlines, texts, strict=True):
        if not inside(text, outline) or not inside(outline, paper):
            found.append(f"{box.text!r} has no room")
        for words, place in labels:
            if overlap(place, text) or (overlap(place, outline) and not inside(place, outline)):
                found.append(f"label {words!r} is on box {box.text!r}")
    for (a, first), (b, second) in combinations(zip(drawing.boxes, outlines, strict=True), 2):
        if overlap(first, second):
            found.append(f"box {a.text!r} is on box {b.text!r}")
    for (a, first), (b, second) in combinations(labels, 2):
        if overlap(first, second):
            found.append(f"label {a!r} is on label {b!r}")
    for words, place in labels:
        if not inside(place, paper):
            found.append(f"label {words!r} is off the paper")
        if any(crosses(arrow.points, place) for arrow in drawing.arrows):
            found.append(f"an arrow crosses label {words!r}")
    return found


def test_legible():
    for drawing in all_drawings():
        assert not illegible(drawing), drawing.name


def test_illegible():
    drawing = link()
    box, arrow = drawing.boxes[2], drawing.arrows[0]
    for added, message in (
        (replace(box, x=box.x + 0.5), "is on box"),
        (replace(box, y=9.0), "no room"),
        (replace(box, y=0.45, width=0.2), "no room"),
        (replace(arrow, points=((1.1, 3.5), (5.2, 3.5))), "crosses box"),
        (replace(arrow, points=((1.1, 3.5), (1.1, 2.6))), "ends nowhere"),
        (replace(arrow, points=((1.15, 3.5), (1.25, 3.5))), "too short"),
    ):
        changed = copy.deepcopy(drawing)
        (changed.arrows if added.__class__ is arrow.__class__ else changed.boxes).append(added)
        assert any(message in line for line in illegible(changed)), message
    drawing.label(box.x + 0.6, box.y, "on the edge")
    drawing.label(1.3, 3.5, "on an arrow")
    faults = illegible(drawing)
    assert "label 'on the edge' is on box 'UART\\nreceiver'" in faults
    assert "an arrow crosses label 'on an arrow'" in faults


def test_svg():
    for drawing in all_drawings():
        svg = drawing_svg(drawing)
        assert svg == drawing_svg(drawing)
        root = ElementTree.fromstring(svg)
        space = root.tag.removesuffix("svg")
        card, *_ = root
        assert card.attrib["width"] == root.attrib["viewBox"].split()[2]
        assert card.attrib["fill"] == "#ffffff"  # under dark text on a dark page, too
        assert all(text.attrib["fill"].startswith("#") for text in root.iter(f"{space}text"))
        written = [line.text for line in root.iter(f"{space}tspan")]
        texts = [one.text for one in (*drawing.boxes, *drawing.arrows, *drawing.labels) if one.text]
        lines = [line for text in (*texts, drawing.title) for line in text.split("\n") if line]
        assert sorted(written) == sorted(lines)
        assert len(list(root.iter(f"{space}polygon"))) == len(drawing.arrows)


def test_documentation():
    """The drawings in docs are up to date.

    To update them: python -m spikeloom_boards.datapaths docs
    """
    for name, drawing in documentation_drawings().items():
        assert (DOCS / f"{name}.svg").read_text(encoding="utf-8") == drawing_svg(drawing), name
