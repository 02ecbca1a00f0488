"""Networks by name or file.

Packages provide networks through the entry-point group ``spikeloom.networks``: each entry names a
package whose ``.safetensors`` files are networks, called as the files are.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.metadata import entry_points
from importlib.resources import as_file, files
from os import PathLike
from typing import TYPE_CHECKING

from .file import SUFFIX, load

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from .network import Network

ENTRY_POINTS = "spikeloom.networks"
_loaded: dict[str, type[Network]] = {}  # by name, those of files that this process has read


def is_path(name: str) -> bool:
    """Whether `name` is the path of a network file rather than a name."""
    return name.endswith(SUFFIX) or os.sep in name


def network_names() -> list[str]:
    """The names of all networks that installed packages provide."""
    return sorted(_provided())


def find_network(name: str) -> type[Network] | None:
    """The network of a file, or called `name`: one that this process has read, else one that a
    package provides. None if there is none.

    Raises `InputError` if the file is not a valid network.
    """
    if is_path(name):
        return load_network(name)
    if name not in _loaded and name in _provided():
        with as_file(_provided()[name]) as path:
            return load_network(path)
    return _loaded.get(name)


def load_network(path: str | PathLike[str]) -> type[Network]:
    """The core of a network file."""
    from .network import network_core

    graph = load(path)
    found = network_core(graph)
    _loaded[graph.name] = found
    return found


def network_with(name: str, content: str) -> type[Network] | None:
    """The network called `name` whose file's hash begins with `content`: one that this process has
    read, or one that a package provides. None if there is none."""
    from .network import network_core, networks

    if name in _provided():
        with as_file(_provided()[name]) as path:
            graph = load(path)
            network_core(graph)
    known = [core for core in networks() if name == core.NAME]
    return next((core for core in known if core.DIGEST.startswith(content)), None)


@cache
def _provided() -> dict[str, Traversable]:
    """The file of each network of a package, by name."""
    found: dict[str, Traversable] = {}
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            folder = files(entry.module)
        except ModuleNotFoundError:  # a part of Spikeloom that is not installed
            continue
        for file in folder.iterdir():
            if file.name.endswith(SUFFIX):
                found.setdefault(file.name.removesuffix(SUFFIX), file)
    return found
