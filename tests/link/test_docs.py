"""The example in ``docs/link.md`` matches the answers of a device."""

import re
from pathlib import Path

import numpy as np

from spikeloom.cores import all_cores
from spikeloom.cores.ssa import SSA
from spikeloom_boards.driver import Device
from spikeloom_boards.driver.golden_port import GoldenPort

from .ports import RecordingPort

PAGE = Path(__file__).parents[2] / "docs" / "link.md"


def session():
    """Frames of the example, each with ">" to the device or "<" from it."""
    port = RecordingPort(GoldenPort(SSA(tokens=2, head_dim=4, steps=1)))
    q, k, v = (
        np.array([[[int(bit) for bit in reversed(token)] for token in tensor.split()]])
        for tensor in ("0101 1111", "0111 1110", "1111 1010")
    )
    with Device(port) as device:
        device.run(q, k, v, seed=1)
    return port.transcript


def test_example():
    shown = re.findall(
        r"^    (host|device)  +((?:[0-9A-F]{2}|\.\.\.)(?: \S\S\S?)*)  ", PAGE.read_text(), re.M
    )
    spoken = session()
    assert len(shown) == len(spoken)
    for (who, line), (way, data) in zip(shown, spoken, strict=True):
        assert who == {">": "host", "<": "device"}[way]
        first, _, rest = line.partition(" ... ")
        assert data.startswith(bytes.fromhex(first))
        assert data.endswith(bytes.fromhex(rest))
        assert rest or data == bytes.fromhex(first)


def test_flags():
    """Every flag of every core is in the table, with its bits and bytes."""
    text = PAGE.read_text()
    for name, core in all_cores().items():
        for flag, spec in core.from_settings(next(iter(core.CASES.values()))).flags.items():
            cores = "all" if flag == "misframed" else f"`{name}`"
            assert f"| `{flag}` | {spec.bits} | {-(-spec.bits // 8)} | {cores} |" in text
