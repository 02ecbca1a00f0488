"""Time of a run and runs per second, and what these figures include."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from .driver.line import LineLoad

if TYPE_CHECKING:
    from spikeloom.contract import Core


@dataclass(frozen=True)
class Rate:
    """Time and rate of one run (the attention of one head, an image), for the core or with the
    serial line.

    run : what a run computes. what : "core" or "with the line". includes : what is counted, as
    text. cycles : core cycles, if known. us : microseconds per run. per_second : runs per second,
    of which several may be computed at once.
    """

    run: str
    what: str
    includes: str
    cycles: int | None
    us: float
    per_second: float

    @classmethod
    def of(cls, core: Core, what: str, includes: str, us: float, cycles: int | None = None) -> Self:
        """One run after the other."""
        return cls(core.RUN, what, includes, cycles, us, 1e6 / us)

    @classmethod
    def of_core(cls, core: Core, what: str, includes: str, mhz: float, cycles: int) -> Self:
        """As many runs at once as the core computes."""
        if core.at_once > 1:
            includes += f"; {core.at_once} {core.RUN}s at once"
        one = cls.of(core, what, includes, cycles / mhz, cycles)
        return replace(one, per_second=core.at_once * one.per_second)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def preloaded(config: Core) -> str:
    """What the cycles of a simulated core include, as text."""
    text = "from start to the last output beat, with as many operands preloaded as fit"
    if getattr(config, "by_value", False):
        text += ", including encoding of the values"
    return text


def core_scope(config: Core) -> str:
    """What the cycle formula of a core includes, as text."""
    text = preloaded(config)
    if config.CYCLES_FOLLOW_DATA:
        text += "; worst case, because the core skips zeros"
    return text


def rates(config: Core, mhz: float, baud: int | None = None) -> list[Rate]:
    """`Rate`s of a core at `mhz`: core only and, if it has a host link, with the serial line."""
    cycles = config.cycles()
    result = [Rate.of_core(config, "core", core_scope(config), mhz, cycles)]
    examples = [config.cycles(**operands) for operands in config.examples()]
    if examples:
        cycles = round(sum(examples) / len(examples))
        scope = f"{preloaded(config)}; mean of {len(examples)} random {config.RUN}s"
        worst = replace(result[0], what="core, worst case")
        result = [Rate.of_core(config, "core", scope, mhz, cycles), worst]
    if baud is not None:
        load = LineLoad.of(config, baud)
        includes = "operands to the board, the core, output back"
        us = with_line(config, load, cycles / mhz)
        if config.AHEAD:
            includes += ", operands while the core computes the run before"
        includes += f": {load.bytes:,} bytes at {baud:,} baud, without the latency of a USB adapter"
        result.append(Rate.of(config, "with the line", includes, us))
    return result


def with_line(config: Core, load: LineLoad, us: float) -> float:
    """Microseconds of a run with its `load` on the line, if the core takes `us`."""
    return load.us + us - (min(load.ahead_us, us) if config.AHEAD else 0)


def waiting(config: Core) -> str:
    """What the cycles counted on a board include, as text."""
    text = "from start to the last output beat, including waits for the line"
    if getattr(config, "by_value", False):
        text += " and encoding of the values"
    return text


def rate_text(rate: Rate | Mapping[str, Any]) -> str:
    """A `Rate`, or its dict from a report, as one line."""
    record = rate.as_dict() if isinstance(rate, Rate) else rate
    cycles = f"{record['cycles']:,} cycles, " if record["cycles"] else ""
    return (
        f"{cycles}{microseconds(record['us'])}, {number(record['per_second'])} {record['run']}s/s "
        f"({record['includes']})"
    )


def microseconds(us: float) -> str:
    """A time in us, or in ms from 10 ms on, with its unit."""
    return f"{us / 1e3:,.1f} ms" if us >= 1e4 else f"{us:.1f} us"


def number(rate: float) -> str:
    """A rate, with one decimal if it is below 100."""
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}"
