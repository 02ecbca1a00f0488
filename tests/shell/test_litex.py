"""Designs in a LiteX SoC, with its CSRs, DMAs and interrupts."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from spikeloom.export.files import Options, core_files, write_files
from spikeloom.tools import run_tool
from spikeloom_sim.simulators import SIMULATORS
from spikeloom_sim.simulators.cocotb_run import run_cocotb

from ..commands import run_command
from .test_shell import CORES, job_of

pytestmark = [
    pytest.mark.skipif(find_spec("litex") is None, reason="litex is not installed"),
    pytest.mark.skipif(
        find_spec("cocotbext.wishbone") is None, reason="cocotbext-wishbone is not installed"
    ),
]
DESIGNS = {
    "attention": ("ssa", {}),
    "additions": ("a2os2a", {"shell": "axi-lite", "reset": "aresetn"}),
    "network": ("network", {"shell": "wishbone", "tdata": "power-of-two"}),
}
FIRST = {"attention": DESIGNS["attention"], "network": DESIGNS["network"]}


def write_designs(designs, folder):
    """Generate `designs`; returns the job of the bench, and what scripts take as FOLDER=MODULE."""
    job, pairs = {"designs": [], "limit": 0}, []
    for name, (core, options) in designs.items():
        files = core_files(CORES[core], Options(name=name, **options))
        write_files(folder / name, files)
        manifest = json.loads(files["manifest.json"])
        shell = manifest["shell"]
        described = job_of(CORES[core], files, manifest)
        one_bit = [flag for flag in CORES[core].flags.values() if flag.bits == 1]
        job["limit"] = max(job["limit"], described["limit"])
        job["designs"].append(
            {
                "name": name,
                "shell": shell,
                "streams": manifest["streams"],
                "registers": described["map"]["registers"] if shell else [],
                "written": 1 if shell else 1 + len(one_bit),
                **{key: described[key] for key in ("hash", "loads", "runs")},
            }
        )
        pairs.append(f"{folder / name}={name}")
    return job, pairs


def make_soc(designs, folder):
    """Generate `designs` and an SoC of them, and write the job of the bench; returns sources."""
    job, pairs = write_designs(designs, folder)
    script = Path(__file__).with_name("litex_soc.py")
    done = run_command([sys.executable, "-W", "ignore", script, folder, *pairs], folder)
    assert done.returncode == 0, done.stdout[-3000:]
    job["soc"] = json.loads((folder / "soc.json").read_text())
    (folder / "job.json").write_text(json.dumps(job))
    return [folder / "soc.v", *map(Path, job["soc"]["sources"])]


CASES = [pytest.param(FIRST, id="csr-wishbone"), pytest.param(DESIGNS, marks=pytest.mark.long)]


@pytest.mark.parametrize("designs", CASES)
def test_soc(designs, tmp_path, icarus):
    """A master of the bus runs an attention and a network through memory: outputs are those of the
    golden model."""
    sources = make_soc(designs, tmp_path)
    SIMULATORS[icarus].build(sources, "soc", [], tmp_path)
    tests, failures = run_cocotb(
        *(icarus, "soc", tmp_path, "tests.shell.litex_bench"),
        environment={"SPIKELOOM_JOB": str(tmp_path / "job.json")},
    )
    assert (tests, failures) == (2, 0), (tmp_path / "simulation.log").read_text()[-3000:]


@pytest.mark.parametrize("reset", ["rst", "aresetn"])
def test_core_alone(reset, tmp_path):
    """Without DMAs, streams can be connected to others; Yosys finds every port of the instance."""
    files = core_files(CORES["ssa"], Options(name="mine", reset=reset))
    write_files(tmp_path, files)
    (tmp_path / "use.py").write_text(
        "import importlib.util\n"
        "from litex.build.generic_platform import GenericPlatform\n"
        "from migen.fhdl.verilog import convert\n"
        "spec = importlib.util.spec_from_file_location('mine', 'instances/mine_litex.py')\n"
        "mine = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(mine)\n"
        "platform = GenericPlatform('sim', [], name='use')\n"
        "core = mine.Mine(platform)\n"
        "ios = {core.start, core.seed, core.m_axis_o.data}\n"
        "convert(core, ios, name='use').write('use.v')\n"
    )
    done = run_command([sys.executable, "-W", "ignore", "use.py"], tmp_path)
    assert done.returncode == 0, done.stdout[-2000:]
    run_tool("yosys", "-q", "-p", "read_verilog mine.v use.v; hierarchy -check", cwd=tmp_path)
