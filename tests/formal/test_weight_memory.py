"""The attention state behind weights, for all inputs."""

import pytest

from spikeloom.errors import JobError
from spikeloom.networks.engine import weight_memory
from spikeloom_sim.formal.pdr import prove_always
from spikeloom_sim.formal.weight_memory import WeightMemoryContract


@pytest.fixture(autouse=True)
def small_block_rams(monkeypatch):
    """Block RAM of 4 words; the second part of 13 weights has 5, and so two of them."""
    monkeypatch.setattr(weight_memory, "BLOCK_WORDS", 4)


def contract(count):
    return WeightMemoryContract([7 * n % 4 for n in range(count)], width=2, state_words=2)


@pytest.mark.parametrize("count", [5, 13, 25])
def test_state_and_weights(proof, count):
    """The second part has one block RAM, two, and three, which is no power of two."""
    proof(contract(count), f"weights_{count}", mode="always")


def test_state_on_weights_is_found(monkeypatch, tmp_path):
    """A state that overlaps the last weights changes them."""
    monkeypatch.setattr(weight_memory, "padded", lambda size, unit: size + size % 2)
    with pytest.raises(JobError, match="an assertion fails"):
        prove_always(contract(8 + 5), "overlap", tmp_path)
