"""The formulas in the header of generated Verilog, against the cycles of the cores."""

from math import ceil

import numpy as np
import pytest

import spikeloom
from spikeloom.cores import all_cores
from spikeloom.networks.network import network_core
from spikeloom.stream_unit import StreamUnit

from ..networks.random_network import random_network

FIXED = [name for name, core in all_cores().items() if not core.CYCLES_FOLLOW_DATA]


def value_of(core, **more):
    """The formula of a core, whose text follows no other quantity than `more`."""
    formula = core.cycle_formula().partition(";")[0]
    names = core.settled().as_dict() | {"ceil": ceil, "max": max} | more
    return eval(formula, {"__builtins__": {}}, names)


def test_cores_that_do_not_follow_data():
    assert "ssa" in FIXED
    others = [name for name in FIXED if not issubclass(all_cores()[name], StreamUnit)]
    for name in others:  # docs/units.md has the units', and their test
        core_class = all_cores()[name]
        for settings in core_class.CASES.values():
            core = core_class.from_settings(settings)
            assert value_of(core) == core.cycles(), settings


@pytest.mark.parametrize("engine", ["sampled", "counter"])
def test_formula_holds_for_any_number_of_steps(engine):
    """Once the period is constant, the formula of one configuration gives others' cycles."""
    core = spikeloom.core("ssa", tokens=24, head_dim=16, steps=40, engine=engine)
    for steps in (41, 60, 100):
        other = spikeloom.core("ssa", tokens=24, head_dim=16, steps=steps, engine=engine)
        assert value_of(core, steps=steps) == other.cycles()


def test_network():
    """Layers add up to the maximum."""
    graph = random_network(
        image=(4, 6, 2), patch=(2, 3), dims=4, hidden=3, classes=3, blocks=1, name="n"
    )
    core = network_core(graph).from_settings({})
    numbers = core.cycle_formula().partition(";")[0].split(" + ")
    assert sum(int(number.split()[0]) for number in numbers) == core.cycles()
    assert len(numbers) == len(core.program.layer_cycles()) + 1


@pytest.mark.parametrize("order", ["kv", "qk"])
@pytest.mark.parametrize("density", [0.02, 0.3, 1.0])
def test_a2os2a(order, density):
    """The terms, counted from the operands, leave as waits what the text says: none without zeros,
    where no word is updated twice in five cycles."""
    core = spikeloom.core("a2os2a", tokens=12, head_dim=32, value_dim=32, lanes=8, order=order)
    rng = np.random.default_rng(1)
    operands = core.random_operands(rng, density)
    terms = (kv_terms if order == "kv" else qk_terms)(core, **operands)
    waits = core.cycles(**operands) - value_of(core, waits=0, **terms)
    assert 0 <= waits < core.cycles(**operands) / 2
    assert waits == 0 or density < 1


def kv_terms(core, q, k, v):
    def pieces(x):
        return np.count_nonzero(x.reshape(core.tokens, -1, core.lanes), axis=-1)

    groups, chunks = pieces(v), pieces(k)
    learn = np.maximum(1, (groups > 0)[:, :, None] * chunks[:, None, :])
    learn[0] = core.lanes
    answer = np.maximum(1, pieces(q)).sum() * groups.shape[1]
    return {"events": int(learn.sum() + answer)}


def qk_terms(core, q, k, v):
    kept = k[k.any(axis=1) & v.any(axis=1)].astype(int)
    reads = [max(1, len(kept) * core.chunks) if row.any() else 1 for row in q]
    scores = np.count_nonzero(kept @ q[-1].astype(int))
    sums = core.groups * max(1, scores) + int(core.cycle_formula().split(" before them")[0][-1])
    return {
        "learning": core.tokens * max(core.chunks, core.groups),
        "queries": sum(reads),
        "sums": sums,
    }
