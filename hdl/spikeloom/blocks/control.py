"""Start and status signals of a core."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

if TYPE_CHECKING:
    from amaranth.lib.wiring import Member

    from ..contract import Core


class Control(wiring.Signature):
    """Start and status of a run, as seen by the side that starts it.

    Parameters
    ----------
    seeded : whether a run takes a seed.

    Members
    -------
    start : Out(1), begin a run; ignored while `busy` is high.
    seed : Out(64), only if `seeded`: sampled with `start`.
    busy : In(1), high from the cycle after `start` to the last output beat.
    done : In(1), high for one cycle, after the transfer of the last output beat.
    """

    def __init__(self, *, seeded: bool = False) -> None:
        seed = {"seed": Out(64)} if seeded else {}
        super().__init__({"start": Out(1), **seed, "busy": In(1), "done": In(1)})


def control_members(*, seeded: bool = False) -> dict[str, Member]:
    """Members of a core for `Control`, named without a prefix."""
    return dict(Control(seeded=seeded).flip().members.items())


def core_members(core: Core) -> dict[str, Member]:
    """Members of the component of `core`: `Control`, the flags, and a stream for each port."""
    return {
        **control_members(seeded=core.takes_seed),
        **{name: Out(flag.bits) for name, flag in core.flags.items()},
        **{name: In(port.signature()) for name, port in core.inputs.items()},
        **{name: Out(port.signature()) for name, port in core.outputs.items()},
    }


def control_of(core: Any) -> Any:
    """Ports `start`, `busy` and `done` of a core as a `Control`, for use in its `elaborate`."""
    return SimpleNamespace(signature=Control(), start=core.start, busy=core.busy, done=core.done)
