"""The buses of register shells, by k-induction; and faults that the proofs find."""

import pytest
from amaranth.hdl import Module
from amaranth.lib.wiring import connect, flipped

from spikeloom.blocks.component import Component
from spikeloom.errors import JobError
from spikeloom.shell.axi_lite import AxiLite
from spikeloom.shell.load_merge import LoadMerge
from spikeloom.shell.wishbone import Wishbone
from spikeloom_sim.formal.register_buses import AxiLiteContract, WishboneContract
from spikeloom_sim.formal.runner import prove
from spikeloom_sim.formal.stream_contract import StreamContract

INDUCTION = 4
CONTRACTS = {"axi_lite": AxiLiteContract, "wishbone": WishboneContract}


@pytest.mark.parametrize("bus", CONTRACTS)
def test_one_answer_for_each_request(bus, proof, tmp_path):
    proof(CONTRACTS[bus](), bus, INDUCTION)
    prove(CONTRACTS[bus](), f"{bus}_reached", tmp_path, 8, "cover")


def test_merged_beats_are_stable(proof):
    """Whoever sends first, and whatever the other does meanwhile."""
    proof(StreamContract(LoadMerge(4, 3)), "merge", INDUCTION)


class Faulty(Component):
    """A bus interface of which `change` drives some outputs anew."""

    def __init__(self, inner, change):
        self._inner = inner
        self._change = change
        super().__init__(inner.signature)

    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = self._inner
        connect(m, flipped(self), self._inner)
        self._change(m, self, self._inner)
        return m


def response_withdrawn(m, outer, inner):
    m.d.comb += outer.b.valid.eq(inner.b.valid & outer.b.ready & outer.r.ready)


def written_twice(m, outer, inner):
    m.d.comb += outer.bus.w_en.eq(inner.bus.w_en | (inner.b.valid & ~outer.b.ready))


def always_okay(m, outer, inner):
    m.d.comb += outer.b.payload.eq(0)


def answered_unasked(m, outer, inner):
    m.d.comb += outer.ack.eq(inner.ack | (outer.stb & ~outer.cyc))


def answered_twice(m, outer, inner):
    m.d.comb += outer.ack.eq(outer.cyc & outer.stb)


FAULTS = {
    response_withdrawn: (AxiLite, AxiLiteContract),
    written_twice: (AxiLite, AxiLiteContract),
    always_okay: (AxiLite, AxiLiteContract),
    answered_unasked: (Wishbone, WishboneContract),
    answered_twice: (Wishbone, WishboneContract),
}


SHORT = (written_twice, answered_twice)
AS_CASES = [pytest.param(f, marks=[] if f in SHORT else pytest.mark.long) for f in FAULTS]


@pytest.mark.parametrize("fault", AS_CASES)
def test_faults_are_found(fault, tmp_path):
    kind, contract = FAULTS[fault]
    with pytest.raises(JobError, match="Assert failed in"):
        prove(contract(Faulty(kind(), fault)), fault.__name__, tmp_path, INDUCTION)
