"""The ends of the ranges of real-number keys: a design, or a refusal."""

from dataclasses import MISSING
from math import inf, nextafter

import pytest
from amaranth.back import rtlil

from spikeloom.cores import all_cores
from spikeloom.errors import InputError

NUMBERS = [
    (name, key)
    for name, kind in all_cores().items()
    for key, meta in kind.keys().items()
    if isinstance(meta.metadata.get("low"), float)
]


@pytest.mark.parametrize("end", ["low", "high"])
@pytest.mark.parametrize(("name", "key"), NUMBERS)
def test_ends(name, key, end):
    kind = all_cores()[name]
    least = {n: k.metadata["low"] for n, k in kind.keys().items() if k.default is MISSING}
    meta = kind.keys()[key].metadata
    value = meta[end]
    if end == "low" and meta["low_open"]:
        value = nextafter(value, inf)
    settings = least | {key: value}
    try:
        core = kind.from_settings(settings)
    except InputError:
        return
    assert core.cycles() > 0
    component = core.create()
    assert "module" in rtlil.convert(component, name="top")
