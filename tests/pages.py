"""Files contained in documentation pages, for tests that follow them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def files_of(page):
    """Text of each block of a page that is introduced by a file name, by name."""
    blocks = r"^`(\S+)`:\n\n```\w+\n(.*?)^```$"
    return dict(re.findall(blocks, (ROOT / page).read_text(encoding="utf-8"), re.M | re.S))
