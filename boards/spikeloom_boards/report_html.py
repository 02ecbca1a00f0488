"""Self-contained web pages: reports, and the renderer of all templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from spikeloom.cores import find_core
from spikeloom.counted import counted

from .boards import BOARDS
from .comparison import per_second
from .floorplan import floorplan, floorplan_svg
from .rates import microseconds, number
from .report import notes, utilisation

if TYPE_CHECKING:
    from spikeloom.contract import Core


def breakable(name: str) -> Markup:
    """A dotted name with line breaks allowed after each dot, slash and underscore."""
    return Markup(re.sub(r"(?<=[./_])(?=\w)", "<wbr>", str(escape(name))))


_PAGES = Environment(
    loader=PackageLoader("spikeloom_boards"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.globals |= {
    "breakable": breakable,
    "counted": counted,
    "microseconds": microseconds,
    "number": number,
    "per_second": per_second,
}


def render(template: str, **values: Any) -> str:
    """A page from a template, one file that needs no network."""
    return _PAGES.get_template(template).render(**values)


def build_page(
    report: Mapping[str, Any],
    placement: Iterable[tuple[int, int, str, str]] = (),
    *,
    core: Core | None = None,
) -> str:
    """The page of one build. `report` is `Report.as_dict()`, `placement` the cells with their
    locations (see `floorplan.read_placement`), `core` what was built; without it, it is found by
    its name."""
    parts = floorplan(placement)
    from .datapaths import datapath_svg

    core = core or find_core(report["core"]).from_settings(report["config"])
    delays = [hop["logic"] + hop["routing"] for hop in report["path"]]
    board = BOARDS.get(report["board"])
    return render(
        "build.html",
        report=report,
        title=board.title if board else report["board"],
        summary=core.describe(),
        bars=utilisation(report),
        delay=sum(delays),
        longest=max(delays, default=0),
        parts=parts,
        floorplan=floorplan_svg(parts, from_top=bool(board and board.family.ROWS_FROM_TOP)),
        datapath=_inline(datapath_svg(core)),
        energy=_shares(report["energy"]["designs"]),
        notes=notes(report),
    )


def comparison_page(reports: Sequence[Mapping[str, Any]]) -> str:
    """The page that compares several builds."""
    return render(
        "comparison.html",
        reports=reports,
        bars=[utilisation(report) for report in reports],
        fastest=max(max(report["fmax_mhz"], report["target_mhz"]) for report in reports),
        keys=_differing_keys(reports),
    )


def explore_page(
    core: str, records: Sequence[Mapping[str, Any]], refused: Sequence[Any], picture: str
) -> str:
    """The page of a design space; `records` have a `front`, `picture` is an SVG element."""
    return render(
        "explore.html",
        core=core,
        points=sorted(records, key=lambda one: (not one["front"], one["lut"])),
        on_front=sum(one["front"] for one in records),
        accurate=any(one.get("accuracy") is not None for one in records),
        more=[
            (what, key)
            for what, key in (("large RAM", "large_rams"), ("DSP", "dsp"))
            if any(one[key] for one in records)
        ],
        technology=records[0]["technology"],
        refused=refused,
        picture=picture,
    )


def _shares(designs):
    """(record, per cent of the largest) of the energy of each design."""
    largest = max((design["uj"] for design in designs), default=0) or 1
    return [(design, 100 * design["uj"] / largest) for design in designs]


def _differing_keys(reports):
    """Configuration keys that differ between builds, in order."""
    keys = dict.fromkeys(key for report in reports for key in report["config"])
    return [key for key in keys if len({str(report["config"].get(key)) for report in reports}) > 1]


def _inline(svg):
    """An SVG file as an element of an HTML page."""
    return svg[svg.index("<svg") :] if svg else ""
