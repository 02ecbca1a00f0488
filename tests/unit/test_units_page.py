"""``docs/units.md``: every unit, its streams and cycles as the page has them, and its commands."""

import re
import shlex
from math import ceil, prod
from types import SimpleNamespace

import numpy as np
import pytest

from spikeloom.cores import all_cores, find_core
from spikeloom.stream_unit import StreamUnit
from spikeloom_cli.main import main
from tests.pages import DOCS

PAGE = (DOCS / "units.md").read_text(encoding="utf-8")
UNITS = sorted(name for name, core in all_cores().items() if issubclass(core, StreamUnit))


def rows(heading):
    """Cells of each row of the table under a heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def stream_rows():
    """(unit, stream) to shape, items and elements of a beat, as the page has them."""
    found, unit = {}, ""
    for name, stream, *rest in rows("Streams"):
        unit = name.strip("`") or unit
        found[unit, stream.strip("`")] = SimpleNamespace(
            shape=rest[0].strip("`"), items=re.findall(r"\w+", rest[1]), beat=rest[2].strip("`")
        )
    return found


def cases(unit):
    core = find_core(unit)
    return [core.from_settings(settings) for settings in core.CASES.values()]


def evaluated(formula, core, **more):
    return eval(formula, {"__builtins__": {}}, core.as_dict() | {"ceil": ceil, "max": max} | more)


def test_every_unit_is_listed():
    assert sorted(re.findall(r"^\| `(\w+)` \| [^|]+ \|$", PAGE, re.M)) == UNITS  # equations
    assert sorted({unit for unit, _ in stream_rows()}) == UNITS
    assert sorted(row[0].strip("`") for row in rows("Cycles")) == UNITS


@pytest.mark.parametrize("unit", UNITS)
def test_streams(unit):
    page = {stream: row for (name, stream), row in stream_rows().items() if name == unit}
    items = {stream: set() for stream in page}
    for core in cases(unit):
        ports = core.inputs | core.outputs
        assert ports.keys() == page.keys()
        for stream, row in page.items():
            port = ports[stream]
            assert evaluated(row.shape, core) == port.shape
            assert evaluated(row.beat, core) == prod(port.beat)
            items[stream].add(type(port.item).__name__)
    assert items == {stream: set(row.items) for stream, row in page.items()}


@pytest.mark.parametrize("unit", UNITS)
def test_cycles_and_source(unit):
    ((formula, source),) = (row[1:] for row in rows("Cycles") if row[0] == f"`{unit}`")
    assert source == find_core(unit).SOURCE
    assert cases(unit)[0].cycle_formula().partition(";")[0] == formula.strip("`")
    for core in cases(unit):
        for density in (-1, 0.1, 0.5, 2):
            operands = core.random_operands(np.random.default_rng(0), density)
            more = spikes_and_parts(core, operands["a"]) if unit == "trace_product" else {}
            assert evaluated(formula.strip("`"), core, **more) == core.cycles(**operands)


def spikes_and_parts(core, a):
    """What the page says of them."""
    spikes = np.count_nonzero(a, axis=1).tolist()
    parts = [spikes[n : n + core.lanes] for n in range(0, core.lines, core.lanes)]
    short = sum(part[-1] == 0 for part in parts[:-1]) if core.tokens > core.lanes else 0
    return {"spikes": sum(max(1, n) for n in spikes), "parts": len(parts) - short}


@pytest.mark.long
def test_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("I.npy", np.random.default_rng(0).integers(-128, 128, (4, 8)))
    commands = re.findall(r"^    spikeloom (.+)$", PAGE, re.M)
    assert [command.split()[0] for command in commands] == ["run", "generate", "regress"]
    for command in commands:
        assert main(shlex.split(command)) == 0
    assert np.load("S.npy").shape == (4, 8)
    assert (tmp_path / "verilog" / "manifest.json").exists()
