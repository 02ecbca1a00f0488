"""The demo of the `ssa` core: a photograph through golden model, RTL and bitstream."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from spikeloom.config import SSAConfig
from spikeloom.errors import JobError
from spikeloom.export.files import core_files
from spikeloom.staging import whole_folder
from spikeloom_sim.backends import run_rtl
from spikeloom_sim.backends.wave import write_gtkw
from spikeloom_sim.golden import ssa

from .build import Build, build
from .demo_photograph import photograph
from .demo_plots import plot_attention, plot_error, plot_raster
from .recipes import find_board, preset_config
from .spiked_demo import demo_spiked

BOARD = "icebreaker"
STEPS = (10, 100)


@dataclass
class DemoResult:
    """What the demo measured, one entry of `runs` for each T, and the `files` it wrote."""

    runs: list
    report: object
    files: dict

    title = "Attention over 64 patches of a photograph, 64 values each"

    def as_dict(self):
        files = {str(path): what for path, what in self.files.items()}
        return {"runs": self.runs, "build": asdict(self.report), "files": files}

    def table(self):
        """Headers and rows for people."""
        headers = ("T", "mismatches", "RMSE", "sqrt(p(1-p)/T)", "cycles", "simulated in")
        rows = [
            (
                str(run["steps"]),
                f"{run['mismatches']} of {run['outputs']}",
                f"{run['rmse']:.4f}",
                f"{run['expected_rmse']:.4f}",
                str(run["cycles"]),
                f"{run['seconds']:.1f} s",
            )
            for run in self.runs
        ]
        return headers, rows


def photograph_patches():
    """A photograph as tokens: 64 patches of 8 x 8 grey values in [0, 1], (64, 64) float64."""
    return photograph(64).reshape(8, 8, 8, 8).transpose(0, 2, 1, 3).reshape(64, 64)


def demo_config(steps):
    """The iCEBreaker preset's core, fed with values, for `steps` time steps."""
    preset = find_board(BOARD).preset("ssa")
    return SSAConfig(**preset | {"steps": steps, "inputs": "values"})


def demo_ssa(folder, progress):
    """Run the demo into `folder`, whole or not at all; see `DemoResult`."""
    patches = photograph_patches()
    reference = ssa.float_reference(patches, patches, patches)
    with whole_folder(folder, "demo.md") as staging:
        runs = []
        for steps in STEPS:
            progress(f"simulate T = {steps}")
            runs.append(_run(demo_config(steps), patches, reference))
        progress("waveform")
        run_rtl(demo_config(1), [(patches, patches, patches)], wave=staging / "ssa.vcd")
        write_gtkw(staging / "ssa.gtkw", "ssa.vcd", demo_config(1))
        progress("pictures")
        trace = ssa.trace(demo_config(max(STEPS)), patches, patches, patches)
        plot_attention(patches, trace, staging / "attention.png")
        plot_raster(trace, staging / "raster.png")
        plot_error(patches, reference, demo_config, staging / "error.png")

        recipe = find_board(BOARD)
        config = preset_config("ssa", recipe)
        for name, text in core_files(config).items():
            (staging / name).write_text(text)
        job = Build(config, recipe, recipe.frequency_of("ssa"), top="self-test")
        report = build(job, staging / BOARD, progress)
        (staging / "demo.md").write_text(_summary(runs, report))

    folder = Path(folder)
    files = {
        folder / "attention.png": "attention matrix: from spikes, from floats, and the photograph",
        folder / "error.png": "output error against T, with the 1/sqrt(T) line",
        folder / "raster.png": "spikes of one token: Q, K, V, scores, output",
        folder / "ssa.vcd": f"waveform of one time step (gtkwave {folder / 'ssa.gtkw'})",
        folder / "spikeloom_ssa.v": "Verilog with AXI4-Stream ports",
        folder / BOARD / report.bitstream: "bitstream for the iCEBreaker",
        folder / "demo.md": "the figures above",
    }
    return DemoResult(runs, report, files)


demo_ssa.steps = len(STEPS) + 2 + 4
DEMOS = {"ssa": demo_ssa, "spiked": demo_spiked}


def _run(config, patches, reference):
    """One T on golden model and RTL: the row of the demo's table."""
    begun = time.monotonic()
    expected = ssa.run(config, patches, patches, patches)
    golden_seconds = time.monotonic() - begun
    run = run_rtl(config, [(patches, patches, patches)])
    mismatches = int((run.outputs[0] != expected).sum())
    if mismatches:
        raise JobError(f"T = {config.steps}: {mismatches} outputs differ from the golden model")
    rate = run.outputs[0].mean(axis=0)
    return {
        "steps": config.steps,
        "mismatches": mismatches,
        "outputs": expected.size,
        "rmse": float(np.sqrt(np.mean((rate - reference) ** 2))),
        "expected_rmse": float(np.sqrt(np.mean(reference * (1 - reference)) / config.steps)),
        "cycles": run.cycles[0],
        "golden_seconds": golden_seconds,
        "build_seconds": run.build_seconds,
        "seconds": run.run_seconds,
    }


def _summary(runs, report):
    """The demo's figures as Markdown."""
    lines = ["# Stochastic spiking attention over a photograph", ""]
    lines += ["| T | mismatches | RMSE | sqrt(p(1-p)/T) | cycles |", "|---|---|---|---|---|"]
    lines += [
        f"| {row['steps']} | {row['mismatches']} of {row['outputs']} | {row['rmse']:.4f} "
        f"| {row['expected_rmse']:.4f} | {row['cycles']} |"
        for row in runs
    ]
    lines += [
        "",
        f"{report.board}: {report.lut4} LUT4, {report.cells} of {report.cells_available} cells, "
        f"{report.block_rams} of {report.block_rams_available} block RAMs, "
        f"{report.fmax_mhz} MHz ({report.target_mhz:g} MHz needed), "
        f"{report.us:.1f} us per attention",
        "",
    ]
    return "\n".join(lines)
