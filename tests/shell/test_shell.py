"""Cores behind register shells, next to bus masters of other projects."""

import json
from importlib.util import find_spec

import numpy as np
import pytest

from spikeloom.cores import all_cores, find_core
from spikeloom.export.files import Options, core_files
from spikeloom.networks.network import network_core
from spikeloom.shell.buses import BUSES
from spikeloom_sim.simulators import SIMULATORS
from spikeloom_sim.simulators.cocotb_run import run_cocotb

from ..networks.random_network import random_network

SMALL = {"image": (4, 3, 1), "patch": (2, 3), "dims": 4, "hidden": 2, "classes": 2, "blocks": 1}
NETWORK = network_core(random_network(**SMALL, name="small-net"))
MASTERS = {"axi-lite": "cocotbext.axi", "wishbone": "cocotbext.wishbone"}
NARROW = all_cores()["spiking_neurons"].CASES["narrow membranes"]
CORES = {
    **{
        name: core.from_settings(next(iter(core.CASES.values())))
        for name, core in all_cores().items()
    },
    "ssa": find_core("ssa").from_settings({"tokens": 3, "head_dim": 4, "steps": 2}),
    "saturating": find_core("spiking_neurons").from_settings(NARROW),
    "network": NETWORK.from_settings({"weights": "loaded"}),
    "initial": NETWORK.from_settings({}),
}
BY_DEFAULT = {("ssa", "axi-lite"), ("network", "wishbone")}
LONG = {(core, bus) for core in ("spiked", "a2os2a", "a2os2a_block", "network") for bus in BUSES}


def mark_of(case):
    return [] if case in BY_DEFAULT else pytest.mark.long if case in LONG else pytest.mark.slow


CASES = [
    pytest.param(core, bus, marks=mark_of((core, bus)), id=f"{core}-{bus}")
    for core in CORES
    for bus in BUSES
]


def job_of(core, files, manifest):
    """What the bench has to know: the registers, and runs with the results of the golden model."""
    rng = np.random.default_rng(5)
    runs = []
    for number in range(3):
        operands = core.random_operands(rng)
        seeded = core.seeded(number)
        results = seeded.golden(**core.check(operands))
        runs.append(
            {
                "seed": getattr(seeded, "seed", None),
                "inputs": {name: port.pack(operands[name]) for name, port in core.inputs.items()},
                "outputs": {name: port.pack(results[name]) for name, port in core.outputs.items()},
                "cycles": seeded.cycles(**operands),
            }
        )
    return {
        "map": json.loads(files.get(f"registers/{manifest['module']}.json", "null")),
        "hash": manifest["config_hash"],
        "inputs": list(core.inputs),
        "outputs": list(core.outputs),
        "loads": {name: port.pack(tensor) for name, (port, tensor) in core.loads.items()},
        "preload": core.preload_cycles(),
        "limit": core.time_limit(),
        "runs": runs,
    }


def check(core, bus, simulator, folder):
    """Run the bench on `core` behind `bus`."""
    if find_spec(MASTERS[bus]) is None:
        pytest.skip(f"{MASTERS[bus].replace('.', '-')} is not installed")
    files = core_files(core, Options(name="dut", shell=bus))
    manifest = json.loads(files["manifest.json"])
    (folder / "dut.v").write_text(files["dut.v"])
    (folder / "job.json").write_text(json.dumps(job_of(core, files, manifest)))
    ports = [port["name"] for port in manifest["ports"]]
    SIMULATORS[simulator].build([folder / "dut.v"], "dut", ports, folder)
    tests, failures = run_cocotb(
        *(simulator, "dut", folder, "tests.shell.shell_bench"),
        environment={"SPIKELOOM_JOB": str(folder / "job.json")},
    )
    assert (tests, failures) == (8, 0), (folder / "simulation.log").read_text()[-3000:]


@pytest.mark.parametrize(("core", "bus"), CASES)
def test_in_icarus(core, bus, tmp_path, icarus):
    check(CORES[core], bus, icarus, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(("core", "bus"), [("ssa", "wishbone"), ("network", "axi-lite")])
def test_in_verilator(core, bus, tmp_path):
    check(CORES[core], bus, "verilator", tmp_path)
