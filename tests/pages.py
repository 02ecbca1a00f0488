"""The documentation's pages: their blocks of code, and files that they contain, for tests."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PROGRAMS = (
    r"cat|cd|fusesoc|git|iverilog|mkdocs|obj_dir/|pip|pytest|python|ruff|spikeloom|sudo|verilator|"
    r"vvp|yosys"
)
COMMAND = re.compile(rf"^(?:{PROGRAMS})[\w -]", re.M)
MARK = re.compile(r"<!-- ((?:not run|run by|checked by)\b.*?) -->")


def pages():
    """Paths in the repository of all pages."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("constraints/*.md"), *DOCS.rglob("*.md")]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def files_of(page):
    """Text of each block of a page that is introduced by a file name, by name."""
    blocks = r"^`(\S+)`:\n\n```\w+\n(.*?)^```$"
    return dict(re.findall(blocks, (ROOT / page).read_text(encoding="utf-8"), re.M | re.S))


@dataclass(frozen=True)
class Block:
    """A block of code of a page: its language ("" if it is indented), text, line, and the mark in
    a comment before it."""

    kind: str
    text: str
    line: int
    mark: str

    @property
    def has_commands(self):
        """Whether it is a shell script."""
        return self.kind == "sh" or (not self.kind and bool(COMMAND.search(self.text)))


def blocks_of(page):
    """Every block of code of a page, in order."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    found, mark, n = [], "", 0
    while n < len(lines):
        line, begin = lines[n], n
        if fence := re.match(r"```(\w+)$", line):
            n = lines.index("```", n)
            text = "".join(f"{one}\n" for one in lines[begin + 1 : n])
            found.append(Block(fence[1], text, begin + 1, mark))
        elif line.startswith("    ") and not lines[n - 1].strip():
            while n + 1 < len(lines) and (lines[n + 1].startswith("    ") or not lines[n + 1]):
                n += 1
            text = "".join(f"{one[4:]}\n" for one in lines[begin : n + 1])
            found.append(Block("", text.rstrip() + "\n", begin + 1, mark))
        n += 1
        if seen := MARK.match(line):
            mark = seen[1]
        elif line.strip():
            mark = ""
    return found
