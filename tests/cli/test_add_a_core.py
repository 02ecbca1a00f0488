"""A core added as a folder, from the files in the documentation, works in every command."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.pages import files_of

ROOT = Path(__file__).parents[2]
PAGE = files_of("docs/add-a-core.md")
KEYS = ["--set", "words=20", "--set", "width=8"]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the packages plus the page's files."""
    copy = tmp_path_factory.mktemp("checkout")
    for house in ("hdl", "sim", "boards", "cli", "models"):
        shutil.copytree(ROOT / house, copy / house, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in PAGE.items():
        path = copy / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return copy


def spikeloom(checkout, *arguments, folder):
    """Run the command of the checkout; returns its standard output."""
    houses = [str(checkout / house) for house in ("hdl", "sim", "boards", "cli", "models")]
    done = subprocess.run(
        [sys.executable, "-m", "spikeloom_cli.main", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(houses)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def test_the_page_has_the_whole_core():
    assert sorted(PAGE) == [
        "hdl/spikeloom/cores/running_xor/__init__.py",
        "hdl/spikeloom/cores/running_xor/component.py",
    ]


def test_list(checkout, tmp_path):
    listing = json.loads(spikeloom(checkout, "list", "--json", folder=tmp_path))
    assert listing["units"]["running_xor"]["summary"] == "running XOR of a stream of words"
    assert set(listing["units"]["running_xor"]["keys"]) == {"words", "width"}
    assert "running_xor" in spikeloom(checkout, "list", folder=tmp_path)


def test_generate(checkout, tmp_path):
    spikeloom(checkout, "generate", "running_xor", *KEYS, "-o", "out", folder=tmp_path)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["cycles"] == 21
    ports = {port["name"]: port["width"] for port in manifest["ports"]}
    assert ports["s_axis_i_tdata"] == ports["m_axis_o_tdata"] == 8


@pytest.mark.parametrize(
    "where",
    [
        ["golden"],
        pytest.param(["rtl"], marks=pytest.mark.long),
        pytest.param(["netlist"], marks=pytest.mark.long),
        pytest.param(["board", "--port", "sim"], marks=pytest.mark.long),
    ],
    ids=lambda x: x[0],
)
def test_run(checkout, tmp_path, where):
    words = np.random.default_rng(0).integers(0, 256, 20)
    np.save(tmp_path / "I.npy", words)
    arguments = ["--input", "i=I.npy", "-o", "O.npy", "--backend", *where]
    output = spikeloom(checkout, "run", "running_xor", *KEYS, *arguments, "--json", folder=tmp_path)
    found = np.load(tmp_path / "O.npy")
    assert np.array_equal(found, np.bitwise_xor.accumulate(words))
    if where[0] in ("rtl", "netlist"):
        assert json.loads(output)["cycles"] == [21]


@pytest.mark.long
def test_regress_one_configuration(checkout, tmp_path):
    arguments = ["--only", "running_xor: bytes", "--json"]
    (row,) = json.loads(spikeloom(checkout, "regress", *arguments, folder=tmp_path))
    assert row["failures"] == 0
    assert row["tests"] >= 8


@pytest.mark.slow
def test_regress(checkout, tmp_path, simulator):
    output = spikeloom(
        checkout, "regress", "running_xor", "--sim", simulator, "--json", folder=tmp_path
    )
    results = json.loads(output)
    assert len(results) == 3
    assert all(row["failures"] == 0 and row["tests"] >= 8 for row in results)


@pytest.mark.slow
def test_bench(checkout, tmp_path):
    arguments = ["--only", "running_xor", "--seeds", 1, "--json", "-o", "bench"]
    rows = json.loads(spikeloom(checkout, "bench", *arguments, folder=tmp_path))
    row = next(row for row in rows if row["name"].startswith("running_xor/"))
    assert row["cycles"] == 2
    assert row["lut"] > 0
    assert row["fmax_mhz"] > 50
    assert (tmp_path / "bench" / "bench.png").stat().st_size > 10_000


@pytest.mark.long
def test_build_report_and_energy(checkout, tmp_path):
    arguments = ["--board", "icebreaker", "--mhz", 12, "-o", "build"]
    spikeloom(checkout, "build", "running_xor", *KEYS, *arguments, folder=tmp_path)
    report = json.loads((tmp_path / "build" / "report.json").read_text())
    assert report["core"] == "running_xor"
    assert report["cycles"] == 21
    page = (tmp_path / "build" / "report.html").read_text()
    assert "running XOR of a stream of words" in page
    assert "one XOR per bit" in page
    assert "running_xor" in spikeloom(checkout, "report", "build", folder=tmp_path)


def test_a_package_of_ones_own_holds_a_core(checkout, tmp_path):
    """A core in a separate package is found by its entry point."""
    package = tmp_path / "site" / "my_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    for name, text in PAGE.items():
        (package / Path(name).name.replace("__init__", "running_xor")).write_text(text)
    info = tmp_path / "site" / "my_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[spikeloom.cores]\nrunning_xor = my_package.running_xor:RunningXor\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import spikeloom; print(spikeloom.core('running_xor', words=3, "
            "width=2).compute(i=[1, 3, 2])['o'])",
        ],
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "[1 2 0]\n", done.stderr
