"""The tables of `docs/energy.md` are those that `examples/energy_papers.py` computes."""

import re

import pytest
from examples.energy_papers import (
    REPORTED,
    bert_products,
    chance,
    nearest,
    our_lines,
    spiked_lines,
    ssa_lines,
    swin_products,
)

from tests.pages import DOCS

TABLES = {"ssa": ssa_lines, "ours": our_lines, "spiked": spiked_lines}


@pytest.mark.parametrize("name", TABLES)
def test_tables(name):
    page = (DOCS / "energy.md").read_text()
    (table,) = re.findall(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", page, re.S)
    assert table.splitlines() == TABLES[name]()


def test_plain_counts():
    """8 heads x 10 steps x 2 N^2 D x 0.03 pJ = 1.26 uJ; a byte of 8 KB is an eighth of 10 pJ."""
    compute = nearest(REPORTED["SSA"][0], False, 10)[0]
    assert compute.uj == pytest.approx(8 * 10 * 2 * 64**3 * 0.03 / 1e6)
    assert compute.uj == pytest.approx(1.26, abs=0.002)
    memory = nearest(REPORTED["SSA"][1], True, 10)[0]
    assert memory.uj == pytest.approx(8 * 10 * 2 * 64**3 * 1.25 / 1e6)
    assert abs(nearest(REPORTED["ANN"][0], False, 1)[0].off(REPORTED["ANN"][0])) > 0.05
    assert 0 < chance(REPORTED["ANN"][0], False, 1) < 0.5


def test_products_of_networks():
    """Of a stage of Swin-T: 12 C^2 a token and 2 x 49 C for windows; the known total is 4.5 G."""
    stage = 2 * 56**2 * (12 * 96**2 + 2 * 49 * 96)
    assert stage < swin_products()
    assert swin_products() / 1e9 == pytest.approx(4.5, rel=0.01)
    assert bert_products(tokens=2, width=3, layers=1) == 12 * 9 * 2 + 2 * 4 * 3
