"""The generated Verilog in a plain Verilog testbench: every simulator, every language mode."""

import random
from collections import defaultdict

import numpy as np
import pytest
from amaranth.hdl import Value
from amaranth.lib.wiring import In
from amaranth.sim import Simulator

from spikeloom.cores.relu_quantiser.component import ReLUQuantiserComponent
from spikeloom.cores.spiked import Spiked
from spikeloom.cores.spiked.logarithm import Logarithm
from spikeloom.cores.spiked.output_encoder import OutputEncoder
from spikeloom.cores.spiked.phase_encoder import PhaseEncoder
from spikeloom.cores.spiked.spike_train import CodesToSpikes, SpikesToCodes
from spikeloom.cores.spiked.woss import Woss
from spikeloom.cores.spiking_neurons import SpikingNeurons
from spikeloom.export.verilog import component_to_verilog
from spikeloom.random.lfsr import LFSR
from spikeloom.random.random_source import RandomSource
from spikeloom.random.seed_scrambler import SeedScrambler

from .plain_bench import MODES, STYLES, CoreRun, bench_of, simulate, traces_of

SMALL = {"tokens": 3, "head_dim": 4}
CORES = {
    "ssa_counter": ("ssa", {**SMALL, "steps": 3}),
    "ssa_sampled": ("ssa", {**SMALL, "steps": 3, "engine": "sampled"}),
    "ssa_values": ("ssa", {"tokens": 2, "head_dim": 2, "steps": 2, "inputs": "values"}),
    "a2os2a_kv": ("a2os2a", {**SMALL, "order": "kv"}),
    "a2os2a_qk": ("a2os2a", {**SMALL, "order": "qk", "mask": "causal"}),
    "a2os2a_block": ("a2os2a_block", {**SMALL, "steps": 3}),
    "spiked": ("spiked", SMALL),
}
BY_DEFAULT = "icarus-2012"  # the mode in which X at time 0 once hung a core
MODES_AS_CASES = [
    pytest.param(mode, marks=[] if mode == BY_DEFAULT else pytest.mark.long) for mode in MODES
]


@pytest.fixture(scope="module")
def core_runs():
    return [CoreRun(name, *core) for name, core in CORES.items()]


@pytest.mark.parametrize(
    "simulator", [*MODES_AS_CASES, pytest.param("verilator", marks=pytest.mark.long)]
)
def test_cores_equal_their_golden_models(core_runs, simulator, tmp_path):
    """With a reset pulse, without any, and with all inputs but the beats constant from the start;
    no output is ever undefined. (Verilator knows no undefined values and compiles slowly:
    there, without any reset alone.)"""
    styles = STYLES if simulator in MODES else {"no reset": STYLES["no reset"]}
    printed = simulate(bench_of(core_runs, styles), simulator, tmp_path)
    beats, others = defaultdict(list), []
    for line in printed.splitlines():
        words = line.split()
        if len(words) == 4 and words[0] in CORES:
            beats[words[0], int(words[1])].append(words[2:])
        elif words and words[0] in CORES:
            others.append(line)
    assert others == []
    for run in core_runs:
        for style, number in styles.items():
            found = run.found(beats[run.name, number])
            assert np.array_equal(found, run.expected()), f"{run.name}, {style}"


CODE = Spiked(tokens=4, head_dim=2, steps=4, lanes=2, encoders=2)
NEURONS = SpikingNeurons(
    neurons=4, lanes=2, steps=2, input_bits=6, threshold=8, leak_numerator=1, leak_shift=1
)
UNITS = {
    "lfsr": lambda: LFSR(16, 3),
    "scrambler": SeedScrambler,
    "random_source": lambda: RandomSource(3, 5),
    "neurons": NEURONS.component,
    "relu": lambda: ReLUQuantiserComponent(2, input_bits=6, bits=3, counter_bits=32, shifts=[1]),
    "logarithm": lambda: Logarithm(CODE, 4, 4),
    "phase_encoder": lambda: PhaseEncoder(CODE, range(-127, 128), gain=CODE.score_gain),
    "woss": lambda: Woss(CODE),
    "output_encoder": lambda: OutputEncoder(CODE, CODE.tokens),
    "play": lambda: CodesToSpikes(3, 4),
    "listen": lambda: SpikesToCodes(3, 4),
}


@pytest.fixture(scope="module")
def unit_runs():
    return [_unit_run(name, make) for name, make in UNITS.items()]


def _unit_run(name, make):
    """The unit's `VerilogModule`, random input words, and its outputs in Amaranth's simulator."""
    module = component_to_verilog(make(), name)
    inputs = [width for _, flow, width in module.ports[2:] if flow == "input"]
    rng = random.Random(name)
    words = [[rng.getrandbits(width) for width in inputs] for _ in range(60)]
    stimulus = []
    for word in words:
        joined, start = 0, 1  # above the reset, which stays 0
        for value, width in zip(word, inputs, strict=True):
            joined, start = joined | value << start, start + width
        stimulus.append(joined)
    return module, stimulus, _recorded(make(), words)


def _recorded(component, words):
    """Outputs of `component` in each cycle, in Amaranth's simulator."""
    members = list(component.signature.flatten(component))
    ends = {True: [], False: []}
    for _, member, value in members:
        ends[member.flow == In].append(Value.cast(value))
    found = []

    async def run(ctx):
        for word in words:
            for port, value in zip(ends[True], word, strict=True):
                ctx.set(port, value - (value >> len(port) - 1 << len(port)) * port.shape().signed)
            masks = [(1 << len(port)) - 1 for port in ends[False]]
            found.append([ctx.get(p) & m for p, m in zip(ends[False], masks, strict=True)])
            await ctx.tick()

    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run)
    simulator.run()
    return found


@pytest.mark.parametrize(
    "simulator", [*MODES_AS_CASES, pytest.param("verilator", marks=pytest.mark.slow)]
)
def test_units_are_what_amaranth_simulates(unit_runs, simulator, tmp_path):
    """Every unit alone, from time 0 and without a reset, on random inputs: as in Amaranth's own
    simulator, where the unit tests hold it to its golden model."""
    text = traces_of([(module, stimulus) for module, stimulus, _ in unit_runs])
    found = defaultdict(list)
    for line in simulate(text, simulator, tmp_path).splitlines():
        name, *values = line.split()
        if name in UNITS:
            assert "x" not in "".join(values), line
            found[name].append([int(value, 16) for value in values])
    for module, _, expected in unit_runs:
        assert found[module.name] == expected, module.name
