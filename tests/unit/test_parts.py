"""The parts of the slow tests."""

import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tests.pages import ROOT
from tests.parts import PARTS, Passed, part_of


def test_contributing_lists_every_part():
    _, after = (ROOT / "CONTRIBUTING.md").read_text().split("### Slow tests")
    assert re.findall(r"^\| `(\w+)` \|", after.split("\n## ")[0], re.M) == list(PARTS)


def test_every_part_has_tests_where_it_says():
    for names in PARTS.values():
        for name in names:
            path, _, function = name.partition("::")
            assert (ROOT / path).exists()
            assert not function or f"def {function}" in (ROOT / path).read_text()


def test_the_first_part_that_fits():
    assert part_of("tests/boards/test_boards.py::test_preset_builds_and_more[x]") == "placements"
    assert part_of("tests/boards/test_boards.py::test_small_build") == "boards"
    with pytest.raises(pytest.UsageError, match=r"in no part of tests/parts\.py"):
        part_of("tests/test_new.py::test")


def test_passed_tests_are_noted(tmp_path):
    passed = Passed(tmp_path / "done")
    assert passed.names() == set()
    for when, outcome in (("setup", True), ("call", True), ("call", False)):
        name = f"{when} {outcome}"
        passed.pytest_runtest_logreport(SimpleNamespace(when=when, passed=outcome, nodeid=name))
    assert Passed(tmp_path / "done").names() == {"call True"}


def test_a_part_goes_on(tmp_path):
    """`--done=FILE` as CONTRIBUTING has it: no other argument says where tests are."""
    folders = [f"--ignore={one}" for one in (ROOT / "tests").iterdir() if one.name != "formal"]
    command = [sys.executable, "-m", "pytest", "-m", "slow and proofs", "--collect-only", "-q"]
    command += ["-p", "no:cacheprovider", f"--done={tmp_path / 'done'}", *folders]

    def collected():
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return re.findall("^tests/.*::.*$", run.stdout, re.M)

    names = collected()
    assert len(names) > 3
    (tmp_path / "done").write_text("\n".join(names[1:]))
    assert collected() == names[:1]
