"""The designs of the bench, one row each."""

from dataclasses import dataclass

from spikeloom.catalog import CORES
from spikeloom.errors import InputError
from spikeloom.families import Part, find_part


@dataclass(frozen=True)
class Design:
    """A core in one configuration on one device (by its id in `spikeloom.families`).

    `engine` and `unroll` name the configuration within the core. Designs that are not `usual` take
    long and are left to the full bench.
    """

    core: str
    engine: str
    unroll: str
    device: str
    settings: dict
    usual: bool = True

    @property
    def name(self):
        return f"{self.core}/{self.engine}/{self.unroll}/{self.device}"

    @property
    def config(self):
        return CORES[self.core].config(**self.settings)

    @property
    def part(self) -> Part:
        """The device in the first of its packages and speed grades."""
        return find_part(self.device)


SSA = {"tokens": 64, "head_dim": 64, "steps": 10}
SAMPLED = SSA | {"engine": "sampled"}
DIAGONALS = SAMPLED | {"feed": "diagonals"}
A2OS2A = {"tokens": 64, "head_dim": 64}
SPIKED = {"tokens": 49, "head_dim": 32, "steps": 40}

FOUR_STEPS = {"steps_at_once": 4, "random": "own"}

# Unroll of engine "sampled": lanes x time steps at once; "diagonals": without the corner turn.
DESIGNS = (
    Design("ssa", "sampled", "1x1", "up5k", SAMPLED | {"random": "own"}),
    Design("ssa", "sampled", "1x1", "hx8k", SAMPLED | {"random": "own"}),
    Design("ssa", "sampled", "1x1-diagonals", "hx8k", DIAGONALS | {"random": "own"}),
    Design("ssa", "sampled", "1x4-diagonals", "hx8k", DIAGONALS | FOUR_STEPS),
    Design("ssa", "sampled", "1x1", "ecp5-25f", SAMPLED),
    Design("ssa", "sampled", "1x1", "ecp5-85f", SAMPLED, usual=False),
    Design("ssa", "sampled", "1x10-diagonals", "ecp5-25f", DIAGONALS | {"steps_at_once": 10}),
    Design(
        "ssa",
        "sampled",
        "4x10-diagonals",
        "ecp5-85f",
        DIAGONALS | {"lanes": 4, "steps_at_once": 10},
        usual=False,
    ),
    Design("ssa", "counter", "16x8", "up5k", SSA | {"cells": 16, "bits": 8}),
    Design("ssa", "counter", "16x8", "hx8k", SSA | {"cells": 16, "bits": 8}, usual=False),
    Design("ssa", "counter", "16x8", "ecp5-25f", SSA | {"cells": 16, "bits": 8}, usual=False),
    Design("ssa", "counter", "64x64", "ecp5-85f", SSA | {"cells": 64, "bits": 64}, usual=False),
    Design("a2os2a", "kv", "8", "up5k", A2OS2A | {"order": "kv", "lanes": 8}),
    Design("a2os2a", "kv", "64", "ecp5-25f", A2OS2A | {"order": "kv", "lanes": 64}),
    Design("a2os2a", "kv", "64", "ecp5-85f", A2OS2A | {"order": "kv", "lanes": 64}, usual=False),
    Design("a2os2a", "qk", "64", "ecp5-25f", A2OS2A | {"order": "qk", "lanes": 64}, usual=False),
    Design("spiked", "trace", "1", "ecp5-25f", SPIKED | {"lanes": 1}),
    Design("spiked", "trace", "8", "ecp5-85f", SPIKED | {"lanes": 8}, usual=False),
    Design("spiked", "trace", "49", "ecp5-85f", SPIKED | {"lanes": 49}, usual=False),
)


def choose(only=(), full=False):
    """Designs whose names contain any text of `only`; without, the usual ones or all.

    Raises `InputError` where nothing matches.
    """
    if not only:
        return [design for design in DESIGNS if full or design.usual]
    chosen = [design for design in DESIGNS if any(text in design.name for text in only)]
    if not chosen:
        names = ", ".join(design.name for design in DESIGNS)
        raise InputError(f"--only {' '.join(only)}: no row's name contains it; rows: {names}")
    return chosen
