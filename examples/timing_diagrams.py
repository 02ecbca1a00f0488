"""Simulate a core and draw the timing diagrams of docs/use-a-core.md:
``python examples/timing_diagrams.py`` (needs the package wavedrom).

Each diagram shows the ports of the core, as simulated. It is written to ``docs/timing`` as WaveDrom
JSON and as SVG.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator

import spikeloom
from spikeloom.export.axi_top import AxiTop

OUT = Path(__file__).parents[1] / "docs" / "timing"
CORE = spikeloom.core("ssa", tokens=2, head_dim=8, steps=1, cells=2, bits=8)
FIRST = 6  # cycle of the first start
END = CORE.cycles() + FIRST + 1  # cycle of its `done`

Ports = dict[str, list[int]]
"""Values of each port in the cycles of a recording."""

Script = Callable[[int], Mapping[str, int]]
"""From a cycle to the inputs that are not 0: ``start``,
``rst``, ``pause_NAME`` of an input stream, and ``stall`` of the output."""


def record(script: Script, cycles: int, runs: int) -> Ports:
    """Simulate `CORE` on random operands of several runs, sent as soon as the core accepts them."""
    top, rst = AxiTop(CORE.create()), Signal()
    rng = np.random.default_rng(2)
    beats = {
        name: [beat for _ in range(runs) for beat in port.pack(port.random(rng))]
        for name, port in CORE.inputs.items()
    }
    recorded: Ports = {}

    async def testbench(ctx):
        for cycle in range(cycles):
            inputs = script(cycle)
            offered = {n for n in beats if beats[n] and not inputs.get(f"pause_{n}")}
            for name in beats:
                data, last = beats[name][0] if name in offered else (0, 0)
                ctx.set(getattr(top, f"s_axis_{name}_tvalid"), name in offered)
                ctx.set(getattr(top, f"s_axis_{name}_tdata"), data)
                ctx.set(getattr(top, f"s_axis_{name}_tlast"), last)
            ctx.set(rst, inputs.get("rst", 0))
            ctx.set(top.start, inputs.get("start", 0))
            ctx.set(top.seed, 42 + cycle if inputs.get("start") else 0)
            ctx.set(top.m_axis_o_tready, not inputs.get("stall"))
            recorded.setdefault("rst", []).append(ctx.get(rst))
            for name in top.signature.members:
                recorded.setdefault(name, []).append(ctx.get(getattr(top, name)))
            for name in offered:
                if recorded[f"s_axis_{name}_tready"][-1]:
                    beats[name].pop(0)
            await ctx.tick()

    simulator = Simulator(ResetInserter(rst)(top))
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    return recorded


@dataclass(frozen=True)
class Diagram:
    """The `ports` of a recording in a range of cycles; see `record` for `script` and `runs`."""

    title: str
    script: Script
    cycles: range
    ports: Sequence[str]
    runs: int = 1

    def as_json(self) -> dict:
        """WaveDrom's description."""
        recorded = record(self.script, self.cycles.stop, self.runs)
        valid = {
            name: recorded["start" if name == "seed" else name.replace("tdata", "tvalid")]
            for name in self.ports
            if name == "seed" or name.endswith("tdata")
        }
        waves = [{"name": "clk", "wave": "p" + "." * (len(self.cycles) - 1)}]
        for name in self.ports:
            if name in valid:
                shown = [recorded[name][n] if valid[name][n] else None for n in self.cycles]
                waves.append({"name": name} | bus(shown))
            else:
                levels = "".join(str(recorded[name][n]) for n in self.cycles)
                waves.append({"name": name, "wave": repeats(levels)})
        head = {"text": self.title, "tick": self.cycles.start - FIRST}
        return {"signal": waves, "head": head, "config": {"hscale": 1}}


def bus(values: Sequence[int | None]) -> dict:
    """The wave of a bus, in hexadecimal; None: nothing is valid."""
    wave, data = "", []
    for before, value in pairwise([-1, *values]):
        wave += "." if value == before else "x" if value is None else "="
        data += [f"{value:x}"] if wave[-1] == "=" else []
    return {"wave": wave, "data": data}


def repeats(wave: str) -> str:
    """A wave with dots for levels that stay."""
    return wave[0] + "".join("." if a == b else b for a, b in pairwise(wave))


def start(cycle):
    return {"start": cycle == FIRST}


def pauses(cycle):
    """The source pauses for a cycle."""
    return {"start": cycle == FIRST, "pause_q": cycle == 1}


def stalls(cycle):
    """The consumer takes beats in two cycles only."""
    return {"start": cycle == FIRST, "stall": cycle not in (END + 1, END + 4)}


def reset(cycle):
    return {"start": cycle == FIRST, "rst": cycle == FIRST + 3}


def again(cycle):
    """The next run starts with the `done` of the one before."""
    return {"start": cycle in (FIRST, END)}


OUTPUT = [f"m_axis_o_{part}" for part in ("tvalid", "tready", "tdata", "tlast")]
DIAGRAMS = {
    "start": Diagram(
        "a run, its operands in the core",
        start,
        range(FIRST - 1, END + 2),
        ["start", "seed", "busy", *OUTPUT, "done"],
    ),
    "input": Diagram(
        "an input stream: the source pauses, then the core is full",
        pauses,
        range(0, FIRST + 9),
        ["start", *(f"s_axis_q_{part}" for part in ("tvalid", "tready", "tdata", "tlast"))],
        runs=3,
    ),
    "output": Diagram(
        "an output stream that is not taken at once",
        stalls,
        range(END - 4, END + 8),
        [*OUTPUT, "busy", "done"],
    ),
    "reset": Diagram(
        "a reset drops the run and its operands",
        reset,
        range(FIRST - 1, END + 2),
        ["rst", "start", "s_axis_q_tready", "busy", "m_axis_o_tvalid", "done"],
        runs=2,
    ),
    "back-to-back": Diagram(
        "runs without a gap",
        again,
        range(FIRST - 1, 2 * END - FIRST + 2),
        ["start", "seed", "s_axis_q_tvalid", "s_axis_q_tready", "busy", *OUTPUT[::3], "done"],
        runs=3,
    ),
}


def draw(text: str) -> str:
    """The SVG of a description as JSON, on white."""
    import wavedrom

    drawing = wavedrom.render(text)
    drawing.elements.insert(1, drawing.rect(size=("100%", "100%"), fill="white"))
    return drawing.tostring() + "\n"


def main():
    OUT.mkdir(exist_ok=True)
    for name, diagram in DIAGRAMS.items():
        text = json.dumps(diagram.as_json(), indent=1) + "\n"
        (OUT / f"{name}.json").write_text(text)
        (OUT / f"{name}.svg").write_text(draw(text))
        print(OUT / f"{name}.svg")


if __name__ == "__main__":
    main()
