"""The parts of a release: complete packages, and a citation and a workflow that agree with them."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile

import pytest
import yaml

from spikeloom import __version__
from spikeloom.cores import all_cores

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
