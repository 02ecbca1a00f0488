"""Shell completion of cores, boards, backends, simulators and configuration keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import typer

from spikeloom.cores import all_cores
from spikeloom.families import FAMILIES, netlists
from spikeloom.networks.finding import network_names
from spikeloom.networks.network import Network
from spikeloom_boards.boards import BOARDS
from spikeloom_boards.technologies import TECHNOLOGIES
from spikeloom_sim.simulators import SIMULATORS

BACKENDS = ("golden", "rtl", "netlist", "board")


def one_of(names: Iterable[str]) -> Callable[[str], list[str]]:
    """A completion function for `names`."""
    names = list(names)

    def complete(incomplete: str):
        return [name for name in names if name.startswith(incomplete)]

    return complete


cores = one_of([*all_cores(), *network_names()])
networks = one_of(network_names())
boards = one_of(BOARDS)
simulators = one_of(SIMULATORS)
backends = one_of(BACKENDS)
families = one_of(netlists())
devices = one_of(device.id for family in FAMILIES.values() for device in family.DEVICES)
technologies = one_of(TECHNOLOGIES)


def assignments(ctx: typer.Context, incomplete: str) -> list[str] | list[tuple[str, str]]:
    """KEY= for the core on the command line, or for all cores; KEY=VALUE for a key with choices."""
    # If the last option has no value yet, the words before it are still unparsed.
    known = all_cores() | dict.fromkeys(network_names(), Network)
    named = known.keys() & {ctx.params.get("core"), *ctx.args}
    keys = {
        name: key.metadata for core in named or known for name, key in known[core].keys().items()
    }
    name, equals, value = incomplete.partition("=")
    if not equals:
        return [(f"{key}=", meta["help"]) for key, meta in keys.items() if key.startswith(name)]
    choices = keys.get(name, {}).get("choices", ())
    return [f"{name}={choice}" for choice in choices if choice.startswith(value)]
