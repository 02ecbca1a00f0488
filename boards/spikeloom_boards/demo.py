"""The demos there are, by core."""

from .a2os2a_demo import demo_a2os2a
from .spiked_demo import demo_spiked
from .ssa_demo import demo_ssa

DEMOS = {"ssa": demo_ssa, "spiked": demo_spiked, "a2os2a": demo_a2os2a}
