"""The cores, each in a folder of its own that holds all there is to it.

A folder's package offers its `Core` classes as attributes. Cores of other packages are found
through the entry-point group ``spikeloom.cores``, whose entries name a `Core` class each.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from ..contract import Core
from ..errors import unknown

ENTRY_POINTS = "spikeloom.cores"


@cache
def all_cores() -> dict[str, type[Core]]:
    """Every core by name, those of Spikeloom first, sorted by name."""
    found: dict[str, type[Core]] = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        if module.ispkg:
            package = import_module(module.name)
            found |= {core.NAME: core for core in vars(package).values() if _is_core(core)}
    for entry in entry_points(group=ENTRY_POINTS):
        core = entry.load()
        found.setdefault(core.NAME, core)
    return dict(sorted(found.items()))


def find_core(name: str) -> type[Core]:
    """The core called `name`. Raises `InputError` that suggests a near name or lists all."""
    cores = all_cores()
    if name not in cores:
        raise unknown("core", name, cores)
    return cores[name]


def _is_core(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Core) and bool(value.NAME)
