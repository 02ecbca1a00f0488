"""Proofs about the event lists of the engine: bounded, as their entries are in a memory."""

import pytest

from spikeloom.errors import JobError
from spikeloom.networks.engine.lister import Lister
from spikeloom.networks.engine.replay import Replay
from spikeloom_sim.formal.event_lists import ListerContract, ReplayContract
from spikeloom_sim.formal.runner import prove

LISTS = {"lists": 2, "longest": 3, "groups": 2, "tokens": 3}


class NoRoom(Replay):
    """Lets a list begin that may overwrite one that is still replayed."""

    def _find_room(self, m, used, released):
        m.d.comb += self.room.eq(1)


class ForgetsBits(Lister):
    """Passes by the rest of a group."""

    def _write_entries(self, m, *, several, **rest):
        super()._write_entries(m, several=0 * several, **rest)


@pytest.mark.long
@pytest.mark.parametrize(("depth", "cycles"), [(4, 14), (8, 12)])
def test_replay(depth, cycles, proof):
    """Any lists, with any pauses, for so many cycles after a reset."""
    proof(ReplayContract(**LISTS, depth=depth), f"replay_{depth}", cycles, "bmc")


@pytest.mark.long
def test_replay_reaches_the_end_of_an_operation(tmp_path):
    prove(ReplayContract(**LISTS, depth=4), "replay", tmp_path, 26, "cover")


@pytest.mark.long
def test_list_that_is_overwritten_is_found(tmp_path):
    contract = ReplayContract(**LISTS | {"lists": 4}, depth=4, component=NoRoom)
    with pytest.raises(JobError, match="Assert failed in"):
        prove(contract, "no_room", tmp_path, 14, "bmc")


@pytest.mark.long
def test_lister(proof):
    """Any pieces, of any bits, for so many cycles after a reset."""
    proof(ListerContract(), "lister", 8, "bmc")


@pytest.mark.long
def test_lister_closes_two_lists(tmp_path):
    prove(ListerContract(), "lister", tmp_path, 14, "cover")


@pytest.mark.long
def test_lost_bit_is_found(tmp_path):
    with pytest.raises(JobError, match="Assert failed in"):
        prove(ListerContract(ForgetsBits), "forgets", tmp_path, 10, "bmc")
