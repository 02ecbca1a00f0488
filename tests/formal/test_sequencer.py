"""Proofs about the sequencer of the engine, by k-induction; and faults that they find."""

import pytest

from spikeloom.errors import JobError
from spikeloom.networks.engine import compile_network
from spikeloom.networks.engine.sequencer import Sequencer
from spikeloom.networks.engine.table import Table
from spikeloom_sim.formal.runner import prove
from spikeloom_sim.formal.sequencer import SequencerContract
from tests.networks.random_network import random_network

TINY = {"image": (2, 4, 1), "patch": (2, 2), "steps": 1, "dims": 4, "blocks": 0, "classes": 3}
BLOCK = {
    **{"image": (4, 4, 1), "patch": (2, 2), "steps": 2, "dims": 16, "hidden": 16, "classes": 3},
    **{"blocks": 1, "reset": "mixed"},
}


def table_of(sizes):
    """The operations of a random network."""
    graph = random_network(**sizes, pixel_bits=2)
    return compile_network(graph, lanes=8, weights="initial").table


class GoesWhileClearing(Sequencer):
    """Does not wait for the state to be cleared."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        with m.If(self.clearing):
            m.d.sync += self.go.eq(1)
        return m


class GoesAgain(Sequencer):
    """A start in a run starts the operation again."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        with m.If(self.begin & (self.head != 0)):
            m.d.sync += self.go.eq(1)
        return m


class FinishesEarly(Sequencer):
    """Does not wait for the last logit."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        with m.If(self.send & self.final):
            m.d.comb += self.finish.eq(1)
        return m


class SkipsWord(Table):
    """Names one fixed entry too many, so that the next operation is read from a wrong place."""

    def values(self, operation):
        values = super().values(operation)
        return values | {"literal_count": values["literal_count"] + 1}


@pytest.mark.long
@pytest.mark.parametrize("name", ["tiny", "block"])
def test_sequencer(name, proof):
    """From any state, for any time: attention has operations that clear the state."""
    contract = SequencerContract(table_of({"tiny": TINY, "block": BLOCK}[name]))
    proof(contract, f"network_{name}", contract.depth, registers=True)


@pytest.mark.long
def test_sequencer_reaches_the_end_of_a_run(tmp_path):
    contract = SequencerContract(table_of(TINY))
    prove(contract, "finishes", tmp_path, 30, "cover", registers=True)


@pytest.mark.long
@pytest.mark.parametrize("faulty", [GoesWhileClearing, GoesAgain, FinishesEarly])
def test_fault_is_found(faulty, tmp_path):
    table = table_of(TINY)
    contract = SequencerContract(table, faulty(table))
    with pytest.raises(JobError, match="Assert failed in"):
        prove(contract, "faulty", tmp_path, contract.depth, registers=True)


@pytest.mark.long
def test_wrong_place_is_found(tmp_path):
    table = table_of(TINY)
    wrong = SkipsWord(table.operations, table.wrap, table.row_bits)
    contract = SequencerContract(table, Sequencer(wrong))
    with pytest.raises(JobError, match="Assert failed in"):
        prove(contract, "skips", tmp_path, contract.depth, registers=True)
