"""The demo of the `spiked` core: attention over a photograph on the models and the RTL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spikeloom.cores.spiked import Spiked, golden
from spikeloom.export.files import core_files, write_files
from spikeloom.outputs import output_folder

from .. import Demo
from ..photograph import photograph
from ..result import CYCLES, MISMATCHES, DemoResult, run_checked
from .plots import plot_attention, plot_raster, plot_shift

if TYPE_CHECKING:
    from numpy.typing import NDArray

CODES = ((1.15, 40), (1.4, 16))  # base and steps: Swin-T's and BERT's in the paper
TOKENS, DIM, LANES = 49, 32, 49


TITLE = "Attention over 49 patches of a photograph (a Swin window), 32 dimensions"
COLUMNS = {
    "B": lambda run: f"{run['base']:g}",
    "T": lambda run: run["steps"],
    **MISMATCHES,
    "correlation with softmax": lambda run: (
        f"{run['correlation']:.4f} (float model {run['float_correlation']:.4f})"
    ),
    **CYCLES,
}


def photograph_operands() -> tuple[NDArray, NDArray, NDArray]:
    """Q, K, V (49, 32) of 7 x 7 patches of 8 x 8 pixels, by fixed random projections."""
    image = photograph(56)
    patches = image.reshape(7, 8, 7, 8).transpose(0, 2, 1, 3).reshape(TOKENS, 64)
    patches = (patches - patches.mean()) / patches.std()
    rng = np.random.default_rng(7)
    query, value = rng.standard_normal((2, 64, DIM)) / 8
    # Similar patches have similar queries and keys.
    key = query + 0.3 * rng.standard_normal((64, DIM)) / 8
    return 0.7 * patches @ query, 0.7 * patches @ key, patches @ value


def run_demo(folder: Path, progress: Callable[[str], None]) -> DemoResult:
    """Run the demo and write its files to `folder`; returns a `DemoResult`."""
    operands = photograph_operands()
    with output_folder(folder, "demo spiked") as staging:
        runs = []
        for base, steps in CODES:
            progress(f"simulate B = {base}, T = {steps}")
            runs.append(_run({"base": base, "steps": steps, "lanes": LANES}, operands))
        progress("plots")
        base, steps = CODES[0]
        settings = {"base": base, "steps": steps, "lanes": LANES}
        config, (codes,) = Spiked.prepare(settings, **dict(zip("qkv", operands, strict=True)))
        trace = golden.trace(config, **codes)
        plot_attention(operands, trace, config, staging / "attention.png")
        plot_raster(tuple(codes.values()), trace, config, staging / "raster.png")
        plot_shift(trace, config, staging / "shift.png")
        write_files(staging, core_files(config))
        after = "spikeloom demo a2os2a"
        result = DemoResult(TITLE, COLUMNS, runs, folder, saw=_saw(runs), after=after)
        (staging / "demo.md").write_text(result.markdown() + result.ending)

    result.files = {
        "attention.png": "attention matrix: softmax, decoded from spikes, and the difference",
        "raster.png": "spikes of one token: Q, scores, probabilities, output",
        "shift.png": "potentials of one row and the falling threshold",
        "spikeloom_spiked.v": "Verilog with AXI4-Stream ports",
        "demo.md": "the figures above",
    }
    return result


DEMO = Demo(run_demo, steps=len(CODES) + 1)


def _saw(runs):
    """What the reader saw, in three sentences."""
    fine, coarse = runs
    outputs = sum(run["outputs"] for run in runs)
    return (
        "Every number was one spike, and the time of the spike its value: with "
        f"{fine['steps']} steps the attention correlates with softmax by "
        f"{fine['correlation']:.3f}, with {coarse['steps']} steps by {coarse['correlation']:.3f}.",
        f"The simulated circuit gave the same codes as the NumPy model: 0 of {outputs:,} differ.",
        f"It has no multiplier and no exponential, and took {fine['cycles']:,} and "
        f"{coarse['cycles']:,} cycles with {LANES} lanes.",
    )


def _run(settings, operands):
    """Run one code on the float model, golden model and RTL; returns a row of the demo's table."""
    config, (codes,) = Spiked.prepare(settings, **dict(zip("qkv", operands, strict=True)))
    run = run_checked(config, codes)
    softmax = golden.softmax_attention(*operands).ravel()
    values = config.views()["values"](run.output).ravel()
    float_values = golden.float_model(config, *operands).values.ravel()
    return {
        "base": config.base,
        "steps": config.steps,
        "correlation": float(np.corrcoef(values, softmax)[0, 1]),
        "float_correlation": float(np.corrcoef(float_values, softmax)[0, 1]),
    } | run.summary()
