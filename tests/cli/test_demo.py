"""`spikeloom demo`: a network classifies pictures."""

import base64
import json
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from PIL import Image

from spikeloom.backend import Golden
from spikeloom.cores.ssa import golden as golden_ssa
from spikeloom.networks import golden
from spikeloom.networks.file import save
from spikeloom.networks.finding import load_network
from spikeloom_boards.boards import find_board
from spikeloom_boards.demos import Demo, demo_names, network
from spikeloom_boards.demos.ssa import demo_config, looking, photograph_patches
from spikeloom_boards.presets import preset_config
from spikeloom_cli import demo
from spikeloom_models.data import Labelled
from tests.boards.test_report import Balanced
from tests.networks.random_network import random_images, random_network

DRAWINGS = ["attention.png", "cycles.png", "pictures.png", "spikes.png"]


@pytest.fixture
def small(monkeypatch, tmp_path_factory):
    """The demo with a small random network and 5 images, of which the first 2 have the right
    class; the golden model in place of the RTL, and without synthesis. Returns the backend."""
    graph = random_network(
        image=(8, 8, 2), patch=(4, 4), dims=16, hidden=16, blocks=1, classes=4, name="small"
    )
    embedding, *layers = graph.layers
    graph = replace(graph, layers=(replace(embedding, position=True), *layers))  # as the shipped
    path = tmp_path_factory.mktemp("network") / "small.safetensors"
    save(path, graph)
    core_class = load_network(path)
    images = random_images(graph, 5)[..., :1]
    found = np.array([core_class().golden(image=image)["label"] for image in images])
    labels = np.where(np.arange(5) < 2, found, (found + 1) % 4)

    class Backend(Golden):
        change = staticmethod(lambda run: run)

        def run(self, core, batch, progress=lambda *done: None):
            return [self.change(run) for run in super().run(core, batch, progress)]

    used = [("cells", 1000, 5280, 18.9), ("block RAMs", 30, 30, 100.0)]
    monkeypatch.setattr(network, "shipped_network", lambda board: preset_config("small", board))
    monkeypatch.setattr(network, "fashion_sample", lambda: Labelled(images, labels))
    monkeypatch.setattr(network, "RTL", Backend)
    monkeypatch.setattr(network, "DPI", 30)  # quick to draw
    monkeypatch.setattr(network, "utilisation", lambda core, board, progress: used)
    return Backend


def test_the_default_demo_is_that_of_a_network(spikeloom, monkeypatch):
    asked = []

    def note(folder, begin):
        asked.append(folder.name)
        raise RuntimeError

    def find(name):
        asked.append(name)
        return Demo(note, steps=1)

    monkeypatch.setattr(demo, "find_demo", find)
    with pytest.raises(RuntimeError):
        spikeloom("demo")
    assert asked == ["network", "spikeloom-demo-network"]
    assert demo_names() == ["a2os2a", "network", "spiked", "ssa"]


def test_the_demo_shows_its_figures(spikeloom, small, tmp_path):
    ran = spikeloom("demo")
    assert ran.code == 0, ran.err
    folder = tmp_path / "spikeloom-demo-network"
    assert sorted(one.name for one in folder.glob("*.png")) == DRAWINGS
    assert "40.0 %: 2 of 5 pictures are right" in ran.out
    assert "0 of 15 outputs, RTL against golden model" in ran.out
    assert "at least 1,000 of 5,280 cells, 30 of 30 block RAMs" in ran.out
    _, _, end = ran.out.partition("What you saw\n")
    *saw, after = end.strip().splitlines()
    assert len(saw) == 3
    assert after == "Next: spikeloom build small --board icebreaker -o out"
    page = (folder / "demo.md").read_text()
    assert all(f"({name})" in page for name in DRAWINGS)
    assert page.endswith(f"`{after.removeprefix('Next: ')}`\n")
    web = (folder / "demo.html").read_text()
    pictures = Balanced(web).fetched
    assert len(pictures) == 5
    assert all(one.startswith("data:") for one in pictures)
    assert "url(" not in web
    assert all(sentence in unescape(web) for sentence in saw)


def test_spikes_and_logits_of_the_page(small):
    """What the page of the demo draws is what the golden model computes."""
    core = network.shipped_network(find_board("icebreaker"))
    sample = network.fashion_sample()
    measured = network.Measured.of(core, sample.images, sample.labels, 3)
    web = network.flow_page(measured, ("Seen.",), "next")
    pictures, layers = (
        json.loads(re.search(rf"{name} = (\[.*?\]), [A-Z]+ =", web)[1])
        for name in ("PICTURES", "LAYERS")
    )
    assert f'id="step" min="0" max="{core.GRAPH.steps - 1}" value="0"' in web  # as in spikes.png
    spikes = golden.run(core.GRAPH, sample.images[:3], keep=True)
    assert [layer["name"] for layer in layers] == list(spikes.spikes)
    assert [one["logits"] for one in pictures] == spikes.logits.tolist()
    for n, picture in enumerate(pictures):
        data = np.frombuffer(base64.b64decode(picture["spikes"]), np.uint8)
        expected = np.concatenate([one[n].ravel() != 0 for one in spikes.spikes.values()])
        assert (np.unpackbits(data)[: len(expected)] == expected).all()


def test_page_and_animation_of_the_photograph(tmp_path):
    """The scores on the page are those of the core; the animation ends with all steps."""
    patches = photograph_patches()
    scores = golden_ssa.trace(demo_config(3), patches, patches, patches).scores
    web = looking.page(patches, scores, ("One & only.",), "spikeloom demo spiked")
    assert Balanced(web).fetched == []
    assert "One &amp; only." in web
    data = base64.b64decode(re.search(r'atob\("([^"]+)"\)', web)[1])
    assert (np.unpackbits(np.frombuffer(data, np.uint8)) == scores.ravel()).all()
    exact = json.loads(re.search(r"EXACT = (\[.*?\]);", web)[1])
    assert np.allclose(exact, (patches @ patches.T / 64).ravel(), atol=1e-3)
    looking.animate(patches, scores, tmp_path / "attention.gif")
    with Image.open(tmp_path / "attention.gif") as picture:
        assert picture.n_frames == 3
        assert picture.info["loop"] == 0
        for n in range(picture.n_frames):
            picture.seek(n)
            red, _, blue = np.asarray(picture.convert("RGB"), int).transpose(2, 0, 1)
            assert (blue > red + 100).sum() > 100, "the frame around the patch is not blue"


def test_the_figures_as_json(spikeloom, small, tmp_path):
    ran = spikeloom("demo", "network", "-o", "out", "--json")
    assert ran.code == 0, ran.err
    result = json.loads(ran.out)
    core = preset_config("small", find_board("icebreaker"))
    images = network.fashion_sample().images
    cycles = [core.cycles(image=image) for image in images]
    assert (result["pictures"], result["right"], result["accuracy"]) == (5, 2, 0.4)
    assert result["mismatches"] == 0
    assert result["cycles"] == np.mean(cycles)
    assert result["cycles_maximum"] == core.cycles()
    assert result["images_per_second"] == pytest.approx(1e6 * result["mhz"] / np.mean(cycles))
    assert result["images_per_second_with_the_line"] < result["images_per_second"]
    assert [run["cycles"] for run in result["runs"]] == cycles[:3]
    assert [run["class"] == run["true_class"] for run in result["runs"]] == [True, True, False]
    captions = [what for name, what in result["files"].items() if name.endswith(".png")]
    assert len(captions) == len(DRAWINGS)
    assert all("Look at" in text and "would be bad" in text for text in captions)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda run: replace(run, outputs=run.outputs | {"label": run.outputs["label"] ^ 1}),
            "small: 3 of 15 outputs differ from the golden model",
        ),
        (lambda run: replace(run, timing=run.cycles + 1), "cycles on the RTL"),
    ],
)
def test_a_difference_to_the_golden_model_fails(spikeloom, small, tmp_path, change, message):
    small.change = staticmethod(change)
    ran = spikeloom("demo")
    assert ran.code == 1
    assert message in ran.err
    assert len(ran.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_without_the_shipped_network(spikeloom, monkeypatch, tmp_path):
    monkeypatch.setattr(network, "network_names", lambda: [])
    ran = spikeloom("demo")
    assert ran.code == 2
    assert "network fashion-spikformer is missing" in ran.err
    assert len(ran.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_whole_demo(spikeloom, tmp_path):
    ran = spikeloom("demo", "--json")
    assert ran.code == 0, ran.err
    result = json.loads(ran.out)
    assert (result["network"], result["pictures"], result["mismatches"]) == (
        "fashion-spikformer",
        1000,
        0,
    )
    assert result["accuracy"] > 0.7
    assert len(result["runs"]) == 3
    assert all(0 < one["used"] <= one["available"] for one in result["utilisation"])
    assert sorted(one.name for one in (tmp_path / "spikeloom-demo-network").glob("*.png")) == (
        DRAWINGS
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a2os2a", "spiked", "ssa"])
def test_every_demo_ends_with_what_was_seen(spikeloom, tmp_path, name):
    ran = spikeloom("demo", name)
    assert ran.code == 0, ran.err
    *saw, after = ran.out.partition("What you saw\n")[2].strip().splitlines()
    assert len(saw) == 3
    assert re.match(r"Next: spikeloom demo( \w+)?$", after)
    assert (
        f"`{after.removeprefix('Next: ')}`"
        in (tmp_path / f"spikeloom-demo-{name}" / "demo.md").read_text()
    )
