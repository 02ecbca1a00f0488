"""Mutation testing: whether the tests notice a core with one fault.

Yosys' ``mutate`` gives faults of a generated core, spread over its cells and source lines: a bit of
a port that is inverted, stuck, or changed by another bit. Two checks run on each mutant, as the
core's own testbench and the cocotb suite. One that passes both must be proved equivalent to the
core; otherwise the tests have a gap.
"""

from .checks import Suite, Testbench
from .design import MutantDesign
from .verdicts import VERDICTS, Hunt, Mutant, hunt, mutant_configs

__all__ = [
    "VERDICTS",
    "Hunt",
    "Mutant",
    "MutantDesign",
    "Suite",
    "Testbench",
    "hunt",
    "mutant_configs",
]
