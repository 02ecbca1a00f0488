"""Proofs that are recorded for the table of `pytest --proofs`."""

from time import monotonic

import pytest

from spikeloom_sim.formal.pdr import prove_always
from spikeloom_sim.formal.runner import prove

from ..proofs import row


@pytest.fixture
def proof(record_property, tmp_path):
    """Prove a harness by k-induction ("prove"), from power-up for so many cycles ("bmc"), or in all
    states that it reaches ("always")."""

    def run(harness, name, depth=None, mode="prove", **options):
        began = monotonic()
        if mode == "always":
            depth = prove_always(harness, name, tmp_path, **options)
        else:
            prove(harness, name, tmp_path, depth, mode, **options)
        record_property("proof", row(harness, name, mode, depth, monotonic() - began))

    return run
