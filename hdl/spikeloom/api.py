"""The Python API: create a core, run it on arrays, view its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from .axes import AxisOrder
from .backend import Backend, Golden, Progress, Run, find_backend, require_equal, silent
from .contract import Core, check_names
from .cores import find_core
from .errors import unknown
from .item import real_numbers
from .port import Port

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def core(name: str, **keys: Any) -> Core:
    """The core called `name`, configured and checked.

    Parameters
    ----------
    name : as ``spikeloom list`` names it, or a network file.
    keys : the core's keys, as on the command line after ``--set``.

    Raises `InputError` for an unknown name or key and for a value that is not allowed.
    """
    return find_core(name).from_settings(keys)


def load(path: str | PathLike[str], **keys: Any) -> Core:
    """The core of a network file, configured and checked.

    Parameters
    ----------
    path : a ``.safetensors`` file, see `docs/networks.md`.
    keys : the core's keys, as for `core`.

    Raises `InputError` for anything but a valid network.
    """
    from .networks.finding import load_network

    return load_network(path).from_settings(keys)


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
    core : from `spikeloom.core` or `spikeloom.load`.
    axes : the axes of the operands, in any order: T steps, B batch, H heads, N tokens, D dims
        ("TBHND"); Y rows, X columns, C channels of an image ("BYXC"). Without it operands have the
        axes of the core's ports, and perhaps one of runs in front. Batch and heads are run one
        after the other, run n with the seed ``seed + n``.
    backend : "golden", "rtl", "netlist" or "board", or an object like `spikeloom.backend.Backend`.
        All but "golden" are compared with the golden model.
    view : one of ``core.views()``, say "rate" or "codes" (default: the first of them).
    progress : called with the number of completed runs and the total.
    options : of the backend: ``{"simulator": "icarus"}``, ``{"family": "..."}``,
        ``{"port": "/dev/ttyUSB1"}``.
    operands : arrays of NumPy or PyTorch by the name of their stream (``q=q, k=k, v=v``), of any
        dtype that holds the values exactly.

    Returns one `Run`. Its outputs have the axes of the operands, with those that only outputs have
    (steps of a core that encodes values) in front; `cycles` is a number, or an array along the axes
    of the runs; a flag has the largest value of any run.

    Raises `InputError` for operands that do not fit the core, `JobError` where a backend fails or
    differs from the golden model.
    """
    if view is not None and view not in core.views():
        raise unknown("view", view, core.views())
    check_names(core, operands)
    ports = core.inputs
    given = {name: _exact(ports[name], operand, name) for name, operand in operands.items()}
    order = None if axes is None else AxisOrder(axes)
    if order is None:
        given = {name: ports[name].complete(x) for name, x in given.items()}
    else:
        given = {name: order.split(name, x, ports[name].axes) for name, x in given.items()}
    place = find_backend(backend, **(options or {})) if isinstance(backend, str) else backend
    # Hardware that exists is not fitted to the operands.
    core = core.settled() if getattr(place, "fixed", False) else core
    fitted, batch = type(core).prepare(core.as_dict(), **given)

    runs = place.run(fitted, batch, progress)
    golden = place.name == "golden"
    if not golden:
        require_equal(fitted, runs, Golden().run(fitted, batch))

    shape: tuple[int, ...] = order.lead if order is not None else (len(batch),)
    if order is None and all(x.ndim == len(ports[name].shape) for name, x in given.items()):
        shape = ()
    return Run(
        outputs=_outputs(fitted, runs, view, order, shape),
        timing=lambda: _shaped([one.cycles for one in runs], shape),
        flags={name: max(one.flags[name] for one in runs) for name in runs[0].flags},
        seconds=sum(one.seconds for one in runs),
        mismatches=None if golden else 0,
    )


def _exact(port: Port, operand: ArrayLike, name: str) -> NDArray:
    """An operand as an array, converted to integers if its values and the port are integer."""
    array = real_numbers(operand, name)
    whole = array.dtype.kind == "f" and (array == np.floor(array)).all()
    return array.astype(np.int64) if whole and port.item.dtype is not np.float64 else array


def _outputs(
    core: Core,
    runs: Sequence[Run],
    view: str | None,
    order: AxisOrder | None,
    shape: tuple[int, ...],
) -> dict[str, NDArray]:
    """Outputs of all runs in representation `view`, with the axes of the operands."""
    views = core.views()
    show = views[view or next(iter(views))]
    outputs = {}
    for name, port in core.outputs.items():
        stacked = show(np.stack([run.outputs[name] for run in runs]))
        if order is None:
            outputs[name] = stacked if shape else stacked[0]
            continue
        # A view that averages over the steps has one axis less.
        axes = port.axes if stacked.ndim > len(port.axes) else port.axes.replace("T", "")
        outputs[name] = order.join(stacked, axes)
    return outputs


def _shaped(cycles: Sequence[int], shape: tuple[int, ...]) -> Any:
    return np.array(cycles).reshape(shape) if shape else cycles[0]
