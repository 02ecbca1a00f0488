"""Functional bins of a core, as cover statements in its Verilog."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from spikeloom.contract import Core
    from spikeloom.export.verilog import VerilogModule
    from spikeloom.port import Port

MARK = "  // cover"
"""End of each line that `with_bins` adds."""

STATES = {
    "idle": "!busy && !done",
    "before the first output": "busy && !_cover_sent",
    "between outputs": "busy && _cover_sent",
    "done": "done",
}
"""States of a core's control, as conditions on its ports and on whether the run has sent a beat."""

RUNNING = ("before the first output", "between outputs")

EVENTS = {
    "transfers": "{valid} && {ready}",
    "waits for ready": "{valid} && !{ready}",
    "waits for valid": "!{valid} && {ready}",
}

_MODULE = re.compile(r"^module (\w+)\(", re.MULTILINE)
_COUNT = re.compile(r"^  assign \w+ = (\w+) ([+-]) 1'h1;$", re.MULTILINE)
_REGISTER = r"^  (?:output )?reg (\[[^]]*\] )?{name};$|^  output reg (\[[^]]*\] )?{name},?$"


@dataclass(frozen=True)
class Bin:
    """Something that tests of a core should bring about, once at least.

    Parameters
    ----------
    label : of the cover statement.
    group : "streams", "starts", "resets", "values", "flags" or "wraps".
    what : in words.
    condition : in Verilog, at a clock edge.
    """

    label: str
    group: str
    what: str
    condition: str


def with_bins(core: Core, module: VerilogModule) -> tuple[VerilogModule, list[Bin]]:
    """`module`, the Verilog of `core`, with a cover statement for each bin, and the bins.

    Streams, starts, resets, values and flags are at the ports; wraps are those of every counter.
    """
    bins: list[Bin] = []
    parts = []
    for part in module.text.split("endmodule\n"):
        found = _MODULE.search(part)
        lines: list[str] = []
        if found and found[1] == module.name:
            chosen = list(_numbered(_port_bins(core), len(bins)))
            lines += [*_state(core), *_statements(chosen)]
            bins += chosen
        if found:
            counters = list(_counters(part))
            for name, width in counters:
                lines += [
                    f"reg {width}_cover_{name} = 0;",
                    f"always @(posedge clk) _cover_{name} <= {name};",
                ]
            chosen = list(_numbered(_wraps(found[1], part, counters), len(bins)))
            lines += _statements(chosen)
            bins += chosen
        parts.append(part + "".join(f"  {line}{MARK}\n" for line in lines))
    return replace(module, text="endmodule\n".join(parts)), bins


def _numbered(found, begin) -> Iterator[Bin]:
    for number, (group, what, condition) in enumerate(found, begin):
        yield Bin(f"bin_{number}", group, what, condition)


def _statements(bins):
    # Immediate cover statements: they see the values before the edge.
    return [f"always @(posedge clk) {one.label}: cover ({one.condition});" for one in bins]


def _state(core):
    """Registers about the run, and the cycle before."""
    sent = " || ".join(_event(name, "m", "transfers") for name in core.outputs)
    return [
        "reg _cover_sent = 0, _cover_rst = 0;",
        "always @(posedge clk) begin",
        "  _cover_rst <= rst;",
        f"  _cover_sent <= !rst && busy && (_cover_sent || {sent});",
        "end",
    ]


def _event(name, side, event):
    stream = f"{side}_axis_{name}_t"
    return f"({EVENTS[event].format(valid=stream + 'valid', ready=stream + 'ready')})"


def _port_bins(core: Core) -> Iterator[tuple[str, str, str]]:
    """(group, what, condition) of the bins at the ports."""
    for name in (*core.loads, *core.inputs):
        # What is loaded once after reset is there before any start.
        for state in STATES if name in core.inputs else ("idle",):
            for event in EVENTS:
                condition = f"!rst && {STATES[state]} && {_event(name, 's', event)}"
                yield "streams", f"input {name} {event}, {state}", condition
    for name in core.outputs:
        for state in RUNNING:
            for event in EVENTS:
                condition = f"!rst && {STATES[state]} && {_event(name, 'm', event)}"
                yield "streams", f"output {name} {event}, {state}", condition
    for state, holds in STATES.items():
        yield "starts", f"start, {state}", f"!rst && start && {holds}"
    for state, holds in STATES.items():
        yield "resets", f"reset, {state}", f"rst && !_cover_rst && {holds}"
    for name in core.outputs:
        event = _event(name, "m", "waits for ready")
        yield "resets", f"reset while output {name} waits", f"rst && !_cover_rst && {event}"
    for side, ports in (("s", core.inputs), ("m", core.outputs)):
        for name, port in ports.items():
            yield from _values(name, port, side)
    for name, flag in core.flags.items():
        if name == "misframed" and not core.inputs:
            continue
        yield "flags", f"{name} is {'set' if flag.bits == 1 else 'counted'}", f"!rst && |{name}"


def _values(name: str, port: Port, side: str) -> Iterator[tuple[str, str, str]]:
    """The extremes of the elements of a stream."""
    bits, transfer = port.item.bits, _event(name, side, "transfers")
    for extreme, value in (("lowest", port.item.low), ("highest", port.item.high)):
        dtype = np.uint64 if int(value) >= 2**63 else np.int64
        code = int(port.item.encode(np.array([int(value)], dtype))[0])
        elements = (
            f"{side}_axis_{name}_tdata[{n * bits + bits - 1}:{n * bits}] == {bits}'d{code}"
            for n in range(prod(port.beat))
        )
        what = f"{'input' if side == 's' else 'output'} {name} has its {extreme} value"
        yield "values", what, f"!rst && {transfer} && ({' || '.join(elements)})"


def _counters(part: str) -> Iterator[tuple[str, str]]:
    """Registers of a module that count up or down by 1: name, declared range."""
    for name in sorted({found[1] for found in _COUNT.finditer(part)}):
        register = re.search(_REGISTER.format(name=re.escape(name)), part, re.MULTILINE)
        if register:
            yield name, register[1] or register[2] or ""


def _wraps(place: str, part: str, counters: list[tuple[str, str]]) -> Iterator[tuple]:
    """Bins of the counters of a module: from its greatest number on to 0, or back."""
    up: Mapping[str, bool] = {found[1]: found[2] == "+" for found in _COUNT.finditer(part)}
    # After a reset a counter is 0 as well.
    running = "!rst && " if re.search(r"^  input rst,?$", part, re.MULTILINE) else ""
    for name, _ in counters:
        before, now = f"_cover_{name}", name
        first, second = (before, now) if up[name] else (now, before)
        condition = f"{running}{first} != 0 && {second} == 0"
        yield "wraps", f"{place}: {name} {'ends' if up[name] else 'begins again'}", condition
