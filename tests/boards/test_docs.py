"""docs/boards.md agrees with the board data; counts on all pages are correct."""

import re
from pathlib import Path

import pytest

from spikeloom.cores import all_cores
from spikeloom.cores.ssa import SSA
from spikeloom.link.protocol import DEFAULT_BAUD
from spikeloom.stream_unit import StreamUnit
from spikeloom_boards.boards import BOARDS
from spikeloom_boards.constraints import constraints_text
from spikeloom_boards.driver.line import LineLoad
from spikeloom_boards.presets import core_clock, preset_config
from spikeloom_boards.rates import number, rates
from spikeloom_boards.usb import udev_rule
from spikeloom_cli.main import COMMANDS
from tests.equivalence.test_mutants import COUNT as MUTANTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "boards.md").read_text()


def board_row(board):
    """The board's row in the page's first table."""
    ways = " or ".join(f"`{' '.join((one.tool, *one.arguments))}`" for one in board.programmers)
    into = ", ".join(dict.fromkeys(one.into for one in board.programmers))
    return f"| `{board.id}` | {board.title} | {board.device.name} | {ways} | {into} |"


def serial_row(board):
    """The board's row in the table of serial ports; pins are those of the constraints."""
    lines = constraints_text(board).replace('"', "").replace(";", "").splitlines()
    words = " ".join(line for line in lines if not line.startswith("#"))
    rx, tx = (
        re.search(rf"\b{port} (?:SITE |Loc = )?(\w+)", words)[1] for port in ("uart_rx", "uart_tx")
    )
    notes = " ".join(filter(None, (board.before_flash, board.notes))) or "-"
    return f"| `{board.id}` | {rx} | {tx} | {board.uart.note} | {notes} |"


@pytest.mark.parametrize("board", BOARDS)
def test_rows(board):
    assert board_row(BOARDS[board]) in PAGE
    assert serial_row(BOARDS[board]) in PAGE


def test_udev_rules():
    devices = {one.usb for board in BOARDS.values() for one in board.programmers}
    for usb in devices:
        assert udev_rule(usb) in PAGE


# Every count in the documentation: page and noun to the actual number. A count that is not listed
# here fails `test_no_count_is_left_out`.
COUNTS = {
    ("CONTRIBUTING.md", "mutants"): MUTANTS,
    ("docs/mutants.md", "mutants"): MUTANTS,
    ("CHANGELOG.md", "boards"): len(BOARDS),
    ("docs/boards.md", "boards"): len(BOARDS),
    ("docs/ssa.md", "configurations"): len(all_cores()["ssa"].CASES),
    ("docs/spiked.md", "configurations"): len(all_cores()["spiked"].CASES),
}
TEENS = "thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"
WORDS = f"zero one two three four five six seven eight nine ten eleven twelve {TEENS}".split()
WORDS = {word: number for number, word in enumerate(WORDS)} | {"both": 2, "sixty": 60}
NOUNS = "boards|mutants|configurations|cores|demos|backends|simulators|presets|faults"
NUMBER = "|".join([r"\d[\d,]*", *WORDS])
BETWEEN = r"(?: (?!of\b|a\b)[\w-]+){0,3}?"
COUNT = re.compile(rf"(?<![\w.])({NUMBER}){BETWEEN} ({NOUNS})\b", re.I)

PAGES = [
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "constraints/*.md")
    for path in sorted(ROOT.glob(pattern))
]


def counts(page):
    """(amount, noun) of every count on a page."""
    text = " ".join((ROOT / page).read_text().split())
    for amount, noun in COUNT.findall(text):
        digits = amount.replace(",", "")
        yield int(digits) if digits.isdigit() else WORDS[amount.lower()], noun.lower()


@pytest.mark.parametrize("page", PAGES)
def test_no_count_is_left_out(page):
    for amount, noun in counts(page):
        assert (page, noun) in COUNTS, f"{page}: {amount} {noun}"
        assert amount == COUNTS[page, noun], f"{page}: {noun}"


@pytest.mark.parametrize(("page", "noun"), COUNTS)
def test_every_count_is_found(page, noun):
    assert noun in {found for _, found in counts(page)}


def test_where_a_core_is_found():
    """The table of CONTRIBUTING.md, for every core."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| (.*NAME.*) \|$", text, re.M)
    assert len(rows) == 5
    for what, places in rows:
        for name, core in all_cores().items():
            if issubclass(core, StreamUnit) and what not in ("keys, streams, cycles",):
                continue  # units share tests and pages
            page = "a2os2a" if name == "a2os2a_block" and what == "page" else name
            found = [
                path
                for place in re.findall(r"`(\S+)`", places)
                for path in ROOT.glob(place.replace("NAME", page))
            ]
            assert found, (name, what)


def test_help_counts_nothing():
    """Help texts contain no counts, which would become outdated."""
    for function in COMMANDS.values():
        assert not COUNT.search(" ".join(function.__doc__.split()))


def test_rates_of_the_boards():
    """Cycles, time and attentions per second in the table of boards agree with the formulas."""
    rows = re.findall(r"^\| ssa \| ([\w.-]+) \| .*\|$", PAGE, re.M)
    assert set(rows) == set(BOARDS)
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if cells[0] != "ssa" or cells[1] not in BOARDS:
            continue
        board = BOARDS[cells[1]]
        mhz = core_clock("ssa", board) / 1e6
        baud = DEFAULT_BAUD if board.top == "link" else None
        core, *line = rates(preset_config("ssa", board), mhz, baud)
        figures = f"{mhz:g} MHz", f"{core.cycles:,}", f"{core.us:.1f}", number(core.per_second)
        assert cells[-5:] == [*figures, number(line[0].per_second) if line else "no line"]


@pytest.mark.parametrize("inputs", ["spikes", "values"])
def test_cycles_and_bytes_of_one_attention(inputs):
    """The figures in docs/numbers.md and docs/link.md."""
    shape = {"tokens": 64, "head_dim": 64, "steps": 10, "inputs": inputs}
    cycles = [
        f"{SSA.from_settings(shape | {'engine': engine}).cycles():,}"
        for engine in ("sampled", "counter")
    ]
    load = LineLoad.of(SSA.from_settings(shape), DEFAULT_BAUD)
    numbers = (ROOT / "docs/numbers.md").read_text()
    assert f"| {' | '.join(cycles)} |" in numbers
    assert f"{load.bytes:,} " in numbers
    row = f"| {load.bytes:,} | {load.us / 1e6:.3f} s | {1e6 / load.us:.1f} |"
    assert row in (ROOT / "docs/link.md").read_text()


def test_the_readme_is_a_screen_and_its_numbers_are_those_of_the_tables():
    """Every figure of its table is in a row of the documentation, with the same cycles."""
    readme = (ROOT / "README.md").read_text()
    assert len(re.sub(r"<!--.*?-->\n+", "", readme).splitlines()) <= 60
    tables = [(ROOT / f"docs/{page}.md").read_text() for page in ("numbers", "networks")]
    rows = [row_of(line) for table in tables for line in table.splitlines()]
    shown = [row_of(line) for line in readme.partition("## Numbers")[2].splitlines()]
    shown = [cells[3:] for cells in shown if len(cells) == 7 and cells[4].isdigit()]
    assert len(shown) == 8
    for lut, cycles, mhz, time in shown:
        figures = {cycles, mhz, time.removesuffix(" us").removesuffix(" images/s")}
        assert any(figures <= {*cells} for cells in rows), cycles
        assert not lut or any(lut in cells for cells in rows), lut


def test_the_numbers_of_the_tutorial_are_those_of_the_tables():
    """Its table of cores with and without spikes: cycles, time and energy of one row."""
    rows = [row_of(line) for line in (ROOT / "docs/numbers.md").read_text().splitlines()]
    page = (ROOT / "docs/tutorial/4-bitstream.md").read_text().partition("## Do spikes pay?")[2]
    shown = [row_of(line) for line in page.splitlines() if line.startswith(("| `", "| the"))]
    assert len(shown) == 5
    for _, lut, dsp, *figures in shown:
        assert any({dsp, *filter(None, figures)} <= {*cells} for cells in rows), figures
        assert not lut or any({lut, dsp} <= {*cells} for cells in rows), lut


def row_of(line):
    """The cells of a row of a table, without thousands separators and the number of seeds."""
    cells = line.strip("| ").split("|")
    return [re.sub(r",(?=\d)| \(.* seeds?\)", "", cell).strip() for cell in cells]
