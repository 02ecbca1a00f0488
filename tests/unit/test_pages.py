"""Files, modules, attributes and headings named in the documentation exist."""

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from spikeloom.backend import ENTRY_POINTS as BACKENDS
from spikeloom.contract import Core
from spikeloom.cores import ENTRY_POINTS as CORES
from tests.pages import DOCS, files_of

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("constraints/*.md")])
FOLDERS = "hdl|sim|boards|cli|tests|docs|examples|constraints"


def each_page(function):
    return pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)(function)


def headings(page):
    """The anchors of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def attribute(name):
    """The object with a dotted name, or None."""
    first, *rest = name.split(".")
    found = import_module(first)
    for n, part in enumerate(rest, 1):
        if not hasattr(found, part):
            try:
                import_module(".".join([first, *rest[:n]]))
            except ImportError:  # without PyTorch: it is there at least
                return find_spec(".".join([first, *rest[:n]]))
        found = getattr(found, part)
    return found


@each_page
def test_links(page):
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([\w-]+))?\)", page.read_text()):
        if "://" not in target:
            other = page.parent / target if target else page
            assert other.exists(), target
            assert not anchor or anchor in headings(other), anchor


@each_page
def test_files(page):
    """Those that a page adds aside, such as the core of `add-a-core.md`."""
    text = page.read_text()
    named = re.findall(rf"`((?:{FOLDERS})/[\w./*-]*)`", text)
    named += re.findall(rf"(?:python|pytest)[^`\n]* ((?:{FOLDERS})/\S+\.py)", text)
    added = files_of(page)
    for path in named:
        assert path in added or list(ROOT.glob(path.replace("NAME", "ssa").rstrip("/"))), path


@each_page
def test_names(page):
    names = re.findall(r"(?<![/\w.-])(spikeloom(?:_\w+)?(?:\.\w+)+)", page.read_text())
    for name in {*names} - {BACKENDS, CORES}:
        assert attribute(name) is not None, name


def test_members_of_a_core():
    """Those in the tables exist, and every class member is listed."""
    text = (DOCS / "architecture.md").read_text().partition("| object |")[0]
    text += (DOCS / "add-a-core.md").read_text()
    cells = " ".join(re.findall(r"^\| (`.+?) \|", text, re.M))
    members = set(re.findall(r"`(\w+)", cells))
    assert len(members) > 20
    assert not [name for name in members if not hasattr(Core, name)]
    constants = {name for name in vars(Core) if name.isupper()}
    named = set(re.findall(r"\b[A-Z_]{3,}\b", text))
    assert not constants - named
