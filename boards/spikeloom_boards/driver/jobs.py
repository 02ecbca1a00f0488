"""Whole jobs on a device: a user's heads, and the self-test."""

from contextlib import contextmanager
from dataclasses import asdict, dataclass

import numpy as np

from spikeloom.errors import JobError
from spikeloom.link.identity import hardware_keys
from spikeloom.link.protocol import DEFAULT_BAUD
from spikeloom_sim.adapters import adapter
from spikeloom_sim.backends.golden import head_seed
from spikeloom_sim.footprint import check_golden, check_streams

from .device import Device

# Name, density and seed of each run of the self-test.
VECTORS = (
    ("random", 0.5, 1),
    ("sparse", 0.1, 2),
    ("dense", 0.9, 2**64 - 1),
    ("all zeros", -1, 3),
    ("all ones", 2, 4),
)


@contextmanager
def open_for(port, core, settings, tensors, baud=DEFAULT_BAUD):
    """Open a device for tensors; keys not in `settings` are the device's own.

    Yields the `Device`, the configuration and the operands of each head.
    """
    model = adapter(core)
    if port == "sim":
        config, heads = model.configure(settings, *tensors)
        with Device(port, config) as device:
            yield device, config, heads
        return
    with Device(port, baud=baud) as device:
        device.check_core(core)
        config, heads = model.configure(hardware_keys(device.config) | settings, *tensors)
        device.check(config)
        yield device, config, heads


def run_heads(device, config, heads, progress=lambda done, total: None):
    """Outputs of heads run one after the other, stacked, and the clocks of each."""
    check_streams(config, 1)
    runs = []
    for n, head in enumerate(heads):

        def told(done, total, n=n):
            progress(n * total + done, len(heads) * total)

        runs.append(device.run(*head, seed=head_seed(config.seed, n), progress=told))
    return np.stack([run.output for run in runs]), [run.cycles for run in runs]


@dataclass(frozen=True)
class Verdict:
    """One run of the self-test: output values that differ from the golden model's, of how many."""

    name: str
    mismatches: int
    values: int
    cycles: int

    def as_dict(self):
        return asdict(self)


def self_test(device, progress=lambda step: None):
    """Run random and extreme operands on `device` and compare every bit with the golden model.

    Returns a `Verdict` for each run. Raises `JobError` where any bit differs.
    """
    config = device.config
    check_golden(config, made_here=True)
    check_streams(config, 1)
    model = adapter(config.core)
    verdicts = []
    for name, density, seed in VECTORS:
        progress(name)
        operands = model.random_operands(config, np.random.default_rng(seed), density)
        expected = model.golden(config.with_seed(seed), *operands)
        run = device.run(*operands, seed=seed)
        wrong = int((run.output != expected).sum())
        verdicts.append(Verdict(name, wrong, expected.size, run.cycles))
    failed = [verdict for verdict in verdicts if verdict.mismatches]
    if failed:
        told = ", ".join(f"{v.name}: {v.mismatches} of {v.values}" for v in failed)
        raise JobError(f"the device differs from the golden model: {told} values")
    return verdicts
