"""Every block of code in the documentation is run, and prints the output on its page."""

import doctest
import re
import shlex
import subprocess
import sys

import pytest
import typer.main

from spikeloom.errors import InputError
from spikeloom_cli.main import app, main
from tests.pages import ROOT, blocks_of, files_of, pages

CODE = ("python", "sh")
REASONS = ("needs a board", "needs PyTorch", "needs PyTorch and data", "an overview", "takes ")
LONG = (
    "docs/python.md",
    "docs/spikformer-on-a-board.md",
    "docs/tutorial/1-spikes.md",
    "docs/tutorial/3-simulator.md",
    "docs/tutorial/4-bitstream.md",
)
COMMANDS = typer.main.get_command(app).commands


def programs(page):
    """The blocks of a page that run, in order, and the blocks of text with their output."""
    files = files_of(page).values()
    blocks = [block for block in blocks_of(page) if block.text not in files and not block.mark]
    return [block for block in blocks if block.kind in (*CODE, "text")]


def marks(page):
    if page == "docs/training.md":
        return pytest.mark.torch
    return pytest.mark.long if page in LONG else ()


def same(shown, printed):
    """Whether the output on a page is what was printed, up to dots and line breaks."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.OutputChecker().check_output(shown, printed, flags)


def run_commands(text):
    """Run the lines of a shell script of this project's commands and examples."""
    for line in text.replace("\\\n", "").splitlines():
        first, *rest = shlex.split(line, comments=True)
        if first == "spikeloom":
            assert main(rest) == 0, line
        else:
            assert first == "python"
            command = [sys.executable, ROOT / rest[0], *rest[1:]]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            print(done.stdout, end="")


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=marks(page)) for page in pages() if programs(page)]
)
def test_programs(page, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, printed = {}, ""
    for block in programs(page):
        if block.kind == "text":
            assert same(block.text, printed), f"{page}:{block.line}:\n{printed}"
            continue
        if block.kind == "python":
            exec(compile(block.text, page, "exec"), names)
        else:
            run_commands(block.text)
        printed = capsys.readouterr().out


@pytest.mark.parametrize("page", pages())
def test_a_block_that_is_not_run_says_why(page):
    files = files_of(page).values()
    for block in blocks_of(page):
        where = f"{page}:{block.line}"
        if block.mark.startswith("not run: "):
            assert block.mark.removeprefix("not run: ").startswith(REASONS), where
        elif block.mark:
            path, _, name = block.mark.partition(" by ")[2].partition("::")
            assert f"def {name}" in (ROOT / path).read_text(), where
        elif block.text not in files:
            assert block.kind in (*CODE, "text") or not block.has_commands, where
            assert block.kind in (*CODE, "text", ""), where


def command_lines():
    """(place, words) of each command of Spikeloom on all pages."""
    for page in pages():
        for block in blocks_of(page):
            for n, line in enumerate(block.text.replace("\\\n", " ").splitlines()):
                if line.startswith("spikeloom ") and block.has_commands:
                    words = re.split(r"  +(?!-)", line)[0]  # without the remark in a second column
                    yield f"{page}:{block.line + n}", shlex.split(words, comments=True)[1:]


def test_commands_exist():
    """Every command on every page, with its options."""
    checked = 0
    for where, (name, *words) in command_lines():
        if name.startswith("-"):
            continue
        assert name in COMMANDS or name.isupper(), where
        known = {one for param in COMMANDS[name].params for one in param.opts} | {"--help"}
        asked = {word for word in words if re.match(r"--?[a-z]", word)}
        assert asked <= known, f"{where}: {asked - known}"
        checked += 1
    assert checked > 60


def test_the_documentation_about_python_shows_all_outputs():
    kinds = [block.kind for block in programs("docs/python.md")]
    assert kinds == ["python", "text"] * (len(kinds) // 2) != []


def test_keys_of_which_core():
    """Every core with keys in the tables is a configuration."""
    from spikeloom.cores import find_core

    text = (ROOT / "docs/which-core.md").read_text()
    found = set(re.findall(r"`(\w+)((?: --set \w+=[\w.]+)+)`", text))
    assert len(found) >= 5
    for name, keys in found:
        settings = dict(one.split("=") for one in keys.replace("--set", "").split())
        needed = {"tokens": "49", "head_dim": "32"}
        try:
            find_core(name).from_settings(needed | settings)
        except InputError as error:
            pytest.fail(str(error))
