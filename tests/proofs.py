"""The table of proofs: what each test of tests/formal proved, how, and in how many seconds."""

from pathlib import Path

METHODS = {"prove": "k-induction", "bmc": "bounded", "always": "PDR"}
HEAD = "| property | of | method | cycles | seconds |\n|---|---|---|---|---|\n"


def sentence(harness):
    """What a class of properties proves: the first paragraph of its docstring."""
    return " ".join(harness.__doc__.split("\n\n")[0].split())


def row(harness, name, mode, cycles, seconds):
    """A row of the table."""
    what = sentence(type(harness))
    return f"| {what} | `{name}` | {METHODS[mode]} | {cycles} | {seconds:.0f} |"


class Proofs:
    """Writes the rows that tests have recorded to the file `path`."""

    def __init__(self, path):
        self._path = Path(path)
        self._rows = set()

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.passed:
            self._rows |= {value for name, value in report.user_properties if name == "proof"}

    def pytest_sessionfinish(self):
        self._path.write_text(HEAD + "".join(f"{row}\n" for row in sorted(self._rows)))
