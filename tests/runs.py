"""Runs of cores in tests: operands in the order of the ports, outputs of all runs stacked."""

from dataclasses import dataclass

import numpy as np

from spikeloom.backend import Golden
from spikeloom_sim.backends import RTL, Netlist


@dataclass
class Runs:
    """`outputs` of stream `o` stacked along a leading axis, `cycles` and `flags` of each run."""

    outputs: np.ndarray
    cycles: list
    flags: list


def named(core, head):
    """Checked operands by name, in the ports' shapes, of a tuple in the order of the ports."""
    operands = head if isinstance(head, dict) else dict(zip(core.inputs, head, strict=True))
    ports = core.inputs
    return core.check({name: np.reshape(x, ports[name].shape) for name, x in operands.items()})


def run_golden(core, heads):
    """Outputs of the golden model."""
    runs = Golden(jobs=1).run(core, [named(core, head) for head in heads])
    return np.stack([run.outputs["o"] for run in runs])


def run_rtl(core, heads, *, netlist=None, **options):
    """`Runs` on the simulated core, or on its netlist for a family."""
    backend = RTL(**options) if netlist is None else Netlist(family=netlist, **options)
    runs = backend.run(core, [named(core, head) for head in heads])
    outputs = np.stack([run.outputs["o"] for run in runs])
    return Runs(outputs, [run.cycles for run in runs], [run.flags for run in runs])
