"""Check whether a design fits its device, and find a smaller one that does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.errors import InputError

if TYPE_CHECKING:
    from spikeloom.contract import Core
    from spikeloom.families.family import Synthesis

    from .build import Build

TRIES = 3  # smaller designs to synthesise before giving up


# Share of the cells that a hint may take: LUTs and flip-flops that share no cell come on top of the
# LUTs counted. Placement failed at 0.87 of an icestick.
ROOM = 0.85


def check_memory(job: Build) -> None:
    """Raise `InputError` if a core needs more bits of memory than the device has."""
    device, family, core = job.board.device, job.board.family, job.config
    bits = device.block_rams * family.RAM_BITS + device.large_rams * family.LARGE_RAM_BITS
    if family.RAM_BITS and core.memory_bits > bits:
        raise InputError(
            f"{job.board.id}: {core.NAME} does not fit {device.name}: it needs "
            f"{core.memory_bits:,} bits of memory, the device has {bits:,}; {core.SMALLER}, or "
            "choose a larger board"
        )


def fits(synthesis: Synthesis, device: Any) -> bool:
    """Whether the device has enough cells and memories for a synthesised design."""
    return all(used <= there for _, used, there in resources(synthesis, device))


def needs(synthesis: Synthesis, device: Any) -> str:
    """What a synthesised design needs, as text."""
    rows = [
        f"{used} {what} of {there}"
        for what, used, there in resources(synthesis, device)
        if used or there
    ]
    return f"{', '.join(rows[:-1])} and {rows[-1]}"


def resources(synthesis: Synthesis, device: Any) -> tuple[tuple[str, int, int], ...]:
    """(what, used, available) of each resource, DSP blocks only if there are some in use."""
    rows = (
        ("cells", synthesis.lut4, device.cells),
        ("block RAMs", synthesis.block_rams, device.block_rams),
        ("large RAMs", synthesis.large_rams, device.large_rams),
    )
    return (*rows, ("DSP blocks", synthesis.dsps, device.dsps)) if synthesis.dsps else rows


def what_would_fit(
    job: Build,
    synthesis: Synthesis,
    synthesise: Callable[..., Synthesis],
    progress: Callable[[str], None] = lambda step: None,
) -> str:
    """A hint, verified by synthesis, how to make a `job` fit whose `synthesis` is too large.

    ``synthesise(folder, job, progress)`` is run on smaller unrolls: first on estimates in
    proportion to the excess, finally on the smallest.
    """
    device = job.board.device
    config = job.config
    for guesses_left in reversed(range(TRIES)):
        share = min(there / used for _, used, there in resources(synthesis, device) if used)
        smaller = lower_unroll(config, share) if guesses_left else smallest(config)
        if smaller == config:
            break
        config = smaller
        hint = " ".join(f"--set {key}={value}" for key, value in lowered(job.config, config))
        progress(f"try {hint}")
        with tempfile.TemporaryDirectory(prefix="spikeloom-fit-") as folder:
            synthesis = synthesise(Path(folder), replace(job, config=config), lambda step: None)
        if fits(synthesis, device) and synthesis.lut4 <= ROOM * device.cells:
            return f"{hint} needs {synthesis.lut4} and {synthesis.block_rams}"
    return f"no unroll fits: {job.config.SMALLER}, or choose a larger board"


def lowered(config: Core, smaller: Core) -> list[tuple[str, Any]]:
    """Unroll keys that differ, with their values in `smaller`."""
    values = ((key, getattr(smaller, key, None)) for key in config.UNROLL)
    return [(key, value) for key, value in values if value != getattr(config, key, None)]


def lower_unroll(config: Core, share: float) -> Core:
    """`config` with its first unroll key above 1 lowered to at most about `share` of its value;
    `config` itself if all are 1."""
    for key in config.UNROLL:
        unroll = getattr(config, key, None) or 1
        for value in range(min(unroll - 1, max(1, int(unroll * share))), 0, -1):
            following = dict.fromkeys(config.UNROLL_FOLLOWS)
            try:
                return replace(config, **{key: value} | following)
            except InputError:
                continue
    return config


def smallest(config: Core) -> Core:
    """`config` with the smallest unroll."""
    while (smaller := lower_unroll(config, 0)) != config:
        config = smaller
    return config
