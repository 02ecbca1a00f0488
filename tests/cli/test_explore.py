"""`spikeloom estimate` and `spikeloom explore`: output, files, resuming, one-line errors."""

import csv
import json
import re

import numpy as np
import pytest

from spikeloom.families import Synthesis
from spikeloom.networks import file, golden
from spikeloom.networks.network import Network
from spikeloom_boards.explore import point
from spikeloom_cli.estimate import print_estimate
from tests.networks.random_network import random_images, random_network

SMALL = {"image": (4, 6, 1), "patch": (2, 3), "dims": 4, "hidden": 3, "classes": 3, "blocks": 1}
GRAPH = random_network(**SMALL, name="small-net")
SHAPE = ("--set", "tokens=8", "--set", "head_dim=8")
SWEEP = ("explore", "a2os2a", *SHAPE, "--over", "lanes=1,2,3,8", "--jobs", "1", "-o", "out")


@pytest.fixture(autouse=True)
def sizes(monkeypatch):
    """Sizes in proportion to the lanes in place of synthesis; returns the lanes asked for."""
    asked = []

    def synthesised(config, part):
        asked.append(config.lanes)
        return Synthesis(100 * config.lanes, 50, 2), 3.0 + config.lanes

    monkeypatch.setattr(point, "synthesised", synthesised)
    return asked


def test_estimate(spikeloom):
    ran = spikeloom("estimate", "a2os2a", *SHAPE, "--set", "lanes=2", "--json")
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(ran.out)
    assert (found["device"], found["lut"], found["bram"], found["fits"]) == ("up5k", 200, 2, True)
    assert found["fmax"] == "estimate"
    assert 0 < found["fmax_error"] < 1
    assert found["us"] == pytest.approx(found["cycles"] / found["fmax_mhz"], rel=0.01)
    assert found["per_second"] == pytest.approx(1e6 / found["us"], rel=0.01)
    text = spikeloom("estimate", "a2os2a", *SHAPE, "--board", "icebreaker").out
    assert "runs per second" in text
    assert "estimate from" in text
    assert "horowitz-45nm" in text
    text = spikeloom("estimate", "a2os2a", *SHAPE, "--device", "ccgm1a1").out
    assert "not known: no measured rows for this device; use --place" in text


def test_estimate_names_dsp_blocks_and_large_rams(capsys):
    record = dict.fromkeys(("cycles", "lut", "ff", "bram", "levels"), 1)
    record |= {"name": "x", "fits": True, "fmax": None, "us": None, "energy_uj": None}
    print_estimate(record | {"dsp": 26, "large_rams": 4})
    assert re.search(r"large RAMs +4 *\n DSP blocks +26 *\n", capsys.readouterr().out)
    print_estimate(record | {"dsp": 0, "large_rams": 0})
    assert "DSP" not in capsys.readouterr().out


def test_density_and_technology_change_the_energy(spikeloom):
    def energy(*options):
        return json.loads(spikeloom("estimate", "a2os2a", *SHAPE, *options, "--json").out)[
            "energy_uj"
        ]

    zeros = ("--density", "q=0", "--density", "k=0", "--density", "v=0")
    assert energy(*zeros) < energy() < energy("--technology", "horowitz-fp32")


def test_explore(spikeloom, sizes, tmp_path):
    ran = spikeloom(*SWEEP, "--json")
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(ran.out)
    assert [one["config"]["lanes"] for one in found["points"]] == [1, 2, 8]
    assert sizes == [1, 2, 8]
    document = json.loads((tmp_path / "out" / "explore.json").read_text())
    assert document["points"] == found["points"]
    assert [one["settings"] for one in document["refused"]] == [{"lanes": "3"}]
    rows = list(csv.DictReader((tmp_path / "out" / "explore.csv").read_text().splitlines()))
    assert [row["lanes"] for row in rows] == ["1", "2", "8"]
    page = (tmp_path / "out" / "explore.html").read_text()
    assert "<svg" in page
    assert "3 designs" in page
    # A larger sweep computes what is new; text for people.
    ran = spikeloom(*[word.replace("1,2,3,8", "1,2,4,8") for word in SWEEP])
    assert ran.code == 0
    assert sizes == [1, 2, 8, 4]
    assert "on the front, of 4" in ran.out
    assert len(json.loads((tmp_path / "out" / "explore.json").read_text())["points"]) == 4


def test_an_interrupted_sweep_goes_on(spikeloom, sizes, monkeypatch):
    def stopped(config, family):
        if config.lanes == 8:
            raise KeyboardInterrupt
        return Synthesis(100 * config.lanes, 50, 2), 3.0

    with monkeypatch.context() as patch:
        patch.setattr(point, "synthesised", stopped)
        ran = spikeloom(*SWEEP)
    assert ran.code == 130
    assert ran.err == (
        "spikeloom: interrupted; out keeps the finished designs, the same command goes on\n"
    )
    assert spikeloom(*SWEEP).code == 0
    assert sizes == [8]


def test_accuracy_of_a_network(spikeloom, tmp_path, monkeypatch):
    monkeypatch.setattr(Network, "cycles", lambda self, **operands: 1000)
    images = random_images(GRAPH, 8)
    labels = golden.run(GRAPH, images).labels
    labels[0] = (labels[0] + 1) % 3
    file.save(tmp_path / "net.safetensors", GRAPH)
    np.save(tmp_path / "x.npy", images)
    np.save(tmp_path / "y.npy", labels)
    sweep = ("explore", "net.safetensors", "--over", "lanes=4,8", "--jobs", "1", "-o", "out")
    data = ("--images", "x.npy", "--labels", "y.npy")
    points = json.loads(spikeloom(*sweep, *data, "--json").out)["points"]
    assert [one["accuracy"] for one in points] == [7 / 8, 7 / 8]
    assert [one["config"]["lanes"] for one in points] == [4, 8]
    assert points[0]["name"].startswith("small-net, lanes = 4")
    assert "accuracy" in (tmp_path / "out" / "explore.html").read_text()
    assert "87.50 %" in spikeloom(*sweep, *data).out
    assert spikeloom(*sweep, "--images", "x.npy").err.count("go together") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--over", "lanes=1,x"), "--over lanes: a2os2a: lanes = 'x' is not a whole number"),
        (("--over", "lanes"), "--over 'lanes' is not of the form KEY=VALUE,VALUE,..."),
        (("--over", "lanes=1", "--device", "vu9p"), "unknown device 'vu9p'"),
        (("--over", "lanes=1", "--technology", "x"), "unknown technology 'x'"),
        (("--over", "lanes=1", "--density", "q"), "--density 'q' is not of the form"),
        (("--over", "lanes=1", "--density", "x=1"), "a2os2a: no operand x"),
        (("--over", "lanes=1", "--images", "x.npy", "--labels", "y.npy"), "is a core, not a"),
        (("--over", "lanes=1", "-o", "."), "holds other files"),
    ],
)
def test_one_line_errors(spikeloom, tmp_path, sizes, arguments, message):
    (tmp_path / "mine").write_text("")
    ran = spikeloom("explore", "a2os2a", *SHAPE, *arguments)
    assert ran.code == 2
    assert message in ran.err
    assert ran.err.count("\n") == 1
    assert sizes == []


def test_estimate_of_two_places(spikeloom):
    ran = spikeloom("estimate", "a2os2a", *SHAPE, "--device", "up5k", "--board", "icebreaker")
    assert (ran.code, ran.err) == (2, "spikeloom: --device and --board: give one of them\n")
