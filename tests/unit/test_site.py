"""The documentation as a site: its generated reference, and a build without warnings or network."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from spikeloom.cores import all_cores
from spikeloom_cli.main import COMMANDS
from tests.pages import DOCS, ROOT, pages

pytest.importorskip("mkdocs")
sys.path.insert(0, str(DOCS / "hooks"))
import links
import reference


@pytest.mark.parametrize("name", all_cores())
def test_reference_of_a_core(name):
    """Keys, streams, flags and cycles of the core."""
    core = all_cores()[name]
    text = reference.core_section(name)
    for key, field in core.keys().items():
        assert f"| `{key}` |" in text
        assert field.metadata["help"].replace("|", "\\|") in text
    one = core.from_settings(next(iter(core.CASES.values())))
    for stream in one.inputs | one.outputs:
        assert f"| `{stream}` |" in text
    assert all(f"| `{flag}` |" in text for flag in one.flags)
    assert f"{one.cycles():,}" in text


def test_reference_of_the_commands():
    text = reference.commands()
    for name, function in COMMANDS.items():
        assert f"## `spikeloom {name}`" in text
        assert function.__doc__.split(".")[0].splitlines()[0] in text
    assert "--backend" in text


def test_links_of_the_repository_lead_to_pages():
    assert links.place("README.md") == "index.md"
    assert links.place("docs/ssa.md") == "ssa.md"
    assert links.place("hdl/spikeloom/port.py") == "source/hdl/spikeloom/port.py.md"
    assert links.targets("docs/tutorial/1-spikes.md", "[a](../../README.md#start) [b](#c)") == {
        "../../README.md": "README.md"
    }


class Fetched(HTMLParser):
    """Addresses that a browser fetches with a page."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag in ("script", "img", "iframe", "source"):
            self.found.append(attrs.get("src") or "")
        if tag == "link" and attrs.get("rel") in ("stylesheet", "icon", "preload"):
            self.found.append(attrs["href"])


@pytest.mark.long
def test_the_site_builds_without_warnings_and_network(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    built = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.html")}
    for page in pages():
        place = links.place(page)
        assert place.startswith("source/") or place.replace(".md", ".html") in built, page
    assert {f"reference/{core}.html" for core in ("ssa", "spiked", "a2os2a")} <= built
    for path in tmp_path.rglob("*.html"):
        fetched = Fetched(path.read_text()).found
        assert not [one for one in fetched if re.match(r"(?!data:)\w+:|//", one)]
    for path in tmp_path.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import) *[\"']?(?:https?:)?//", path.read_text())
