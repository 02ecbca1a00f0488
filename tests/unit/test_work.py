"""Counts of `Core.work`: by hand, against the golden models, the cycle model and the hardware."""

import numpy as np
import pytest
from amaranth.hdl import Fragment
from amaranth.sim import Simulator

import spikeloom
from spikeloom.cores import all_cores
from spikeloom.cores.a2os2a import golden as a2os2a_golden
from spikeloom.cores.a2os2a.schedule import state_events
from spikeloom.cores.spiked import golden as spiked_golden
from spikeloom.cores.ssa import golden as ssa_golden
from spikeloom.cores.ssa import output_stage, score_stage
from spikeloom.errors import InputError
from spikeloom.work import Operations


def counts(work):
    """Count of operations, and bits of accesses, by what they are."""
    operations = {f"{row.what} ({row.kind})": row.count for row in work.operations}
    return operations | {row.what: row.bits for row in work.accesses}


def operands_of(core, seed=1):
    rng = np.random.default_rng(seed)
    return core.operands_with(core.densities_or_typical(None), rng)


def test_ssa_by_hand():
    """N = 2, D = 3, Dv = 4, T = 5, q and k always one, v never: 3 ones of each of 20 scores."""
    core = spikeloom.core("ssa", tokens=2, head_dim=3, value_dim=4, steps=5, cells=2, bits=1)
    ones = np.ones((5, 2, 3), np.uint8)
    work = core.work(q=ones, k=ones, v=np.zeros((5, 2, 4), np.uint8))
    found = counts(work)
    assert found["Q AND K (logic)"] == 5 * 4 * 3
    assert found["S AND V (logic)"] == 5 * 4 * 4
    assert found["score counters (add)"] == 60
    assert found["output counters (add)"] == 0
    assert found["score comparisons (add)"] == 20
    assert found["output comparisons (add)"] == 5 * 2 * 4
    # A score of D = 3 takes 2 + 8 random bits, an output of N = 2 takes one.
    assert found["random bits (logic)"] == 20 * 10 + 40 * 1
    # Two keys at a time: each of 5 x 2 queries reads its own 3 spikes and those of both keys.
    assert found["Q"] == 30 + 30
    assert found["K"] == 30 + 60
    assert found["V"] == 40 + 80
    assert found["scores"] == 20 + 4 * 20  # written once, read for each dim of V


@pytest.mark.parametrize("mask", ["none", "causal"])
def test_ssa_counters_add_the_ones_of_the_golden_model(mask):
    core = spikeloom.core("ssa", tokens=5, head_dim=4, value_dim=6, steps=7, mask=mask)
    operands = operands_of(core)
    run = ssa_golden.trace(core, **operands)
    score_ones = output_ones = 0
    for t in range(7):
        for i in range(5):
            for j in range(5):
                score_ones += int((run.q[t, i] & run.k[t, j]).sum())
                output_ones += int((run.scores[t, i, j] & run.v[t, j]).sum())
    found = counts(core.work(**operands))
    assert found["score counters (add)"] == score_ones
    assert found["output counters (add)"] == output_ones


@pytest.mark.parametrize("keys", [{"cells": 3, "bits": 2}, {"cells": 12, "bits": 1}])
def test_ssa_reads_what_the_hardware_reads(monkeypatch, keys):
    """Reads of Q, K, V and scores, counted cycle by cycle in Amaranth's simulator."""
    core = spikeloom.core("ssa", tokens=6, head_dim=4, value_dim=2, steps=2, **keys)
    loops = []

    def recorded(nest):
        def make(**extents):
            loops.append(nest(**extents))
            return loops[-1]

        return make

    for stage in (score_stage, output_stage):
        monkeypatch.setattr(stage, "LoopNest", recorded(stage.LoopNest))
    operands, dut = operands_of(core), core.create()
    fragment = Fragment.get(dut, None)
    reads = [nest for nest in loops if "column" in nest.extents and len(nest.extents) > 1]
    steps = [0, 0]

    def producer(name):
        async def bench(ctx):
            port = getattr(dut, name)
            for data, last in core.inputs[name].pack(operands[name]):
                ctx.set(port.payload.as_value(), data | last << len(port.payload.data))
                ctx.set(port.valid, 1)
                await ctx.tick().until(port.ready)
            ctx.set(port.valid, 0)

        return bench

    async def control(ctx):
        ctx.set(dut.o.ready, 1)
        ctx.set(dut.start, 1)
        done = False
        while not done:
            _, _, done, *now = await ctx.tick().sample(dut.done, *(nest.step for nest in reads))
            ctx.set(dut.start, 0)
            for n, step in enumerate(now):
                steps[n] += step

    simulator = Simulator(fragment)
    simulator.add_clock(1e-6)
    for name in "qkv":
        simulator.add_testbench(producer(name), background=True)
    simulator.add_testbench(control)
    simulator.run()

    rows, keys_read, bits = core.query_lanes, core.key_lanes, core.bits
    found = counts(core.work(**operands))
    written = {name: 2 * 6 * core.width(name) for name in "qkv"}
    assert found["Q"] - written["q"] == steps[0] * rows * bits
    assert found["K"] - written["k"] == steps[0] * keys_read * bits
    assert found["V"] - written["v"] == steps[1] * keys_read * bits
    scores = 2 * 6 * core.key_groups * keys_read
    assert found["scores"] - scores == steps[1] * rows * keys_read


def test_engine_sampled_has_no_counters():
    shape = {"tokens": 64, "head_dim": 64}
    counter = spikeloom.core("ssa", **shape).work()
    sampled = spikeloom.core("ssa", engine="sampled", **shape).work()
    found = counts(sampled)
    queries = 10 * 64
    # D divides by N, so that a query reads one word of V: its address is the only sum.
    assert sampled.additions == found["addresses (add)"] == queries
    assert found["Q AND K (logic)"] == found["AND V (logic)"] == queries * 64
    assert found["rotation (logic)"] == queries * 64 * 6
    assert found["random bits (logic)"] == queries * (6 + 6)
    assert found["K"] == 2 * queries * 64
    assert counter.additions > 1000 * sampled.additions
    assert counter.moved_bits > 10 * sampled.moved_bits


def test_a2os2a_by_hand():
    """Two tokens, D = 2, Dv = 3: k v^T has 2 x 1 and 1 x 2 products, Q has 3 spikes."""
    q, k = np.array([[1, 1], [0, 1]]), np.array([[3, 1], [0, 2]])
    v = np.array([[0, 1, 0], [-1, 0, 1]])
    keys = {"tokens": 2, "head_dim": 2, "value_dim": 3, "k_bits": 2, "lanes": 1}
    kv = spikeloom.core("a2os2a", order="kv", **keys)
    found = counts(kv.work(q=q, k=k, v=v))
    assert found["K^T V (add)"] == 2 * 1 + 1 * 2
    assert found["Q (K^T V) (add)"] == 3 * 3
    # Read and written: 6 words for the first token, then 1 x 2; read: 3 spikes x 3 words.
    assert found["K^T V"] == (2 * (6 + 2) + 9) * kv.stored_bits
    # Scores: 4 and 2, 1 and 2: from 2 + 1 and 1 + 1 additions; rows of V with 1 and 2 elements.
    qk = spikeloom.core("a2os2a", order="qk", **keys)
    found = counts(qk.work(q=q, k=k, v=v))
    assert found["Q K^T (add)"] == 5
    assert found["(Q K^T) V (add)"] == 1 + 2 + 1 + 2
    assert found["K"] == 8 + 4 * 2 * 2
    assert found["V"] == 2 * 3 * 2 + 4 * 3 * 2


@pytest.mark.parametrize("mask", ["none", "causal"])
@pytest.mark.parametrize("order", ["qk", "kv"])
def test_a2os2a_reads_what_the_cycle_model_reads(order, mask):
    """The cycle model, and `count_events`, which the RTL confirms."""
    keys = {"tokens": 7, "head_dim": 6, "value_dim": 4, "steps": 2, "lanes": 2}
    core = spikeloom.core("a2os2a", order=order, mask=mask, **keys)
    operands = operands_of(core)
    found = counts(core.work(**operands))
    if order == "qk":
        events = a2os2a_golden.count_events(core, *operands.values())
        assert found["K"] == (2 * 7 * 6 + events * 2) * core.k_bits
        return
    events = [(learn, word) for learn, word, _ in state_events(core, *core.by_step(operands))]
    words = sum(1 + learn for learn, word in events if word is not None)
    assert found["K^T V"] == words * 2 * core.stored_bits


def test_spiked_counts_the_pairs_of_the_golden_model():
    core = spikeloom.core("spiked", tokens=5, head_dim=3, value_dim=4, steps=16, base=1.4, heads=2)
    operands = operands_of(core)
    pairs, value_pairs, rows = 0, 0, 0
    for head in range(2):
        q, k, v = (operands[name][head] for name in "qkv")
        p = spiked_golden.trace(core, q, k, v).probabilities
        for i in range(5):
            rows += 1
            for j in range(5):
                pairs += sum(bool(a and b) for a, b in zip(q[i], k[j], strict=True))
                value_pairs += (p[i, j] != 0) * (1 + np.count_nonzero(v[j]))
    found = counts(core.work(**operands))
    assert found["scores: traces (add)"] == found["scores: steps of a pair (add)"] == pairs
    assert found["outputs: traces (add)"] == value_pairs
    assert found["score codes: threshold (add)"] == found["softmax: winner (add)"] == 2 * 25
    assert found["output codes: logarithm, step or scale (add)"] == 2 * (rows * 4 + rows)


def test_spiked_is_the_sum_of_its_units():
    """The unit that multiplies codes counts as the head does."""
    core = spikeloom.core("spiked", tokens=5, head_dim=3, steps=16)
    operands = operands_of(core)
    unit = spikeloom.core("trace_product", lines=5, length=3, tokens=5, steps=16)
    alone = counts(unit.work(a=operands["q"], b=operands["k"]))
    whole = counts(core.work(**operands))
    assert alone == {what: whole[f"scores: {what}"] for what in alone}


def test_a_composition_is_the_sum_of_its_parts():
    core = spikeloom.core("a2os2a_block", tokens=4, head_dim=4, steps=2)
    operands = {name: np.full(port.shape, 300) for name, port in core.inputs.items()}
    whole = core.work(**operands)
    attention = core.parts()["attention"].work(**core.operands_of("attention", **operands))
    neurons = [core.neurons(name).work().additions for name in "qkvo"]
    assert whole.additions == attention.additions + sum(neurons)
    assert whole.moved_bits > attention.moved_bits


@pytest.mark.parametrize("name", ["ssa", "a2os2a", "spiked"])
def test_expected_work_is_the_mean_of_that_of_operands(name):
    cases = [{"order": "qk"}, {"order": "kv"}] if name == "a2os2a" else [{}]
    for keys in cases:
        core = spikeloom.core(name, tokens=12, head_dim=8, value_dim=6, **keys)
        for densities in ({}, dict.fromkeys("qkv", 0.3), {"q": 1, "k": 1, "v": 1}, {"k": 0}):
            shares = core.densities_or_typical(densities)
            drawn = [
                core.work(**core.operands_with(shares, np.random.default_rng(seed)))
                for seed in range(20)
            ]
            expected = core.work(densities)
            mean = np.mean([work.additions for work in drawn])
            assert expected.additions == pytest.approx(mean, rel=0.12, abs=12), (keys, densities)
            moved = np.mean([work.moved_bits for work in drawn])
            assert expected.moved_bits == pytest.approx(moved, rel=0.12, abs=12), (keys, densities)


def test_every_core_counts_every_case():
    """Nothing negative, nothing unnamed; with operands too."""
    for core_class in all_cores().values():
        for keys in list(core_class.CASES.values())[:6]:
            core = core_class.from_settings(keys)
            for work in (core.work(), core.work(**operands_of(core))):
                assert work is not None
                assert all(row.count >= 0 and row.bits > 0 and row.what for row in work.operations)
                assert all(row.bits >= 0 and row.capacity > 0 for row in work.accesses)


def test_densities_are_checked():
    core = spikeloom.core("ssa", tokens=4, head_dim=4)
    with pytest.raises(InputError, match="no operand x; it takes q, k, v"):
        core.work({"x": 0.5})
    with pytest.raises(InputError, match=r"density q = 1\.5 must be 0\.\.1"):
        core.work({"q": 1.5})
    block = spikeloom.core("a2os2a_block", tokens=4, head_dim=4)
    with pytest.raises(InputError, match="no operand x"):
        block.work({"x": 0.5})
    with pytest.raises(ValueError, match="kind 'divide'"):
        Operations("x", "divide", 8, 1)
