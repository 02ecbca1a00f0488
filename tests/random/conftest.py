"""Blocks of random configurations: which, and how many."""

import pytest

from spikeloom.cores import all_cores

BLOCK = 20  # configurations of one core in a test
LARGE = ("ssa", "spiked", "a2os2a", "a2os2a_block", "network")  # every other block is of one
UNITS = [name for name in all_cores() if name not in LARGE]
QUICK = ("lfsr",)  # by default
DAILY = 2 * len(UNITS)  # blocks that are long, cut short


def kind_of(block):
    """The kind of the configurations of a block."""
    names = UNITS if block % 2 else LARGE
    return names[block // 2 % len(names)]


def pytest_generate_tests(metafunc):
    """A test for each block of ``--configurations``; without it, a few short ones."""
    if "block" not in metafunc.fixturenames:
        return
    first, count = (metafunc.config.getoption(f"--{name}") for name in ("first", "configurations"))
    if count is None:
        blocks = [(kind, 0, 2, []) for kind in QUICK]
        blocks += [(kind_of(n), n, 3, [pytest.mark.long]) for n in range(DAILY)]
    else:
        numbers = range(first // BLOCK, -(-(first + count) // BLOCK))
        blocks = [(kind_of(n), n, BLOCK, [pytest.mark.slow]) for n in numbers]
    metafunc.parametrize(
        "block",
        [
            pytest.param((kind, number, size), id=f"{number * BLOCK}-{kind}", marks=marks)
            for kind, number, size, marks in blocks
        ],
    )
