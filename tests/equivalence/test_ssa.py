"""RTL of `ssa` against its golden model, bit for bit, in Verilog simulators."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from spikeloom.cores.ssa import SSA
from spikeloom.cores.ssa.schedule import cycles
from spikeloom.export.verilog import to_verilog
from spikeloom.families import FAMILIES
from spikeloom_sim.regression import regression_configs, run_suite
from spikeloom_sim.simulators.cocotb_run import run_cocotb

from ..runs import run_golden, run_rtl
from .suite_cases import suite_cases

CONFIGS = regression_configs("ssa")


@pytest.mark.parametrize(("name", "simulator"), suite_cases(CONFIGS))
def test_suite(name, simulator):
    """Every configuration on both simulators: cycles, full speed, stalls, extremes, reset."""
    result = run_suite(CONFIGS[name], simulator=simulator)
    log = result.folder / "simulation.log" if result.folder else None
    assert result.failures == 0, f"see {log}"
    assert result.tests >= 6


@pytest.mark.parametrize(
    "family",
    [
        pytest.param("ice40", marks=pytest.mark.long),
        pytest.param("ecp5", marks=pytest.mark.long),
        pytest.param("ice40-routed", marks=pytest.mark.long),
    ],
)
def test_netlist(family, icarus):
    """The synthesised netlist passes the same suite, and so does the placed and routed one."""
    config = SSA(tokens=4, head_dim=4, steps=3, cells=2, bits=2)
    result = run_suite(config, simulator=icarus, netlist=family)
    assert result.failures == 0, f"see {result.folder}"


SAMPLED = {"engine": "sampled", "random": "own", "steps": 3}
CORNER_TURNS = {
    "one block": {"tokens": 8, "head_dim": 8},
    "fewer tokens than columns": {"tokens": 5, "head_dim": 12, "value_dim": 9},
    "two blocks": {"tokens": 20, "head_dim": 18},
    "three blocks, many rounds": {"tokens": 32, "head_dim": 40, "steps": 11},
    "several steps at once": {"tokens": 6, "head_dim": 4, "steps_at_once": 2},
}


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param(name, marks=[] if name == "two blocks" else pytest.mark.long)
        for name in CORNER_TURNS
    ],
)
def test_corner_turn_that_writes_bits(sizes, icarus):
    """The Verilog for iCE40 passes the suite."""
    config = SSA.from_settings(SAMPLED | CORNER_TURNS[sizes])
    module = to_verilog(config, family=FAMILIES["ice40"])
    assert module.text != to_verilog(config).text
    result = run_suite(config, simulator=icarus, module=module)
    assert result.failures == 0, f"see {result.folder}"


@pytest.mark.long
@pytest.mark.parametrize(
    ("family", "keys"),
    [
        ("ice40", CORNER_TURNS["two blocks"]),
        ("ice40", CORNER_TURNS["fewer tokens than columns"]),
        ("ice40-routed", CORNER_TURNS["one block"]),
        ("ecp5", CORNER_TURNS["one block"]),
        ("ecp5", {"tokens": 11, "head_dim": 8, "feed": "diagonals", "feed_rate": 4, "lanes": 2}),
        ("ice40", {"tokens": 11, "head_dim": 8, "feed": "diagonals", "feed_rate": 4}),
    ],
)
def test_netlist_of_the_sampled_engine(family, keys, icarus):
    """Block RAM that writes single bits, and memories beside each other."""
    result = run_suite(SSA.from_settings(SAMPLED | keys), simulator=icarus, netlist=family)
    assert result.failures == 0, f"see {result.folder}"


LATER = [pytest.param(mask, marks=pytest.mark.long) for mask in ("causal", "self")]


@pytest.mark.parametrize("mask", ["none", *LATER])
def test_smallest_sizes_exhaustively(mask):
    """Every operand bit pattern of N = 2, D = 2, one after the other as time steps."""
    patterns = np.array(list(product((0, 1), repeat=12)), np.uint8).reshape(-1, 3, 2, 2)
    config = SSA(tokens=2, head_dim=2, steps=len(patterns), cells=2, bits=2, mask=mask)
    heads = [tuple(patterns.transpose(1, 0, 2, 3))]
    run = run_rtl(config, heads)
    assert np.array_equal(run.outputs, run_golden(config, heads))


@pytest.mark.parametrize(
    ("tokens", "mask"), [(64, "none"), pytest.param(65, "causal", marks=pytest.mark.slow)]
)
@pytest.mark.long
def test_the_papers_shape(tokens, mask):
    """64 tokens, or 65 with a class token, D = 64, T = 10: two heads with different seeds."""
    config = SSA(tokens=tokens, head_dim=64, steps=10, input_kind="values", mask=mask)
    rng = np.random.default_rng(4)
    heads = [tuple(rng.random((3, tokens, 64))) for _ in range(2)]
    run = run_rtl(config, heads)
    assert np.array_equal(run.outputs, run_golden(config, heads))
    assert run.cycles == [cycles(config)] * 2
    assert not np.array_equal(run.outputs[0], run.outputs[1])


@pytest.mark.long
def test_cycles_with_loading():
    config = SSA(tokens=6, head_dim=12, steps=4, cells=6, bits=12)
    rng = np.random.default_rng(0)
    heads = [tuple((rng.random((3, 4, 6, 12)) < 0.5).astype(np.uint8))]
    assert run_rtl(config, heads, preload=False).cycles == [cycles(config, loaded=False)]


@pytest.mark.long
@pytest.mark.parametrize("steps_at_once", [2, 5])
def test_cycles_with_loading_several_diagonals_a_beat(steps_at_once):
    """Two runs: the second loads while the first computes, or after it where there is one bank."""
    config = SSA(
        **{"tokens": 13, "head_dim": 8, "steps": 5, "engine": "sampled", "lanes": 4},
        **{"steps_at_once": steps_at_once, "feed": "diagonals", "feed_rate": 4},
    )
    rng = np.random.default_rng(0)
    heads = [tuple((rng.random((3, 5, 13, 8)) < 0.5).astype(np.uint8)) for _ in range(2)]
    run = run_rtl(config, heads, preload=False)
    assert np.array_equal(run.outputs, run_golden(config, heads))
    assert run.cycles[0] == cycles(config, loaded=False)


@pytest.mark.long
def test_third_party_bus_model(tmp_path, simulator):
    """cocotbext-axi's AXI4-Stream source and sink instead of Spikeloom's."""
    from spikeloom_sim.backends.rtl import build_simulation

    config = SSA(tokens=5, head_dim=6, steps=3, mask="causal")
    module = to_verilog(config)
    arguments = build_simulation(module, simulator, tmp_path)
    tests, failures = run_cocotb(
        simulator,
        module.name,
        tmp_path,
        "tests.equivalence.third_party_bench",
        environment={"SPIKELOOM_CONFIG": json.dumps(config.as_dict())},
        arguments=arguments,
    )
    assert (tests, failures) == (1, 0), (tmp_path / "simulation.log").read_text()[-3000:]


@pytest.mark.long
def test_sampled_outputs_have_their_probability():
    """Chi-square of RTL outputs on constant spikes over 2,000 steps, false-alarm rate 1e-4."""
    rng = np.random.default_rng(8)
    q, k, v = rng.random((3, 16, 16)) < 0.6
    steps = 2000
    config = SSA(tokens=16, head_dim=16, steps=steps, engine="sampled", seed=5)
    head = tuple(np.broadcast_to(x, (steps, 16, 16)).astype(np.uint8) for x in (q, k, v))
    spikes = run_rtl(config, [head]).outputs[0].sum(axis=0)
    p = (q.astype(float) @ k.T) @ v / 16**2
    certain = (p == 0) | (p == 1)
    assert (spikes[certain] == steps * p[certain]).all()
    chi = ((spikes - steps * p) ** 2 / (steps * p * (1 - p)))[~certain]
    assert 1e-4 < stats.chi2.sf(chi.sum(), chi.size) < 1 - 1e-4


@pytest.mark.long
@pytest.mark.parametrize("keys", [{}, {"feed": "diagonals", "steps_at_once": 4}])
def test_sampled_engine_at_the_papers_shape(keys):
    config = SSA(tokens=64, head_dim=64, steps=10, engine="sampled", **keys)
    rng = np.random.default_rng(4)
    heads = [tuple((rng.random((3, 10, 64, 64)) < 0.5).astype(np.uint8)) for _ in range(2)]
    run = run_rtl(config, heads)
    assert np.array_equal(run.outputs, run_golden(config, heads))
    assert run.cycles == [cycles(config)] * 2


def test_sampled_cycles_are_linear_in_tokens():
    """N * T and a constant at D = 64, T = 10, one lane; another constant from where a block RAM
    holds two time steps rather than four, so that each waits four clocks for its memory."""
    shape = {"head_dim": 64, "steps": 10, "engine": "sampled", "feed": "diagonals"}
    rest = [cycles(SSA(tokens=n, **shape)) - 10 * n for n in range(16, 257, 16)]
    assert rest == [11] * 4 + [11 + 8 * 4] * 12


def test_cycles_with_loading_in_the_docs():
    """The table of docs/ssa.md, and the sentence before it."""
    page = (Path(__file__).parents[2] / "docs/ssa.md").read_text()
    shape = {"tokens": 64, "head_dim": 64, "steps": 10, "engine": "sampled", "feed": "diagonals"}
    for lanes in (1, 2, 4):
        cells = [f"{lanes}"]
        for rate in (1, 2, 4, 8):
            config = SSA(**shape, steps_at_once=10, lanes=lanes, feed_rate=rate)
            both = cycles(config), cycles(config, loaded=False)
            assert both[1] - both[0] == 64 // rate - 2
            cells.append(f"{both[0]}, {both[1]}")
        assert f"| {' | '.join(cells)} |" in page


def test_formula_of_the_presets():
    """The figures in docs/numbers.md: 16 x 8 cells and bits on iCE40, 64 x 64 on ECP5."""
    shape = {"tokens": 64, "head_dim": 64, "steps": 10}
    assert SSA(**shape, cells=16, bits=8).cycles() == 20525
    assert SSA(**shape, cells=64, bits=64).cycles() == 655
