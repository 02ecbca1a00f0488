"""The cores, each in its own folder with everything that belongs to it.

The package of a folder has its `Core` classes as attributes. Other packages provide cores through
the entry-point group ``spikeloom.cores``, each entry of which names a `Core` class.
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
    """All cores by name: those of Spikeloom first, each group sorted by name."""
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
    """The core called `name`: a core, a network, or the path of a network file.

    Raises `InputError` suggesting a similar name or listing all.
    """
    from ..networks.finding import find_network, is_path, network_names

    cores = all_cores()
    if name in cores and not is_path(name):
        return cores[name]
    network = find_network(name)
    if network is None:
        raise unknown("core", name, [*cores, *network_names()])
    return network


def _is_core(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Core) and bool(value.NAME)
