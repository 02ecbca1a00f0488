"""The table of docs/proofs.md names properties and methods of this revision."""

import importlib
import pkgutil
from pathlib import Path

import pytest

import spikeloom_sim.formal
from spikeloom_sim.formal.harness import Harness

from .. import proofs

PAGE = Path(__file__).parents[2] / "docs" / "proofs.md"


def harnesses():
    """Every class of properties."""
    for module in pkgutil.iter_modules(spikeloom_sim.formal.__path__):
        importlib.import_module(f"{spikeloom_sim.formal.__name__}.{module.name}")
    classes = Harness.__subclasses__()
    for kind in classes:
        classes.extend(kind.__subclasses__())
    ours = {kind for kind in classes if kind.__module__.startswith(spikeloom_sim.formal.__name__)}
    return sorted(ours, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("harness", harnesses(), ids=lambda kind: kind.__name__)
def test_property_is_in_the_table(harness):
    """As `pytest --proofs=FILE` writes it."""
    assert f"\n| {proofs.sentence(harness)} | `" in PAGE.read_text()


def test_rows_are_of_properties_and_methods():
    known = {proofs.sentence(harness) for harness in harnesses()}
    rows = [line.split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    for sentence, _, method, *_ in rows[1:]:
        assert sentence.removeprefix("| ") in known
        assert method in proofs.METHODS.values()
