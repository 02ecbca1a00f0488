"""How long one attention takes and how many go by in a second, and what each figure includes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from .driver.line import LineLoad

if TYPE_CHECKING:
    from spikeloom.contract import Core


@dataclass(frozen=True)
class Rate:
    """One attention (of one head) as far as `what` goes.

    includes : what is counted, in words. cycles : of the core's clock, where these are known. us :
    microseconds per attention. per_second : attentions.
    """

    what: str
    includes: str
    cycles: int | None
    us: float
    per_second: float

    @classmethod
    def of(cls, what: str, includes: str, us: float, cycles: int | None = None) -> Self:
        return cls(what, includes, cycles, us, 1e6 / us)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def preloaded(config: Core) -> str:
    """What the cycles of a simulated core include, in words."""
    text = "from start to the last output beat, operands on chip as far as they fit"
    if getattr(config, "by_value", False):
        text += ", encoding of the values included"
    return text


def core_scope(config: Core) -> str:
    """What the formula of a core's cycles counts, in words."""
    text = preloaded(config)
    if config.CYCLES_FOLLOW_DATA:
        text += "; the worst case, for the core passes over zeros"
    return text


def rates(config: Core, mhz: float, baud: int | None = None) -> list[Rate]:
    """`Rate`s of a core at `mhz`: by itself and, where a host link is around it, with the line."""
    cycles = config.cycles()
    found = [Rate.of("core", core_scope(config), cycles / mhz, cycles)]
    if baud is not None:
        load = LineLoad.of(config, baud)
        includes = (
            f"operands to the board, the core, output back: {load.bytes:,} bytes on a line of "
            f"{baud:,} baud, without the delays of a USB adapter"
        )
        found.append(Rate.of("with the line", includes, load.us + cycles / mhz))
    return found


def waiting(config: Core) -> str:
    """What the cycles that a board counts include, in words."""
    text = "from start to the last output beat, waiting for the line included"
    if getattr(config, "by_value", False):
        text += ", as is the encoding of the values"
    return text


def rate_text(rate: Rate | Mapping[str, Any]) -> str:
    """A `Rate`, or one of a report, as one line."""
    record = rate.as_dict() if isinstance(rate, Rate) else rate
    cycles = f"{record['cycles']:,} cycles, " if record["cycles"] else ""
    return (
        f"{cycles}{microseconds(record['us'])}, {number(record['per_second'])} attentions/s "
        f"({record['includes']})"
    )


def microseconds(us: float) -> str:
    """A time with its unit, in three or four digits."""
    return f"{us / 1e3:,.1f} ms" if us >= 1e4 else f"{us:.1f} us"


def number(rate: float) -> str:
    """A rate in as many digits as it needs."""
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}"
