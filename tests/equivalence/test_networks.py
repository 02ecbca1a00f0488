"""The RTL of networks equals their golden model, with exact cycles."""

import numpy as np
import pytest

import spikeloom
from spikeloom.networks import file
from spikeloom.networks.evaluation import evaluate
from spikeloom_sim.backends import RTL
from tests.networks.random_network import random_images, random_network

SIZES = {"image": (4, 6, 1), "patch": (2, 3), "dims": 6, "hidden": 5, "classes": 3, "blocks": 1}


@pytest.mark.parametrize("weights", ["initial", pytest.param("loaded", marks=pytest.mark.long)])
def test_rtl(weights, tmp_path):
    graph = random_network(**SIZES, steps=2, name="small-net")
    file.save(tmp_path / "net.safetensors", graph)
    core = spikeloom.load(tmp_path / "net.safetensors", weights=weights)
    images = random_images(graph, 4)
    images[2:] = [[[[0]]], [[[255]]]]
    golden = spikeloom.run(core, image=images)
    place = RTL()
    result = evaluate(core, images, golden.outputs["label"], place)
    assert (result.mismatches, result.accuracy) == (0, 1)
    assert result.cycles == np.mean(golden.cycles)
    assert max(golden.cycles) <= core.cycles()
    assert place.build_seconds > 0
