"""Named parts of the slow tests, and a file of those that have passed."""

from pathlib import Path

import pytest

# Marker of each part to the tests in it: beginnings of their names. The first that fits counts.
PARTS = {
    "placements": ["tests/boards/test_boards.py::test_preset_builds"],
    "boards": ["tests/boards/", "tests/networks/test_board.py", "tests/link/test_size.py"],
    "synthesis": ["tests/cli/test_tools.py"],
    "commands": ["tests/cli/"],
    "mutants": ["tests/equivalence/test_mutants.py"],
    "coverage": ["tests/equivalence/test_coverage.py"],
    "suites": ["tests/equivalence/"],
    "proofs": ["tests/formal/"],
    "soak": ["tests/link/test_soak.py"],
    "networks": ["tests/networks/"],
    "drawn": ["tests/random/"],
    "units": ["tests/unit/", "tests/shell/", "tests/link/", "tests/models/"],
}


def register(config):
    """Make the names of the parts known as markers."""
    for part, names in PARTS.items():
        config.addinivalue_line("markers", f"{part}: the slow tests of {', '.join(names)}")


def mark(items):
    """Give each slow test the marker of its part."""
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(part_of(item.nodeid))


def part_of(name):
    """The part of a slow test."""
    for part, beginnings in PARTS.items():
        if name.startswith(tuple(beginnings)):
            return part
    raise pytest.UsageError(f"{name} is slow, but in no part of tests/parts.py; add it to one")


class Passed:
    """Names of passed tests, one a line of the file `path`; later sessions leave them out."""

    def __init__(self, path):
        self._path = Path(path)

    def names(self):
        return set(self._path.read_text().splitlines()) if self._path.exists() else set()

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.passed:
            with self._path.open("a") as file:
                file.write(report.nodeid + "\n")
