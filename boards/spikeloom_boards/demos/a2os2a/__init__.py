"""The demo of the `a2os2a` core: neurons, attention and output neurons on a photograph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

from spikeloom.cores.a2os2a import A2OS2A, golden
from spikeloom.cores.a2os2a_block import A2OS2ABlock
from spikeloom.cores.spiking_neurons.golden import float_fire
from spikeloom.export.files import core_files, write_files
from spikeloom.outputs import output_folder
from spikeloom_sim.backends import RTL

from .. import Demo
from ..photograph import photograph
from ..result import CYCLES, MISMATCHES, DemoResult, run_checked
from .plots import plot_attention, plot_cycles, plot_spikes

if TYPE_CHECKING:
    from numpy.typing import NDArray


TOKENS, DIM, STEPS, LANES = 64, 64, 4, 32
ONE = 2**9  # a pre-activation, and a potential, of 1: the threshold of Q and V
OUTPUT_THRESHOLD = 2**14
DENSITIES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02)

TITLE = "Attention of additions over 64 patches of a photograph, 4 time steps"
COLUMNS = {
    "core": lambda run: run["core"],
    "order": lambda run: run["order"],
    **MISMATCHES,
    "events": lambda run: run["events"],
    **CYCLES,
}


def photograph_pre_activations() -> list[NDArray]:
    """Q, K, V pre-activations (T, 64, 64): 8 x 8 pixels by fixed random projections, every step."""
    patches = photograph(64).reshape(8, 8, 8, 8).transpose(0, 2, 1, 3).reshape(TOKENS, 64)
    patches = (patches - patches.mean()) / patches.std()
    rng = np.random.default_rng(3)
    query, value = rng.standard_normal((2, 64, DIM)) / 8
    # Similar patches have similar queries and keys.
    key = query + 0.3 * rng.standard_normal((64, DIM)) / 8
    return [np.tile(patches @ weights, (STEPS, 1, 1)) for weights in (query, key, value)]


def run_demo(folder: Path, progress: Callable[[str], None]) -> DemoResult:
    """Run the demo and write its files to `folder`; returns a `DemoResult`."""
    reals = photograph_pre_activations()
    config = A2OS2ABlock(
        tokens=TOKENS,
        head_dim=DIM,
        steps=STEPS,
        lanes=LANES,
        q_threshold=ONE,
        v_threshold=ONE,
        o_threshold=OUTPUT_THRESHOLD,
    )
    limit = 2 ** (config.input_bits - 1)
    inputs = {
        name: np.rint(x * ONE).clip(-limit, limit - 1).astype(int)
        for name, x in zip("qkv", reals, strict=True)
    }
    trace = block_trace(config, inputs)
    spikes = {"q": trace.q, "k": trace.k, "v": trace.v}
    with output_folder(folder, "demo a2os2a") as staging:
        runs = []
        for order in ("kv", "qk"):
            progress(f"simulate the core, {order}")
            runs.append(_run(_core(order, STEPS), spikes, spikes))
        progress("simulate the core with its neurons")
        runs.append(_run(config, inputs, spikes))

        progress("cycles against density")
        measured = {order: _cycles(_core(order)) for order in ("kv", "qk")}
        progress("waveform")
        first = _core("kv")
        operands = {name: x[0] for name, x in spikes.items()}
        RTL(wave=staging / "a2os2a.vcd").run(first, [operands])

        progress("plots")
        plot_spikes(trace, config, staging / "spikes.png")
        plot_attention(photograph(64), _scores(reals, trace), staging / "attention.png")
        shown = np.count_nonzero([trace.q, trace.k]) / (2 * trace.q.size)
        plot_cycles(measured, _core("kv"), shown, staging / "cycles.png")
        write_files(staging, core_files(config))
        result = DemoResult(TITLE, COLUMNS, runs, folder, saw=_saw(runs), after="spikeloom demo")
        (staging / "demo.md").write_text(result.markdown() + result.ending)

    result.files = {
        "attention.png": "scores Q K^T: floating point, integers, and the difference",
        "spikes.png": "spikes of the neurons for the photograph and for the attention output",
        "cycles.png": "cycles against the share of nonzero values, for both orders",
        "a2os2a.vcd": f"waveform of one time step (gtkwave {folder / 'a2os2a.gtkw'})",
        "spikeloom_a2os2a_block.v": "Verilog of the core with its neurons, AXI4-Stream ports",
        "demo.md": "the figures above",
    }
    return result


DEMO = Demo(run_demo, steps=6)


def _saw(runs):
    """What the reader saw, in three sentences."""
    state, scores, block = runs
    outputs = sum(run["outputs"] for run in runs)
    return (
        "Attention was additions alone: spikes of Q chose the numbers of K to add, and spikes of V "
        "added or subtracted the sums.",
        "Both orders of the product gave the same integers, and the simulated circuits those of "
        f"the NumPy model: 0 of {outputs:,} differ.",
        f"The order kv, which skips zeros, took {state['cycles']:,} cycles, the order qk "
        f"{scores['cycles']:,}, and the core with its neurons {block['cycles']:,}, all with "
        f"{LANES} lanes.",
    )


def _core(order, steps=1):
    return A2OS2A(tokens=TOKENS, head_dim=DIM, steps=steps, lanes=LANES, order=order)


def block_trace(config: A2OS2ABlock, inputs: Mapping[str, NDArray]) -> SimpleNamespace:
    """Tensors (T, N, D) inside the block: `q`, `k`, `v` from the input neurons, the `sums` of the
    attention, and the `output` spikes."""
    streams, wires = config.trace(**inputs), config.wires()
    tensors = {name: streams[wires[f"attention.{name}"]] for name in "qkv"}
    tensors |= {"sums": streams["attention.o"], "output": streams[wires["o"]]}
    shape = (config.steps, config.tokens, -1)
    return SimpleNamespace(**{name: tensor.reshape(shape) for name, tensor in tensors.items()})


def _run(config, operands, spikes):
    """Run T steps on the golden model and the RTL; returns a row of the demo's table."""
    events = golden.count_events(config, *spikes.values())
    run = run_checked(config, operands)
    return {"core": config.NAME, "order": config.chosen_order, "events": events} | run.summary()


def _cycles(config):
    """Cycles of the RTL for random operands of each density."""
    rng = np.random.default_rng(5)
    batch = [config.random_operands(rng, density) for density in DENSITIES]
    cycles = [run.cycles for run in RTL().run(config, batch)]
    return dict(zip(DENSITIES, cycles, strict=True))


def _scores(reals, trace):
    """Scores Q K^T averaged over time: of floating-point neurons, and decoded from integers."""
    queries = float_fire(reals[0], threshold=1.0, leak=0.5)
    keys = np.maximum(reals[1], 0)
    exact = np.einsum("tid,tjd->ij", queries, keys) / STEPS
    shift = A2OS2ABlock.k_shift
    assert isinstance(shift, int)  # the default is one for all channels
    unit = ONE >> shift
    decoded = np.einsum("tid,tjd->ij", trace.q, trace.k) / STEPS / unit
    return exact, decoded
