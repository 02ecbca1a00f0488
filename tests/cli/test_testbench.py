"""The testbench that comes with a design: it runs without Spikeloom, and finds faults."""

import re
import sys
from pathlib import Path

import pytest

from spikeloom.cores import all_cores, find_core
from spikeloom.export.files import Options, core_files, write_files
from spikeloom.export.testbench import bench_files
from spikeloom.networks.network import network_core
from spikeloom.tools import locate

from ..commands import run_command
from ..networks.random_network import random_network
from ..pages import DOCS

SMALL = {"image": (4, 6, 2), "patch": (2, 3), "dims": 4, "hidden": 3, "classes": 3, "blocks": 1}
PAGE = (DOCS / "use-a-core.md").read_text()
NETWORK = network_core(random_network(**SMALL, name="small-net"))
DESIGNS = {
    "ssa": find_core("ssa").from_settings({"tokens": 3, "head_dim": 4, "steps": 2}),
    "network": NETWORK.from_settings({"weights": "loaded"}),
}
MORE = {
    "values": find_core("ssa").from_settings({"tokens": 5, "head_dim": 4, "inputs": "values"}),
    "diagonals": find_core("ssa").from_settings(
        {"tokens": 5, "head_dim": 4, "engine": "sampled", "feed": "diagonals"}
    ),
    "initial": NETWORK.from_settings({}),
    "endless": find_core("a2os2a").from_settings(
        {"tokens": 6, "head_dim": 4, "length": "open", "mask": "causal"}
    ),
    **{
        name: core.from_settings(next(iter(core.CASES.values())))
        for name, core in all_cores().items()
        if name != "ssa"
    },
}
CASES = [
    *DESIGNS.items(),
    *(pytest.param(*more, marks=pytest.mark.slow, id=more[0]) for more in MORE.items()),
]


def written(core, folder, **options):
    """The name of the design of `core`, and the folder of its testbench."""
    files = core_files(core, Options(**options))
    write_files(folder, files)
    (name,) = [path[:-2] for path in files if re.fullmatch(r"\w+\.v", path)]
    return name, folder / "testbench"


def run_icarus(name, folder, mode="-g2005"):
    """Compile and run the testbench with the command that its header names."""
    if locate("iverilog") is None:
        pytest.skip("iverilog is not installed")
    command = [locate("iverilog"), mode, "-Wall", "-o", "tb.vvp", f"{name}_tb.v", f"../{name}.v"]
    done = run_command(command, folder)
    assert (done.returncode, done.stdout) == (0, "")
    return run_command(["vvp", "-n", "tb.vvp"], folder)


@pytest.mark.parametrize(("kind", "core"), CASES)
def test_passes_in_icarus(kind, core, tmp_path):
    name, folder = written(core, tmp_path)
    done = run_icarus(name, folder)
    assert (done.returncode, "PASSED, 3 runs" in done.stdout) == (0, True), done.stdout


@pytest.mark.parametrize(
    ("kind", "core"),
    [
        pytest.param(kind, core, marks=[] if kind == "ssa" else pytest.mark.long, id=kind)
        for kind, core in (DESIGNS | MORE).items()
        if kind != "initial"  # its weights are initial contents
    ],
)
def test_passes_without_initial_values(kind, core, tmp_path):
    """What is unknown at power-up stays out of every output bit: Icarus has four-valued logic."""
    name, folder = written(core, tmp_path, initial=False)
    done = run_icarus(name, folder)
    assert (done.returncode, "PASSED, 3 runs" in done.stdout) == (0, True), done.stdout


FAULTS = {
    "output": ("_o.hex", r"\A(.*)", lambda old: f"{int(old[1], 16) ^ 1:0{len(old[1])}x}"),
    "tlast": ("_k.hex", r"\A(.*)", lambda old: f"{int(old[1], 16) ^ 256:0{len(old[1])}x}"),
    "cycles": ("_tb.v", r"(last - started != )(\d+)", lambda old: f"{old[1]}{int(old[2]) + 1}"),
}


def test_finds_faults(tmp_path):
    """A wrong vector, frame or cycle count fails, with a nonzero exit code."""
    name, folder = written(DESIGNS["ssa"], tmp_path)
    for suffix, pattern, change in FAULTS.values():
        path = folder / f"{name}{suffix}"
        text = path.read_text()
        wrong = re.sub(pattern, change, text, count=1)
        assert wrong != text
        path.write_text(wrong)
        done = run_icarus(name, folder)
        assert (done.returncode != 0, "FAILED" in done.stdout) == (True, True), done.stdout
        path.write_text(text)


def test_finds_faults_of_the_design(tmp_path):
    """A core that never becomes busy, and one whose output changes while it waits."""
    name, folder = written(DESIGNS["ssa"], tmp_path)
    path = tmp_path / f"{name}.v"
    text = path.read_text()
    for old, new, told in (
        ("control__start(start)", "control__start(1'b0)", "not complete after"),
        ("o__ready(m_axis_o_tready)", "o__ready(1'b1)", "a beat changed while it waited"),
    ):
        assert old in text
        path.write_text(text.replace(old, new))
        done = run_icarus(name, folder)
        assert (done.returncode != 0, told in done.stdout) == (True, True), done.stdout


@pytest.mark.long
@pytest.mark.parametrize("kind", DESIGNS)
def test_passes_in_verilator(kind, tmp_path, verilator):
    name, folder = written(DESIGNS[kind], tmp_path, name="mine")
    done = verilator.run_bench(folder, f"{name}_tb", f"{name}_tb.v", f"../{name}.v")
    assert (done.returncode, "mine: PASSED, 3 runs" in done.stdout) == (0, True), done.stdout


@pytest.mark.long
def test_five_designs_run_together(tmp_path, icarus):
    """Their testbenches in one Icarus simulation: none disturbs another."""
    cores = {
        "left": DESIGNS["ssa"],
        "left_core": find_core("ssa").from_settings(
            {"tokens": 2, "head_dim": 3, "engine": "sampled", "steps": 2}
        ),
        "additions": find_core("a2os2a").from_settings({"tokens": 2, "head_dim": 2}),
        "phases": find_core("spiked").from_settings({"tokens": 1, "head_dim": 2, "steps": 4}),
        "net": DESIGNS["network"],
    }
    for name, core in cores.items():
        written(core, tmp_path, name=name)
    benches = "\n".join(f"  {name}_tb #(.FINISH(0)) {name}_1 ();" for name in cores)
    ready = " && ".join(f"{name}_1.finished" for name in cores)
    errors = " + ".join(f"{name}_1.errors" for name in cores)
    (tmp_path / "testbench" / "all.v").write_text(
        f"module all;\n{benches}\n  initial begin\n    wait ({ready});\n"
        f'    $display("all: %0d errors", {errors});\n    $finish;\n  end\nendmodule\n'
    )
    sources = [f"{name}_tb.v" for name in cores] + [f"../{name}.v" for name in cores]
    command = [locate("iverilog"), "-g2005", "-Wall", "-s", "all", "-o", "all.vvp", "all.v"]
    done = run_command([*command, *sources], tmp_path / "testbench")
    assert (done.returncode, done.stdout) == (0, "")
    done = run_command(["vvp", "-n", "all.vvp"], tmp_path / "testbench")
    assert all(f"{name}: PASSED" in done.stdout for name in cores), done.stdout
    assert "all: 0 errors" in done.stdout


def test_none_for_what_the_golden_model_cannot_hold():
    """4,096 tokens of 1,024 dimensions: the design comes without a testbench."""
    huge = find_core("ssa").from_settings({"tokens": 4096, "head_dim": 1024, "inputs": "values"})
    assert bench_files(huge, {}) == {}


def commands_of_the_page(*starts):
    """The commands of the page that begin with one of `starts`, as words."""
    lines = [line.strip() for line in PAGE.splitlines() if line.startswith("    ")]
    return [line.split() for line in lines if line.startswith(starts)]


@pytest.fixture
def generated(spikeloom, tmp_path):
    """The folder of the page's first command."""
    assert spikeloom(*commands_of_the_page("spikeloom generate")[0][1:]).code == 0
    return tmp_path / "attention"


def test_page(generated):
    """The commands of the page, up to Icarus, do what it says."""
    for name in re.findall(r"^\| `(\w+[.]\w+|\w+/)` \|", PAGE, re.MULTILINE):
        assert (generated / name).exists()
    if locate("iverilog") is None:
        pytest.skip("iverilog is not installed")
    for command in commands_of_the_page("iverilog", "vvp"):
        done = run_command(command, generated / "testbench")
        assert done.returncode == 0, done.stdout
    assert "attention: PASSED" in done.stdout


@pytest.mark.long
def test_page_in_verilator(generated, verilator):
    for program, *words in commands_of_the_page("verilator", "obj_dir"):
        command = [verilator.program if program == "verilator" else program, *words]
        done = run_command(command, generated / "testbench", **verilator.environment)
        assert done.returncode == 0, done.stdout
    assert "attention: PASSED" in done.stdout


@pytest.mark.long
def test_page_with_fusesoc(generated, icarus):
    ((program, *words),) = commands_of_the_page("fusesoc")
    command = [Path(sys.executable).parent / program, *words]
    if not command[0].exists():
        pytest.skip("fusesoc is not installed")
    done = run_command(command, generated.parent, HOME=str(generated.parent))
    assert (done.returncode, "attention: PASSED" in done.stdout) == (0, True), done.stdout
