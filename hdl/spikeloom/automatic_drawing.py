"""Drawings derived from the declarations of a core: its streams, parts and wires."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .drawing import Box, Drawing, Kind, Point

if TYPE_CHECKING:
    from .composition import Composition
    from .contract import Core
    from .stream_unit import StreamUnit

GAP = 0.7  # between columns
ROW_GAP = 0.3  # between the rows of a column
MARGIN = 0.3
CHARACTER = 0.08  # upper bound of the average width of a character
PIN = 0.25  # height of a box for each of its arrows


@dataclass(eq=False)
class Node:
    """A box to be placed in a drawing; without a kind, a point where an arrow crosses a column.

    `sources` are the nodes that feed it, each with the name of the input.
    """

    text: str = ""
    kind: Kind | None = None
    of: tuple[str, ...] = ()
    port: str | None = None
    sources: list[tuple[Node, str]] = field(default_factory=list)
    column: int = 0
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0


def draw_core(core: Core) -> Drawing:
    """Drawing of any core: its streams, and one box between them."""
    return _through(core, [_input(name) for name in core.inputs], "*")


def draw_unit(core: StreamUnit) -> Drawing:
    """Drawing of a unit in its shell, which scrambles the seed if the unit has one."""
    sources = [_input(name, f"{name}_framed") for name in core.inputs]
    if core.takes_seed:
        sources.append(Node("seed scrambler", "random", ("scrambler",)))
    drawing = _through(core, sources, "unit")
    drawing.leave_out("start, busy and done", "run", "sent")
    drawing.leave_out("lets the beats of one run in", *(f"{name}_gate" for name in core.inputs))
    if core.takes_seed:
        drawing.leave_out("gives the random sources their seed", "scrambler")
    return drawing


def draw_composition(core: Composition) -> Drawing:
    """Drawing of parts and the streams between them, in columns from the inputs to the outputs."""
    parts, wires = core.parts(), core.wires()
    nodes: dict[str, Node] = {}
    order: list[Node] = []
    scrambler: list[Node] = []

    def join(sink: str, node: Node) -> None:
        """Draw the source of `sink`, an input of `node`."""
        source = nodes[wires[sink].split(".")[0]]
        pin = sink.split(".")[-1]
        if core.beats_of_source(sink) > 1:
            gatherer = Node("row gatherer", "memory", (f"{sink.replace('.', '_')}_gathered",))
            gatherer.sources.append((source, pin))
            order.append(gatherer)
            source = gatherer
        node.sources.append((source, pin))

    for name in core.inputs:
        nodes[name] = _input(name, f"{name}_framed")
        order.append(nodes[name])
    for name, part in parts.items():
        text = name if name == part.NAME else f"{name}\n{part.NAME}"
        node = Node(text, "logic", (name,))
        for port in part.inputs:
            join(f"{name}.{port}", node)
        if name in core.random_units():
            if not scrambler:
                scrambler.append(Node("seed scrambler", "random", ("scrambler",)))
                order.append(scrambler[0])
            node.sources.append((scrambler[0], "seed"))
        nodes[name] = node
        order.append(node)
    for name in core.outputs:
        node = _output(name)
        join(name, node)
        order.append(node)

    drawing = _lay_out(core.NAME, order)
    drawing.leave_out("start, busy and done", "run")
    for reason, kind, streams in (
        ("counts beats, for last", "last", core.recounted()),
        ("lets the beats of one run by", "gate", core.gated()),
    ):
        drawing.leave_out(reason, *(f"{name.replace('.', '_')}_{kind}" for name in streams))
    if core.random_units():
        drawing.leave_out("gives the random parts their seed", "scrambler")
    return drawing


def _through(core: Core, sources: list[Node], of: str) -> Drawing:
    """From `sources` through one box to the outputs."""
    box = Node(core.NAME, "logic", (of,))
    box.sources = [(source, source.port or "seed") for source in sources]
    outputs = [_output(name) for name in core.outputs]
    for node in outputs:
        node.sources = [(box, "")]
    return _lay_out(core.NAME, [*sources, box, *outputs])


def _input(port: str, *of: str) -> Node:
    return Node(f"s_axis_{port}", "stream", of, port)


def _output(port: str) -> Node:
    return Node(f"m_axis_{port}", "stream", (), port)


def _lay_out(name: str, nodes: list[Node]) -> Drawing:
    """The drawing of `nodes`, each of which follows its sources."""
    for node in nodes:
        node.column = max((source.column + 1 for source, _ in node.sources), default=0)
        lines = node.text.split("\n")
        pins = len(node.sources) if len(node.sources) > 1 else 0
        node.width = CHARACTER * max(map(len, lines)) + 0.3
        if pins:
            node.width += 2 * CHARACTER * max(len(pin) for _, pin in node.sources) + 0.1
        node.height = max(0.25 + 0.15 * len(lines), PIN * (pins + 1))

    columns = _columns(nodes)
    stacked = [node.height for column in columns if len(column) > 1 for node in column]
    pitch = max(stacked, default=0.0) + ROW_GAP
    left = MARGIN
    for column in columns:
        width = max(node.width for node in column)
        for node in column:
            node.x = left + width / 2
            node.width = node.width if node.kind else width
        left += width + GAP
        _stack(column, pitch)
    everything = [node for column in columns for node in column]
    low = min(node.y - node.height / 2 for node in everything) - MARGIN
    high = max(node.y + node.height / 2 for node in everything) + MARGIN
    for node in everything:
        node.y -= low

    drawing = Drawing(name, round(left - GAP + MARGIN, 3), round(high - low, 3))
    for node in everything:
        if node.kind:
            x, y, width, height = (round(z, 3) for z in (node.x, node.y, node.width, node.height))
            drawing.boxes.append(Box(x, y, width, height, node.text, node.kind, node.of, node.port))
            _add_arrows(drawing, node)
    return drawing


def _columns(nodes: list[Node]) -> list[list[Node]]:
    """The nodes by column, outputs in the last, with a point in every column that an arrow
    crosses."""
    last = max(node.column for node in nodes)
    fed = {source for node in nodes for source, _ in node.sources}
    columns: list[list[Node]] = [[] for _ in range(last + 1)]
    for node in nodes:
        if node not in fed:
            node.column = last
        for n, (source, pin) in enumerate(node.sources):
            for column in range(source.column + 1, node.column):
                source = Node(sources=[(source, pin)], column=column)
                columns[column].append(source)
            node.sources[n] = (source, pin)
        columns[node.column].append(node)
    return columns


def _stack(column: list[Node], pitch: float) -> None:
    """Set y of the nodes of a column, as close to their sources as space permits."""
    wanted = {
        node: sum(source.y for source, _ in node.sources) / max(len(node.sources), 1)
        for node in column
    }
    column.sort(key=lambda node: -wanted[node])
    for n, node in enumerate(column):
        node.y = min(wanted[node], column[n - 1].y - pitch) if n else wanted[node]
    shift = sum(wanted[node] - node.y for node in column) / len(column)
    for node in column:
        node.y += shift


def _add_arrows(drawing: Drawing, node: Node) -> None:
    """Add the arrows into a node, distributed along its left edge, and their names."""
    pins = sorted(node.sources, key=lambda source: -source[0].y)
    edge = node.x - node.width / 2
    for n, (source, name) in enumerate(pins):
        y = node.y + node.height * (0.5 - (n + 1) / (len(pins) + 1))
        points: list[Point] = [(edge - 0.05, y)]
        while not source.kind:
            points += [
                (source.x + source.width / 2, source.y),
                (source.x - source.width / 2, source.y),
            ]
            source = source.sources[0][0]
        points.append((source.x + source.width / 2 + 0.05, source.y))
        drawing.arrow(*reversed(points))
        if len(pins) > 1:
            drawing.label(edge + 0.08, y, name, "left")
