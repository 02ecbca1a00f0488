"""The parts of a release: complete packages, and a citation and a workflow that agree with them."""

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml

from spikeloom import __version__
from spikeloom.cores import all_cores
from spikeloom_boards.boards import BOARDS

from ..pages import DOCS, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = [
    path.split("/")[0] for path in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
]


@pytest.fixture(scope="module")
def tracked():
    """The files under version control."""
    done = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    return {name for name in done.stdout.splitlines() if (ROOT / name).is_file()}


def test_packages_are_complete(tracked, tmp_path):
    """The wheel has every file of the packages (templates, schemas, C++ sources, networks), the
    sdist every file but those of continuous integration; neither has anything else."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    wheel = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    inside = {name for name in wheel if ".dist-info/" not in name}
    assert inside == {name.partition("/")[2] for name in tracked if name.split("/")[0] in PACKAGES}
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    outside = {name for name in tracked if name.startswith((".ci/", ".github/"))}
    assert names == tracked - outside | {"PKG-INFO"}


@pytest.mark.long
def test_installed_outside_the_checkout(tracked, tmp_path):
    """The wheel that pip makes of the sdist, in a virtual environment of its own: commands need
    nothing of the checkout. Only the packages that Spikeloom depends on are those of the tests."""
    python = tmp_path / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path]
    run(build, ROOT)
    (sdist,) = tmp_path.glob("*.tar.gz")
    run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path, sdist], tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], tmp_path)
    install = ["--python", python, "install", "--no-deps", "--no-index", wheel]
    run([*pip, *install], tmp_path)
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    others = [path for path in sys.path if path.endswith("site-packages")]
    (site / "others.pth").write_text("\n".join(others) + "\n")

    where = run([python, "-c", "import spikeloom; print(spikeloom.__file__)"], tmp_path)
    assert where.startswith(str(tmp_path))
    spikeloom = python.parent / "spikeloom"
    assert run([spikeloom, "--version"], tmp_path) == f"{__version__}\n"
    listing = json.loads(run([spikeloom, "list", "--json"], tmp_path))
    baselines = {"int8_linear", "int8_softmax"}
    assert listing["cores"].keys() == {"a2os2a", "a2os2a_block", "spiked", "ssa"} | baselines
    assert "fashion-spikformer" in listing["networks"]
    assert set(listing["boards"]) == set(BOARDS)
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((3, 4)))
    operands = ["--q", "x.npy", "--k", "x.npy", "--v", "x.npy", "--set", "steps=2"]
    run([spikeloom, "run", "ssa", *operands, "-o", "o.npy"], tmp_path)
    assert np.load(tmp_path / "o.npy").shape == (2, 3, 4)
    np.save(tmp_path / "image.npy", np.zeros((28, 28, 1), np.uint8))
    image = ["run", "fashion-spikformer", "--image", "image.npy", "-o", "logits.npy"]
    run([spikeloom, *image], tmp_path)
    assert np.load(tmp_path / "logits.npy").shape == (10,)
    small = ["--set", "tokens=2", "--set", "head_dim=2", "--name", "tiny", "-o", "out"]
    run([spikeloom, "generate", "ssa", "--board", "icestick", *small], tmp_path)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert all((tmp_path / "out" / name).stat().st_size for name in manifest["files"])
    assert {"tiny.v", "tiny.core", "testbench/tiny_tb.v"} <= set(manifest["files"])
    run([spikeloom, "selftest", "ssa", "--port", "sim", *small[:4]], tmp_path)


def run(command, folder):
    """The output of a program, which must succeed, without the test's own settings of Python."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_citation():
    """Version and licence are the project's; every paper that a core names is cited, in both."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert (citation["version"], citation["license"]) == (__version__, "Apache-2.0")
    bibtex = " ".join((DOCS / "citing.md").read_text().split())
    for paper in citation["references"]:
        assert f"{{{' '.join(paper['title'].split())}}}" in bibtex
        people = (f"{p['family-names']}, {p['given-names']}" for p in paper["authors"])
        assert f"{{{' and '.join(people)}}}" in bibtex
    numbers = {n for core in all_cores().values() for n in re.findall(r"\d{4}\.\d{5}", core.SOURCE)}
    cited = {i["value"] for paper in citation["references"] for i in paper.get("identifiers", [])}
    assert {f"arXiv:{number}" for number in numbers} <= cited


def test_workflow():
    """Every Python from the oldest that the project supports, by the script of continuous
    integration."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    job = workflow["jobs"]["test"]
    versions = job["strategy"]["matrix"]["python"]
    assert versions == [f"3.{minor}" for minor in range(11, 15)]
    assert PROJECT["project"]["requires-python"] == f">={versions[0]}"
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o100


def test_publishing_workflow():
    """A tag publishes what the job before has built and checked, without a stored token; its checks
    accept the version of the project and no other."""
    text = (ROOT / ".github" / "workflows" / "publish.yml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads the key "on" as true
    assert "secrets" not in text
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert (publish["needs"], publish["permissions"]) == ("build", {"id-token": "write"})
    steps = [step["run"] for step in build["steps"] if "run" in step]
    checks = [step for step in steps if step.startswith(("test ", "grep "))]
    assert len(checks) == 2  # the version, and its release notes
    check = " && ".join(checks)
    for tag, code in ((f"v{__version__}", 0), ("v9.9.9", 1), (__version__, 1)):
        done = subprocess.run(
            ["bash", "-c", check], cwd=ROOT, env=os.environ | {"GITHUB_REF_NAME": tag}, check=False
        )
        assert done.returncode == code, tag


def test_issue_forms():
    """Each has a name, a description, and fields with labels and unique ids."""
    forms = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    assert len(forms) == 2
    for path in forms:
        form = yaml.safe_load(path.read_text())
        assert form["name"]
        assert form["description"]
        ids = [field["id"] for field in form["body"]]
        assert len(set(ids)) == len(ids)
        assert all(field["attributes"]["label"] for field in form["body"])
