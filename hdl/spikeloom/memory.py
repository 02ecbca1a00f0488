"""How much memory a job takes and how much the machine has, compared before the job begins."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import InputError

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


def check_memory(needed: float, what: str, reduce: str) -> None:
    """Raise `InputError` where `needed` bytes are more than the machine has available.

    `what` says what takes them, `reduce` what the user can make smaller.
    """
    available = available_memory()
    if needed > available:
        raise InputError(
            f"{what} takes about {_readable(needed)} of memory and {_readable(available)} is "
            f"available; reduce {reduce}"
        )


def available_memory() -> int:
    """Bytes that can be allocated without swapping, as far as the system and the process's control
    group tell; a system that tells nothing (not Linux) counts as having all its memory free."""
    try:
        lines = MEMINFO.read_text().splitlines()
        (line,) = (line for line in lines if line.startswith("MemAvailable:"))
        available = int(line.split()[1]) * 1024
    except (OSError, ValueError):
        available = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit, used = (
            int((CGROUP / name).read_text()) for name in ("memory.max", "memory.current")
        )
    except (OSError, ValueError):  # no control group, or one without a limit
        return available
    return min(available, max(0, limit - used))


def _readable(count):
    """Bytes with a unit: 3 digits."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"
