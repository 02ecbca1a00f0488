"""Every program in the documentation runs and prints the output on its page."""

import re
from pathlib import Path

import pytest

from tests.pages import DOCS, files_of

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
PAGES = ["README.md", *(f"docs/{page.name}" for page in sorted(DOCS.glob("*.md")))]


def programs(page):
    """(kind, text) of the blocks of Python that are no file, and of the blocks of text."""
    files = files_of(page).values()
    blocks = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    return [block for block in blocks if block[0] in ("python", "text") and block[1] not in files]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=pytest.mark.torch if page.endswith("training.md") else ())
        for page in PAGES
        if programs(page)
    ],
)
def test_programs(page, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, printed = {}, ""
    for kind, text in programs(page):
        if kind == "python":
            exec(compile(text, page, "exec"), names)
            printed = capsys.readouterr().out
        else:
            assert printed == text
    assert not list(tmp_path.iterdir())


def test_programs_print_what_they_should():
    """On the page about Python, all of them."""
    kinds = [kind for kind, _ in programs("docs/python.md")]
    assert kinds == ["python", "text"] * (len(kinds) // 2) != []
