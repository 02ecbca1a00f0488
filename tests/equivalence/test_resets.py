"""Resets in many cycles of a run, in small configurations of every core and in small networks."""

import json
from dataclasses import replace

import pytest

from spikeloom.cores import all_cores
from spikeloom.export.verilog import to_verilog
from spikeloom.networks.layers import Convolution
from spikeloom.networks.network import network_core
from spikeloom_sim.backends.rtl import build_simulation
from spikeloom_sim.mutation import mutant_configs
from spikeloom_sim.simulators.cocotb_run import run_cocotb
from tests.networks.phase_network import phase_network
from tests.networks.random_network import random_network
from tests.networks.stem import stem_network
from tests.networks.test_membrane import membrane_network

CYCLES = 400_000  # of all runs that are reset
RESETS = 400  # at most


def with_border():
    """Convolutions; the pixel outside of the image is not 0."""
    graph = stem_network(image=(3, 4, 1), widths=(2, 4), steps=1, pooled=1, classes=2)
    first, *layers = graph.layers
    assert isinstance(first, Convolution)
    return replace(graph, layers=(replace(first, border=(255,)), *layers))


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
    "pixels outside": (with_border, {"lanes": 4}),
    "membrane shortcuts": (
        lambda: membrane_network(steps=1, image=(4, 4, 1)),
        {"lanes": 4, "engines": 2},
    ),
}


def check(config, folder):
    """Reset a core in many cycles, and run it each time."""
    module = to_verilog(config)
    resets = min(RESETS, CYCLES // (config.preload_cycles() + config.cycles()))
    assert resets > 20
    arguments = build_simulation(module, "verilator", folder)
    settings = {"core": config.reference(folder)} | config.as_dict()
    tests, failures = run_cocotb(
        "verilator",
        module.name,
        folder,
        "tests.equivalence.reset_bench",
        environment={"SPIKELOOM_CONFIG": json.dumps(settings), "SPIKELOOM_RESETS": str(resets)},
        arguments=arguments,
    )
    assert (tests, failures) == (1, 0), (folder / "simulation.log").read_text()[-3000:]


CONFIGS = {
    f"{core}: {name}": config
    for core, core_class in all_cores().items()
    for name, config in mutant_configs(core_class).items()
}


@pytest.mark.long
@pytest.mark.parametrize("name", CONFIGS)
def test_core(name, tmp_path):
    check(CONFIGS[name], tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", NETWORKS)
def test_network(name, tmp_path):
    make, keys = NETWORKS[name]
    check(network_core(make())(**keys), tmp_path)
