"""Jobs on a device: a batch of heads, and the self-test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from spikeloom.backend import compare, golden_run
from spikeloom.errors import JobError
from spikeloom.footprint import check_golden, check_streams
from spikeloom.link.identity import hardware_keys
from spikeloom.link.protocol import DEFAULT_BAUD

from .device import Device
from .open_port import SIMULATED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikeloom.contract import Core

OneCore = TypeVar("OneCore", bound="Core")

# Name, density and seed of each run of the self-test.
VECTORS = (
    ("random", 0.5, 1),
    ("sparse", 0.1, 2),
    ("dense", 0.9, 2**64 - 1),
    ("all zeros", -1, 3),
    ("all ones", 2, 4),
)


@contextmanager
def open_for(
    port: str,
    core: type[Core],
    settings: Mapping[str, Any],
    tensors: Mapping[str, NDArray],
    baud: int = DEFAULT_BAUD,
) -> Iterator[tuple[Device, Core, list[dict[str, NDArray]]]]:
    """Open a device for tensors; keys not in `settings` are read from the device.

    `core` is the core's class. Yields the `Device`, the core and the operands of each run.
    """
    if port in SIMULATED:
        config, batch = core.prepare(settings, **tensors)
        with Device(port, config) as device:
            yield device, config, batch
        return
    with Device(port, baud=baud) as device:
        device.check_core(core.NAME)
        config, batch = core.prepare(hardware_keys(device.config) | dict(settings), **tensors)
        device.check(config)
        yield device, config, batch


def core_on(
    port: str, core: type[OneCore], settings: Mapping[str, Any], baud: int = DEFAULT_BAUD
) -> OneCore:
    """The configuration of `core` that a port has: its keys, overridden by `settings`; for a
    simulated device only the latter."""
    if port in SIMULATED:
        return core.from_settings(settings)
    with Device(port, baud=baud) as device:
        device.check_core(core.NAME)
        return core.from_settings(hardware_keys(device.config) | dict(settings))


@dataclass(frozen=True)
class Verdict:
    """One run of the self-test: `mismatches` of `values` output values.

    `seconds` includes the line; `flags` are those of the core after the run, counted since the
    device was opened.
    """

    name: str
    mismatches: int
    values: int
    cycles: int
    seconds: float
    flags: dict

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def self_test(device: Device, progress: Callable[[str], None] = lambda step: None) -> list[Verdict]:
    """Run random and extreme operands on `device` and compare every bit with the golden model.

    Returns a `Verdict` for each run. Raises `JobError` if any bit differs.
    """
    core = device.config
    check_golden(core, made_here=True)
    check_streams(core, 1)
    verdicts = []
    for name, density, seed in VECTORS:
        progress(name)
        operands = core.random_operands(np.random.default_rng(seed), density)
        expected = golden_run(core.with_seed(seed), operands)
        (run,) = device.runs([operands], [seed])
        wrong = compare([run], [expected])
        values = sum(output.size for output in expected.outputs.values())
        verdicts.append(Verdict(name, wrong, values, run.cycles, run.seconds, run.flags))
    failed = [verdict for verdict in verdicts if verdict.mismatches]
    if failed:
        counts = ", ".join(f"{v.name}: {v.mismatches} of {v.values}" for v in failed)
        raise JobError(f"the device differs from the golden model in {counts} values")
    return verdicts
