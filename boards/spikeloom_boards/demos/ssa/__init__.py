"""The demo of the `ssa` core: attention over a photograph on golden model, RTL and FPGA."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from spikeloom.cores.ssa import golden
from spikeloom.cores.ssa.core import ENGINES
from spikeloom.export.files import core_files, write_files
from spikeloom.outputs import output_folder
from spikeloom_sim.backends import RTL

from ...boards import find_board
from ...build import Build, build
from ...presets import core_clock, preset_config
from ...rates import rate_text
from .. import Demo
from ..photograph import photograph
from ..result import CYCLES, MISMATCHES, DemoResult, run_checked
from . import looking
from .plots import plot_attention, plot_error, plot_raster

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikeloom.cores.ssa.core import SSA

BOARD = "icebreaker"
STEPS = (10, 100)


TITLE = "Attention over 64 patches of a photograph, 64 values each"
COLUMNS = {
    "engine": lambda run: run["engine"],
    "T": lambda run: run["steps"],
    **MISMATCHES,
    "RMSE": lambda run: f"{run['rmse']:.4f}",
    "sqrt(p(1-p)/T)": lambda run: f"{run['expected_rmse']:.4f}",
    **CYCLES,
}


def photograph_patches() -> NDArray:
    """A photograph as tokens: 64 patches of 8 x 8 grey values in [0, 1], (64, 64) float64."""
    return photograph(64).reshape(8, 8, 8, 8).transpose(0, 2, 1, 3).reshape(64, 64)


def demo_config(steps: int, engine: str = "sampled") -> SSA:
    """The iCEBreaker's preset with `engine`, value inputs and `steps` time steps."""
    settings = {"engine": engine, "steps": steps, "inputs": "values"}
    return cast("SSA", preset_config("ssa", find_board(BOARD), settings))


def run_demo(folder: Path, progress: Callable[[str], None]) -> DemoResult:
    """Run the demo and write its files to `folder`; returns a `DemoResult`."""
    patches = photograph_patches()
    reference = golden.float_reference(patches, patches, patches)
    with output_folder(folder, "demo ssa") as staging:
        runs = []
        for engine in ENGINES:
            for steps in STEPS:
                progress(f"simulate engine {engine}, T = {steps}")
                runs.append(_run(demo_config(steps, engine), patches, reference))
        progress("waveform")
        operands = dict.fromkeys("qkv", patches)
        RTL(wave=staging / "ssa.vcd").run(demo_config(1), [operands])
        progress("plots")
        traces = {
            engine: golden.trace(demo_config(max(STEPS), engine), patches, patches, patches)
            for engine in ENGINES
        }
        plot_attention(patches, traces, staging / "attention.png")
        plot_raster(traces["sampled"], staging / "raster.png")
        looking.animate(patches, traces["sampled"].scores, staging / "attention.gif")
        plot_error(patches, reference, demo_config, staging / "error.png")

        target = find_board(BOARD)
        config = preset_config("ssa", target)
        write_files(staging, core_files(config))
        job = Build(config, target, core_clock("ssa", target), top="self-test")
        report = build(job, staging / BOARD, progress)
        saw, after = _saw(runs, report), "spikeloom demo spiked"
        result = DemoResult(TITLE, COLUMNS, runs, folder, report=report, saw=saw, after=after)
        (staging / "demo.md").write_text(result.markdown() + _summary(report) + result.ending)
        seen = looking.page(patches, traces["sampled"].scores, saw, after)
        (staging / "demo.html").write_text(seen, encoding="utf-8")

    result.files = {
        "demo.html": "choose a patch and T in a browser, and see where the patch looks",
        "attention.gif": "where one patch looks, by spikes, as T grows",
        "attention.png": "attention matrix: floating point, and decoded for both engines",
        "error.png": "output error against T, with a 1/sqrt(T) reference",
        "raster.png": "spikes of one token: Q, K, V, scores, output",
        "ssa.vcd": f"waveform of one time step (gtkwave {folder / 'ssa.gtkw'})",
        "spikeloom_ssa.v": "Verilog with AXI4-Stream ports",
        f"{BOARD}/{report.bitstream}": "bitstream for the iCEBreaker",
        "demo.md": "the figures above",
    }
    return result


DEMO = Demo(run_demo, steps=len(ENGINES) * len(STEPS) + 2 + 4)


def _run(config, patches, reference):
    """Run one T on the golden model and the RTL; returns a row of the demo's table."""
    run = run_checked(config, {"q": patches, "k": patches, "v": patches})
    rate = run.output.mean(axis=0)
    return {
        "engine": config.engine,
        "steps": config.steps,
        "rmse": float(np.sqrt(np.mean((rate - reference) ** 2))),
        "expected_rmse": float(np.sqrt(np.mean(reference * (1 - reference)) / config.steps)),
    } | run.summary()


def _saw(runs, report):
    """What the reader saw, in three sentences."""
    last, outputs = runs[-1], sum(run["outputs"] for run in runs)
    core = report.rates[0]
    return (
        f"Patches of a photograph looked at each other by random spikes: after {last['steps']} "
        f"steps the output is {last['rmse']:.3f} from floating point, where chance alone predicts "
        f"{last['expected_rmse']:.3f}.",
        f"The simulated circuit gave the same spikes as the NumPy model: 0 of {outputs:,} differ.",
        f"As a bitstream for the {find_board(BOARD).title} it takes {report.cells:,} of "
        f"{report.cells_available:,} cells, and an attention takes the core {core['us']:.1f} us.",
    )


def _summary(report):
    """A sentence with the figures of the bitstream."""
    return (
        f"\n{report.board}: {report.lut4} LUT4, {report.cells} of {report.cells_available} cells, "
        f"{report.block_rams} of {report.block_rams_available} block RAMs, "
        f"{report.fmax_mhz} MHz ({report.target_mhz:g} MHz needed), "
        "an attention: "
        + "; ".join(f"{rate['what']} {rate_text(rate)}" for rate in report.rates)
        + "\n"
    )
