"""`spikeloom report`: compare builds as text, Markdown, JSON and HTML page."""

import json

import pytest

from tests.boards.test_report import REPORT


@pytest.fixture
def builds(tmp_path):
    """Folders a and b with a report each."""
    for name, cells in (("a", 3000), ("b", 528)):
        (tmp_path / name).mkdir()
        record = REPORT | {"cells": cells}
        (tmp_path / name / "report.json").write_text(json.dumps(record))
    return ["a", "b"]


def test_table(spikeloom, builds):
    ran = spikeloom("report", *builds)
    assert ran.code == 0
    assert "3,000 (57 %)" in ran.out
    assert "528 (10 %)" in ran.out


def test_markdown(spikeloom, builds):
    lines = spikeloom("report", *builds, "--markdown").out.splitlines()
    assert len(lines) == 4
    assert lines[2] == (
        "| ssa | icebreaker | iCE40UP5K | 2,286 | 3,000 (57 %) | 28 of 30 | 36.5 MHz | 36 MHz "
        "| 20,538 | 570.5 | 1,753 | 4.5 |"
    )


def test_json_and_page(spikeloom, builds, tmp_path):
    reports = json.loads(spikeloom("report", *builds, "-o", "both.html", "--json").out)
    assert [report["cells"] for report in reports] == [3000, 528]
    assert "2 builds" in (tmp_path / "both.html").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "c holds no build"),
        ("{", "is not a report of this version"),
        ('{"core": "ssa"}', "is not a report of this version"),
    ],
)
def test_refusals(text, message, spikeloom, builds, tmp_path):
    (tmp_path / "c").mkdir()
    if text is not None:
        (tmp_path / "c" / "report.json").write_text(text)
    ran = spikeloom("report", "a", "c", "-o", "both.html")
    assert (ran.code, message in ran.err) == (2, True), ran.err
    assert not (tmp_path / "both.html").exists()


def test_page_into_no_folder(spikeloom, builds):
    ran = spikeloom("report", "a", "-o", "nowhere/page.html")
    assert (ran.code, "folder nowhere does not exist" in ran.err) == (2, True)
