"""Output of the command line: help, tables in narrow terminals, completion, entry points."""

import re
import subprocess
import sys

import pytest

from spikeloom import __version__
from spikeloom.cores.ssa import SSA
from spikeloom_cli.main import COMMANDS, main
from spikeloom_cli.tables import print_pairs, print_table

LONG = "a cell whose text is far longer than any terminal of eighty columns will ever have room for"
COLUMNS = ("name", "first", "second", "third")
ROWS = [("one", LONG, "12,345", "x"), ("two", LONG, LONG, "y")]


def test_without_a_command_it_prints_its_help(spikeloom):
    ran = spikeloom()
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == spikeloom("--help").out
    assert len(ran.out.splitlines()) > 15


def test_help_is_whole(spikeloom):
    """The list of commands has the first sentence of each, not truncated."""
    text = " ".join(spikeloom("--help").out.split())
    for name, function in COMMANDS.items():
        assert f" {name} {function.__doc__.splitlines()[0]} " in text + " "


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained(spikeloom, command):
    ran = spikeloom(command, "--help")
    assert ran.code == 0
    assert "…" not in ran.out
    lines = ran.out.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("  -"):
            described = len(line[2:].split("  ", 1)) == 2 or following.startswith("     ")
            assert described, line


@pytest.mark.parametrize("module", ["spikeloom", "spikeloom_cli"])
def test_as_a_module(module):
    command = [sys.executable, "-m", module, "--version"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"{__version__}\n")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("spikeloom gen", ["generate"]),
        ("spikeloom run sp", ["spiked", "spiking_neurons"]),
        ("spikeloom build ssa --board ulx3s-8", ["ulx3s-85f"]),
        ("spikeloom run ssa --backend n", ["netlist"]),
        ("spikeloom regress --sim v", ["verilator"]),
        ("spikeloom run ssa --set cel", ["cells="]),
        ("spikeloom run ssa --set engine=s", ["engine=sampled"]),
        ("spikeloom run spiked --set cel", []),
    ],
)
def test_completion(spikeloom, monkeypatch, capsys, line, offered):
    """Completions of bash for the last word of a command line."""
    monkeypatch.setenv("_SPIKELOOM_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    with pytest.raises(SystemExit, match=r"^0$"):
        spikeloom()
    assert capsys.readouterr().out.split() == offered


@pytest.fixture
def terminal(monkeypatch, capsys):
    """``terminal(80)``: print into a terminal of so many columns; call the result for the text."""

    def open_terminal(width):
        for name, value in (("FORCE_COLOR", "1"), ("NO_COLOR", "1"), ("COLUMNS", str(width))):
            monkeypatch.setenv(name, value)
        return lambda: re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)

    return open_terminal


@pytest.mark.parametrize("width", [200, 80, 40, 12])
def test_nothing_is_cut_in_a_terminal(width, terminal):
    """No character is lost: cells wrap, or are printed on separate lines."""
    text = terminal(width)
    print_table(COLUMNS, ROWS)
    print_pairs([row[:2] for row in ROWS])
    shown = text()
    letters = "".join(shown.split())
    assert "…" not in shown
    for text in ("12,345", "one", "two", *COLUMNS):
        assert text in letters
    # Words of wrapped cells lie among those of their neighbours: count them all.
    for word in set(LONG.split()) - {"a", "is", "of", "any"}:
        assert letters.count(word) >= 5, word
    if width >= 40:
        assert max(map(len, shown.splitlines())) <= width


def test_piped_tables_are_as_wide_as_they_need(capsys):
    print_table(COLUMNS, ROWS)
    print_table(COLUMNS, [])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(ROWS) + 1
    assert lines[2].count(LONG) == 2


def test_markup_in_a_cell_is_text(capsys):
    print_pairs([("a [bold]name[/bold]", "[0]")])
    assert "a [bold]name[/bold]" in capsys.readouterr().out


def test_list_in_a_terminal_of_80_columns(terminal):
    text = terminal(80)
    assert main(["list"]) == 0
    shown = text()
    assert max(map(len, shown.splitlines())) <= 80
    assert "icebreaker" in shown.split()
    letters = "".join(shown.split())
    for key in list(SSA.keys()):
        assert key in letters
