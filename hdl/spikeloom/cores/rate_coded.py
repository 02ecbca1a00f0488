"""Common base of Bernoulli encoders: the keys of their values and random numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from numpy.typing import NDArray

from ..configuration import choice, integer
from ..item import Probability
from ..random.golden_source import RandomSource
from ..random.random_plan import STRATEGIES
from ..stream_unit import StreamUnit
from ..work import Accesses, Operations, Work


@dataclass(frozen=True, kw_only=True)
class RateCoded(StreamUnit):
    """Spikes drawn with probability ``threshold / 2**value_bits``, from thresholds
    ``0..2**value_bits``.

    Every spike uses its own random number. Random source and seed are those of `ssa`.
    """

    SOURCE = 'Song et al., "Stochastic Spiking Attention", arXiv 2402.09109'
    VIEWS = ("spikes",)

    value_bits: int = integer("bits of an encoded value", low=1, high=16, default=8)
    random: str = choice("how encoders share random bits", choices=STRATEGIES, default="slices")
    seed: int = integer("seed of every LFSR", low=1, high=2**64 - 1, default=1)

    @property
    def item(self) -> Probability:
        """The item of a value."""
        return Probability(self.value_bits)

    def draws(self, lanes: int, count: int) -> NDArray:
        """The random numbers of the first `count` beats of `lanes` spikes: (count, lanes)."""
        source = RandomSource(lanes, 2**self.value_bits, self.seed, strategy=self.random)
        return source.draw(count)

    def views(self) -> dict[str, Callable[[NDArray], NDArray]]:
        return {"spikes": lambda spikes: spikes}


def encoder_work(values: int, steps: int, value_bits: int) -> Work:
    """The work of `steps` Bernoulli spikes of each of `values` values, which are stored if there
    are several steps."""
    spikes = values * steps
    bits = (1 + steps) * values * (value_bits + 1)
    stored = (Accesses("values", bits, values * (value_bits + 1)),) if steps > 1 else ()
    return Work(
        "a random number and a comparison of each spike",
        (
            Operations("random bits", "logic", 1, spikes * value_bits),
            Operations("comparisons", "add", value_bits, spikes),
        ),
        stored,
    )
