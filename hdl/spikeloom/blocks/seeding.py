"""Seed distribution to the random sources of a core."""

from __future__ import annotations

from amaranth.lib import wiring
from amaranth.lib.wiring import Out


class Seeding(wiring.Signature):
    """Seed for any number of random sources, as seen by the side that drives it.

    Members
    -------
    load : Out(1), load `seed` into every register.
    seed : Out(64), scrambled; valid from `load` to the end of the run.
    warm : Out(1), high in the cycle after `load`: perform a first step.
    """

    def __init__(self) -> None:
        super().__init__({"load": Out(1), "seed": Out(64), "warm": Out(1)})
