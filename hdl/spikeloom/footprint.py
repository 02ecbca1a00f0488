"""Memory estimates of a core's golden model and of the streams of a simulation."""

from math import prod

from .contract import Core
from .memory import check_memory

MODEL = 100e6  # bytes of any model: NumPy, and the blocks in which long runs are processed
BEAT = 500  # bytes of a stream beat in Python and in JSON


def check_golden(core: Core, *, made_here: bool = False) -> None:
    """Raise `InputError` if the golden model of `core` takes more memory than is available.

    `made_here`: the operands are generated here, and count as well.
    """
    needed = MODEL + core.golden_bytes()
    if made_here:
        needed += 10 * sum(prod(port.shape) for port in core.inputs.values())
    check_memory(needed, f"the golden model of {_shape(core)}", _reduce(core))


def check_streams(core: Core, runs: int) -> None:
    """Raise `InputError` if the input and output beats of `runs` runs take more memory than is
    available."""
    beats = sum(port.beats for port in (core.inputs | core.outputs).values())
    what = f"a simulation of {runs} x {_shape(core)}"
    check_memory(MODEL + runs * beats * BEAT, what, f"{_reduce(core)} or heads")


def _shape(core: Core) -> str:
    shown = ("tokens", "head_dim", "value_dim", *core.SIZE_KEYS)
    keys = [f"{key} = {value}" for key, value in core.as_dict().items() if key in shown]
    return f"{core.NAME} with " + ", ".join(keys)


def _reduce(core: Core) -> str:
    return " or ".join(core.SIZE_KEYS) or "the shape"
