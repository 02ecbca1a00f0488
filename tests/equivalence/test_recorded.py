"""Streams, outputs and cycles of every regression configuration equal the recorded ones.

Users rely on a core's bits, seeds and cycles; this test detects any change.
``python -m tests.equivalence.test_recorded`` records them again, for new configurations.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from spikeloom.cores import all_cores

RECORD = Path(__file__).parent / "data" / "recorded.json"


def fingerprint(core):
    """SHA-256 of the bytes on all streams in a few runs, and the cycles of each."""
    digest, cycles = hashlib.sha256(), []
    for seed, density in ((1, 0.5), (2**64 - 1, 0.2), (3, 2), (4, -1)):
        seeded = core.with_seed(seed)
        rng = np.random.default_rng(seed)
        ports = seeded.inputs
        operands = {name: port.random(rng, density) for name, port in ports.items()}
        results = seeded.compute(**operands)
        for name, port in (seeded.inputs | seeded.outputs).items():
            digest.update(port.to_bytes((operands | results)[name]))
        cycles.append(seeded.cycles(**operands))
    return {"streams": digest.hexdigest(), "cycles": cycles}


def configurations():
    return [
        (f"{name}: {case}", core.from_settings(settings))
        for name, core in all_cores().items()
        for case, settings in core.CASES.items()
    ]


RECORDED = json.loads(RECORD.read_text()) if RECORD.exists() else {}


@pytest.mark.parametrize(("name", "core"), configurations(), ids=lambda value: str(value)[:60])
def test_as_recorded(name, core):
    assert fingerprint(core) == RECORDED[name]


def test_every_recorded_configuration_exists():
    assert RECORDED.keys() == {name for name, _ in configurations()}


if __name__ == "__main__":
    recorded = {name: fingerprint(core) for name, core in configurations()}
    RECORD.write_text(json.dumps(recorded, indent=1) + "\n")
    print(f"{len(recorded)} configurations")
