"""What the shell may complete: cores, boards, backends, simulators, and the keys of a core."""

from dataclasses import fields

import typer

from spikeloom.catalog import CORES
from spikeloom_boards.recipes import BOARDS
from spikeloom_sim.simulators import SIMULATORS

BACKENDS = ("golden", "rtl", "netlist", "board")
FAMILIES = ("ice40", "ecp5", "ice40-routed")


def one_of(names):
    """A completion of any of `names`."""
    names = list(names)

    def complete(incomplete: str):
        return [name for name in names if name.startswith(incomplete)]

    return complete


cores = one_of(CORES)
boards = one_of(BOARDS)
simulators = one_of(SIMULATORS)
backends = one_of(BACKENDS)
families = one_of(FAMILIES)


def assignments(ctx: typer.Context, incomplete: str):
    """KEY= of the core named so far, or of every core; KEY=VALUE where there is a choice."""
    # An option without its value yet leaves the words before it unparsed.
    named = CORES.keys() & {ctx.params.get("core"), *ctx.args}
    configs = [CORES[core].config for core in named or CORES]
    keys = {key.name: key.metadata for config in configs for key in fields(config)}
    name, equals, value = incomplete.partition("=")
    if not equals:
        return [(f"{key}=", meta["help"]) for key, meta in keys.items() if key.startswith(name)]
    choices = keys.get(name, {}).get("choices", ())
    return [f"{name}={choice}" for choice in choices if choice.startswith(value)]
