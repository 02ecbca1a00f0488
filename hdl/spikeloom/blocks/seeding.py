"""How random sources of a core get their seed."""

from __future__ import annotations

from amaranth.lib import wiring
from amaranth.lib.wiring import Out


class Seeding(wiring.Signature):
    """Seed for any number of random sources, as seen by the side that gives it.

    Members
    -------
    load : Out(1), take `seed` into every register.
    seed : Out(64), scrambled; there from `load` to the end of the run.
    warm : Out(1), the cycle after `load`: make a first step.
    """

    def __init__(self) -> None:
        super().__init__({"load": Out(1), "seed": Out(64), "warm": Out(1)})
