"""Resets in many cycles of a run, in small configurations of every core and in small networks."""

import pytest

from spikeloom.cores import all_cores
from spikeloom.networks.network import network_core
from spikeloom_sim.mutation import mutant_configs
from spikeloom_sim.regression import run_suite
from tests.networks.phase_network import phase_network
from tests.networks.random_network import random_network
from tests.networks.stem import stem_network, with_border
from tests.networks.test_membrane import membrane_network

SMALL = {"image": (2, 4, 1), "patch": (1, 2), "dims": 4, "hidden": 4, "classes": 2, "blocks": 1}
NETWORKS = {
    form: (lambda form=form: random_network(**SMALL, steps=2, form=form), {"lanes": 4})
    for form in ("spikformer", "spike-driven", "a2os2a", "ssa")
} | {
    "phase codes": (
        lambda: phase_network(steps=5, image=(4, 2, 1), dims=4, heads=1, shift=1, classes=2),
        {"lanes": 4},
    ),
    "convolutions": (
        lambda: stem_network(image=(4, 4, 1), widths=(2, 3, 4), steps=1, classes=2),
        {"lanes": 4},
    ),
    "pixels outside": (
        lambda: with_border(
            stem_network(image=(3, 4, 1), widths=(2, 4), steps=1, pooled=1, classes=2), (255,)
        ),
        {"lanes": 4},
    ),
    "membrane shortcuts": (
        lambda: membrane_network(steps=1, image=(4, 4, 1)),
        {"lanes": 4, "engines": 2},
    ),
}


def check(config):
    """Reset a core in many cycles, and run it each time."""
    assert config.cycles() + config.preload_cycles() < 20_000  # the suite has at least 20 resets
    result = run_suite(config, resets=400)
    assert result.tests > 0, result
    assert not result.failures, result


CONFIGS = {
    f"{core}: {name}": config
    for core, core_class in all_cores().items()
    for name, config in mutant_configs(core_class).items()
}


@pytest.mark.long
@pytest.mark.parametrize("name", CONFIGS)
def test_core(name):
    check(CONFIGS[name])


@pytest.mark.long
@pytest.mark.parametrize("name", NETWORKS)
def test_network(name):
    make, keys = NETWORKS[name]
    check(network_core(make())(**keys))
