"""RTL of `spiked` against its golden model, bit for bit, in Verilog simulators."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from spikeloom.cores.spiked import Spiked
from spikeloom.cores.spiked import golden as spiked
from spikeloom.cores.spiked.schedule import interval, product_cycles
from spikeloom.cores.spiked.woss import Woss
from spikeloom.export.verilog import component_to_verilog, to_verilog
from spikeloom.tools import run_tool
from spikeloom_sim.regression import regression_configs, run_suite

from ..runs import run_golden, run_rtl
from .suite_cases import suite_cases

ROOT = Path(__file__).parents[2]
CONFIGS = regression_configs("spiked")
SMALL = Spiked(tokens=3, head_dim=2, steps=6, base=1.4, lanes=2, encoders=2, frac_bits=10)
# One group of lanes, with memories of K and of the output that are block RAM on ECP5.
ONE_GROUP = replace(SMALL, tokens=9, head_dim=9, value_dim=2, lanes=9, encoders=1)


@pytest.mark.parametrize(("name", "simulator"), suite_cases(CONFIGS))
def test_suite(name, simulator):
    """Every configuration on both simulators: cycles, full speed, stalls, extremes, reset."""
    result = run_suite(CONFIGS[name], simulator=simulator)
    assert result.failures == 0, f"see {result.folder}"
    assert result.tests >= 6


@pytest.mark.long
@pytest.mark.parametrize(
    ("family", "events"),
    [pytest.param("ice40", 1, marks=pytest.mark.slow), ("ecp5", 1), ("ecp5", 2)],
)
def test_netlist(family, events, icarus):
    """The synthesised netlist passes the same suite, on the simulator that compiles it quicker."""
    result = run_suite(replace(SMALL, events=events), simulator=icarus, netlist=family)
    assert result.failures == 0, f"see {result.folder}"


@pytest.mark.long
def test_netlist_with_output_register(icarus, tmp_path):
    """The register of K's lanes is that of block RAM, and the netlist still passes the suite."""
    result = run_suite(ONE_GROUP, simulator=icarus, netlist="ecp5", keep=tmp_path)
    assert result.failures == 0, f"see {result.folder}"
    assert '.REGMODE_B("OUTREG")' in (tmp_path / "cells.v").read_text()


@pytest.mark.long
@pytest.mark.parametrize(
    ("synthesis", "multipliers"),
    [("synth_ecp5", r"MULT18X18D|ALU54B"), ("synth_ice40 -dsp", r"SB_MAC16")],
)
def test_no_multiplier(synthesis, multipliers, tmp_path):
    """Synthesis with DSP blocks enabled uses none."""
    module = to_verilog(SMALL)
    (tmp_path / "rtl.v").write_text(module.text)
    script = f"read_verilog rtl.v; {synthesis} -top {module.name}; write_verilog cells.v"
    run_tool("yosys", "-ql", "synthesis.log", "-p", script, cwd=tmp_path)
    cells = (tmp_path / "cells.v").read_text()
    assert re.search(r"\bLUT4\b|\bSB_LUT4\b", cells)
    assert not re.search(multipliers, cells)


@pytest.mark.long
def test_stage_alone_synthesises(tmp_path):
    """Arrays at its ports and all: Yosys' ABC9 would stop at a net called ``i[0]``."""
    module = component_to_verilog(Woss(SMALL), "woss")
    assert not re.search(r"\\\S*\[", module.text)
    (tmp_path / "woss.v").write_text(module.text)
    run_tool(
        "yosys", "-ql", "log", "-p", "read_verilog woss.v; synth_ice40 -top woss", cwd=tmp_path
    )


@pytest.mark.long
@pytest.mark.parametrize("mask", ["none", "causal"])
def test_smallest_size_exhaustively(mask):
    """Every Q and K of N = 2, D = 1, T = 3; V includes every code."""
    codes = range(-3, 4)
    config = Spiked(tokens=2, head_dim=1, steps=3, base=1.4, heads=49, mask=mask, score_scale=0.7)
    queries_and_keys = np.array(list(product(codes, repeat=4))).reshape(49, 49, 4)
    values = np.random.default_rng(0).permutation(np.resize(codes, (49, 98, 1)), axis=1)
    runs = [
        (np.reshape(some[:, :2], (98, 1)), np.reshape(some[:, 2:], (98, 1)), v)
        for some, v in zip(queries_and_keys, values, strict=True)
    ]
    expected = run_golden(config, runs)
    assert np.array_equal(run_rtl(config, runs).outputs, expected)
    assert len(np.unique(expected)) > 3


@pytest.mark.slow
@pytest.mark.parametrize("events", [1, 2])
def test_swin_window_at_several_densities(events):
    """N = 49, D = 32, T = 40 on 49 lanes: dense, half and a tenth of all neurons spiking."""
    config = Spiked(tokens=49, head_dim=32, lanes=49, events=events)
    rng = np.random.default_rng(2)
    heads = [config.random_operands(rng, density) for density in (1.0, 0.5, 0.1)]
    run = run_rtl(config, heads)
    assert np.array_equal(run.outputs, run_golden(config, heads))
    assert run.cycles == [config.cycles(**head) for head in heads]
    assert run.cycles[0] <= 9000
    assert run.cycles[1] <= 4500
    assert run.cycles[2] <= 900


@pytest.mark.long
def test_gaussian_tensors_of_two_heads_against_softmax():
    """From real tensors to real outputs, as the command line does it."""
    q, k, v = np.random.default_rng(1).standard_normal((3, 2, 16, 16))
    config, heads = Spiked.prepare({"lanes": 8}, q=q, k=k, v=v)
    run = run_rtl(config, heads)
    assert np.array_equal(run.outputs, run_golden(config, heads))
    assert run.cycles == [config.cycles(**head) for head in heads]
    values = config.views()["values"](run.outputs)
    for head in range(2):
        softmax = spiked.softmax_attention(q[head], k[head], v[head])
        assert np.corrcoef(values[head].ravel(), softmax.ravel())[0, 1] > 0.98


def test_cycles_on_the_page():
    """The tables of cycles, and the range for trained networks."""
    page = (ROOT / "docs" / "spiked.md").read_text()
    for lanes, events in product((1, 7, 8, 49), (1, 2)):
        config = Spiked(tokens=49, head_dim=32, lanes=lanes, events=events)
        rng = np.random.default_rng(2)
        heads = [config.random_operands(rng, share) for share in (1.0, 0.5, 0.1, 0.01)]
        figures = [*(config.cycles(**head) for head in heads), round(interval(config))]
        row = " | ".join(f"{figure:,}" for figure in figures)
        assert f"| {lanes} | {events} | {config.encoders} | {row} |" in page
        if events == 2:
            continue
        works = [np.count_nonzero(head["q"], axis=1) for head in heads]
        first = f"{product_cycles(config, works[0]):,} / "
        assert f"| {lanes} | {first}" in page
    seven = Spiked(tokens=49, head_dim=32, lanes=7)
    most, least = (
        seven.cycles(**seven.random_operands(np.random.default_rng(2), share))
        for share in (0.99, 0.95)
    )
    assert f"{least:,} to {most:,}" in " ".join(page.split())


@pytest.mark.parametrize("lanes", [1, 7, 8])
@pytest.mark.parametrize("share", [1.0, 0.97, 0.5])
def test_outputs_overlap_with_scores(lanes, share):
    """A head takes little longer than the slower product, plus a group of the other one."""
    config = Spiked(tokens=49, head_dim=32, lanes=lanes)
    head = config.random_operands(np.random.default_rng(3), share)
    scores = product_cycles(config, np.count_nonzero(head["q"], axis=1))
    outputs = config.groups * sum([49, *np.count_nonzero(head["v"], axis=0)])
    longer, shorter = max(scores, outputs), min(scores, outputs)
    assert config.cycles(**head) <= 1.06 * longer + 1.3 * shorter / config.groups + 200
    assert config.cycles(**head) >= longer


def test_default_lanes_waste_none():
    """As few lanes as make the same number of groups."""
    for tokens in range(1, 70):
        config = Spiked(tokens=tokens, head_dim=2)
        assert config.groups == -(-tokens // min(tokens, 4))
        assert config.lanes == 1 or -(-tokens // (config.lanes - 1)) > config.groups
