"""Estimates of energy: prices, formula, and the same energy for a design in every report."""

import pytest

import spikeloom
from spikeloom.errors import InputError
from spikeloom.work import Accesses, Operations, Work
from spikeloom_boards.energy import (
    design_name,
    energy_record,
    estimate,
    estimates,
    record_of,
    softmax_attention,
)
from spikeloom_boards.technologies import TECHNOLOGIES, find_technology

KB = 8 * 1024  # bits


@pytest.mark.parametrize(
    ("kind", "number", "bits", "pj"),
    [
        ("add", "int", 8, 0.03),
        ("add", "int", 32, 0.1),
        ("add", "int", 20, 0.065),  # half way
        ("add", "int", 4, 0.015),  # half of 8 bits
        ("multiply", "int", 8, 0.2),
        ("multiply", "int", 32, 3.1),
        ("add", "float", 16, 0.4),
        ("add", "float", 32, 0.9),
        ("multiply", "float", 16, 1.1),
        ("multiply", "float", 32, 3.7),
        ("logic", "int", 1, 0.03 / 8),
    ],
)
def test_prices_of_operations(kind, number, bits, pj):
    row = Operations("x", kind, bits, 1, number)
    assert find_technology("horowitz-45nm").operation(row) == pytest.approx(pj)


@pytest.mark.parametrize(
    ("size", "pj"), [(1, 10), (8 * KB, 10), (8 * KB + 1, 20), (32 * KB, 20), (10**9, 100)]
)
def test_prices_of_memories(size, pj):
    assert find_technology("horowitz-45nm").bit(Accesses("x", 1, size)) == pytest.approx(pj / 64)
    assert find_technology("spikedattention").bit(Accesses("x", 1, size)) == 5 / 32


def test_flat_prices_do_not_follow_the_width():
    for name, add, multiply in (("int8", 0.03, 0.2), ("fp16", 0.4, 1.1), ("fp32", 0.9, 3.7)):
        table = find_technology(f"horowitz-{name}")
        assert table.operation(Operations("x", "add", 3, 1)) == add
        assert table.operation(Operations("x", "multiply", 32, 1, "float")) == multiply
        assert table.operation(Operations("x", "logic", 3, 1)) == 0


def test_energy_by_hand():
    """N = 2, D = 3, Dv = 4, T = 5, all of Q and K ones and V zeros; see the unit test of `work`."""
    core = spikeloom.core("ssa", tokens=2, head_dim=3, value_dim=4, steps=5, cells=2, bits=1)
    record = estimate(core, densities={"q": 1, "k": 1, "v": 0}).as_dict()
    gates = 5 * 4 * 3 + 5 * 4 * 4 + 20 * 10 + 40 * 1
    adds = 2 * (60 + 20 + 40)  # of 2 bits each
    assert record["compute_uj"] == pytest.approx((gates + adds) * 0.03 / 8 / 1e6)
    bits = 60 + 90 + 120 + 100 + 2 * 40
    assert record["memory_uj"] == pytest.approx(bits * 10 / 64 / 1e6)
    assert record["uj"] == pytest.approx(sum(row["uj"] for row in record["rows"]))
    assert all(row["uj"] == pytest.approx(row["count"] * row["pj"] / 1e6) for row in record["rows"])


def test_softmax_in_floating_point():
    """N = 4, D = Dv = 2: 64 products and sums, and four operations of each of 16 scores."""
    work = softmax_attention(4, 2, 2, bits=32)
    (row,) = record_of(spikeloom.core("ssa", tokens=4, head_dim=2), work)["designs"]
    expected = 64 * (3.7 + 0.9) + 16 * (3 * 0.9 + 3.7)
    assert row["compute_uj"] == pytest.approx(expected / 1e6)


def test_int8_is_priced_as_int8():
    """The baseline in reports is the core `int8_softmax`, whose products are of 8 or 9 bits."""
    core = spikeloom.core("int8_softmax", tokens=4, head_dim=2)
    (baseline,) = (
        one
        for one in estimates(spikeloom.core("ssa", tokens=4, head_dim=2))
        if one.design.startswith("int8_softmax")
    )
    assert baseline == estimate(core)
    prices = {row.what: row.pj for row in baseline.rows if row.kind == "multiply"}
    assert prices == {"Q K^T": 0.2, "P V": pytest.approx(0.2 + (3.1 - 0.2) / 24)}
    assert all(row.count == 16 * 2 for row in baseline.rows if row.kind == "multiply")


@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_a_design_has_the_same_energy_in_every_report(technology):
    shape = {"tokens": 16, "head_dim": 16}
    cores = [
        spikeloom.core("ssa", **shape),
        spikeloom.core("ssa", steps=1, **shape),
        spikeloom.core("ssa", steps=40, **shape),
        spikeloom.core("ssa", steps=40, cells=4, **shape),
        spikeloom.core("ssa", engine="sampled", **shape),
        spikeloom.core("a2os2a", **shape),
        spikeloom.core("a2os2a", steps=4, order="kv", **shape),
        spikeloom.core("a2os2a_block", **shape),
        spikeloom.core("spiked", steps=16, base=1.4, **shape),
        spikeloom.core("spiked", **shape),
    ]
    energies = {}
    for core in cores:
        record = energy_record(core, technology)
        assert record["designs"][0]["design"] == design_name(core)
        for design in record["designs"]:
            energies.setdefault(design["design"], set()).add(design["uj"])
    assert all(len(found) == 1 for found in energies.values()), energies
    assert len(energies) >= len(cores) + 3  # designs that differ have different names


def test_steps_are_in_the_name_and_in_the_energy():
    shape = {"tokens": 64, "head_dim": 64}
    ten, forty = (estimate(spikeloom.core("ssa", steps=n, **shape)) for n in (10, 40))
    assert (ten.design, forty.design) == ("ssa, T = 10", "ssa, T = 40")
    assert forty.microjoule == pytest.approx(4 * ten.microjoule)
    sampled = estimate(spikeloom.core("ssa", engine="sampled", **shape))
    assert sampled.design == "ssa, T = 10, engine = sampled"
    assert sampled.compute < ten.compute / 20  # neither counters nor comparators
    # Another core's report charges ssa with ssa's own steps.
    (row,) = (one for one in estimates(spikeloom.core("spiked", **shape)) if "ssa" in one.design)
    assert (row.design, row.microjoule) == (ten.design, ten.microjoule)


def test_shapes_that_another_core_does_not_take():
    found = estimates(spikeloom.core("a2os2a", tokens=2**12, head_dim=8))
    assert found[0].design.startswith("a2os2a")
    assert not any(row.design.startswith("spiked") for row in found)


def test_units_and_what_is_not_counted(monkeypatch):
    unit = spikeloom.core("lfsr", width=16, leap=1, steps=4)
    assert [row.design.split(",")[0] for row in estimates(unit)] == ["lfsr"]
    monkeypatch.setattr(type(unit), "work", lambda self, densities=None: None)
    assert energy_record(unit)["designs"] == []


def test_network_at_the_measured_sparsity():
    core = spikeloom.core("fashion-spikformer")
    record = energy_record(core)
    assert [row["design"] for row in record["designs"]] == ["fashion-spikformer"]
    assert record["designs"][0]["memory_uj"] > record["designs"][0]["compute_uj"] > 0
    weights = [row for row in record["designs"][0]["rows"] if row["what"].endswith("weights")]
    assert all(row["pj"] == 100 / 64 for row in weights)  # 67 KB: more than 32 KB


def test_unknown_technology():
    with pytest.raises(InputError, match=r"unknown technology 'tsmc'.*horowitz-45nm"):
        find_technology("tsmc")


def test_prices_of_nothing():
    record = record_of(spikeloom.core("lfsr", width=16, leap=1, steps=4), Work("nothing"))
    assert record["designs"][0]["uj"] == 0
