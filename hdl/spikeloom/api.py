"""Spikeloom from Python: make a core, run it on arrays, look at what came out."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from .core import Core
from .cores import find_core
from .errors import InputError
from .item import real_numbers
from .port import AXES, Port
from .run import Backend, Golden, Progress, Run, find_backend, require_equal, silent

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

RUN_AXES = "BH"  # batch and heads: runs one after the other, unless a core takes them together


def core(name: str, **keys: Any) -> Core:
    """The core called `name`, configured and checked.

    Parameters
    ----------
    name : as ``spikeloom list`` names it.
    keys : the core's keys, as on the command line after ``--set``.

    Raises `InputError` for an unknown name or key and for a value that is not allowed.
    """
    return find_core(name).from_settings(keys)


def run(
    core: Core,
    *,
    axes: str | None = None,
    backend: str | Backend = "golden",
    view: str | None = None,
    progress: Progress = silent,
    options: Mapping[str, Any] | None = None,
    **operands: ArrayLike,
) -> Run:
    """Run a core on arrays.

    Parameters
    ----------
    core : from `spikeloom.core`.
    axes : the axes of the operands, in any order: T steps, B batch, H heads, N tokens, D dims
        ("TBHND"). Without it operands have the axes of the core's ports, and perhaps one of runs in
        front. Batch and heads are run one after the other, run n with the seed ``seed + n``.
    backend : "golden", "rtl", "netlist" or "board", or an object like `spikeloom.run.Backend`. All
        but "golden" are compared with the golden model.
    view : one of ``core.views()``, say "rate" or "codes" (default: the first of them).
    progress : called with the runs done and how many there are.
    options : of the backend: ``{"simulator": "icarus"}``, ``{"family": "ecp5"}``,
        ``{"port": "/dev/ttyUSB1"}``.
    operands : arrays of NumPy or PyTorch by the name of their stream (``q=q, k=k, v=v``), of any
        dtype that holds the values exactly.

    Returns one `Run`. Its outputs have the axes of the operands, with T in front where only the
    output has steps; `cycles` is a number, or an array along the axes of batch and heads.

    Raises `InputError` for operands that do not fit the core, `JobError` where a backend fails or
    differs from the golden model.
    """
    views = core.views()
    shown = next(iter(views)) if view is None else view
    if shown not in views:
        raise InputError(f"{core.NAME}: no view {shown!r}; views: {', '.join(views)}")
    given = {name: real_numbers(operand, name) for name, operand in operands.items()}
    layout = None if axes is None else _Layout(core, axes)
    if layout is not None:
        given = {name: layout.to_runs(name, array) for name, array in given.items()}
    fitted, batch = type(core).prepare(_settings(core), **given)

    found = backend if not isinstance(backend, str) else find_backend(backend, **(options or {}))
    runs = found.run(fitted, batch, progress)
    if found.name != "golden":
        require_equal(fitted, runs, Golden().run(fitted, batch))
    show = fitted.views()[shown]
    stacked = {
        name: show(np.stack([run.outputs[name] for run in runs])) for name in fitted.outputs
    }
    lead = layout.lead if layout is not None else _lead(fitted, given)
    return Run(
        outputs={
            name: _unstack(fitted, name, output, lead, layout) for name, output in stacked.items()
        },
        cycles=_shaped([_cycles(fitted, n, one, batch[n]) for n, one in enumerate(runs)], lead),
        flags={name: max(one.flags[name] for one in runs) for name in runs[-1].flags},
        seconds=sum(one.seconds for one in runs),
        mismatches=None if found.name == "golden" else 0,
    )
