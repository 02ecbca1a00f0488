"""Checks before a job that the machine has the memory it needs."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import InputError

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


def check_memory(needed: float, what: str, reduce: str) -> None:
    """Raise `InputError` if `needed` bytes exceed the memory available.

    `what` names what takes the memory, `reduce` what the user can reduce.
    """
    available = available_memory()
    if needed > available:
        raise InputError(
            f"{what} takes about {_readable(needed)} of memory and {_readable(available)} is "
            f"available; reduce {reduce}"
        )


def available_memory() -> int:
    """Bytes that can be allocated without swapping, by the reports of the system and of the control
    group of the process. Systems without such reports (not Linux) count all memory as free."""
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
    """Bytes with a unit, to 3 digits."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"
