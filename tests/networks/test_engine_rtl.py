"""Networks in Verilog, on Verilator."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spikeloom.backend import Golden, compare
from spikeloom.cores import find_core
from spikeloom.families import FAMILIES
from spikeloom.networks.engine.bitmap_memory import parts
from spikeloom.networks.engine.weight_memory import BLOCK_WORDS
from spikeloom.networks.layers import Classifier
from spikeloom.networks.network import network_core
from spikeloom_models.data import fashion_sample
from spikeloom_sim.backends import RTL, Netlist
from tests.networks.flagship import flagship
from tests.networks.phase_network import phase_network
from tests.networks.random_network import random_images, random_network, with_offsets
from tests.networks.stem import stem_network
from tests.networks.test_membrane import membrane_network


def check(graph, images, backend=None, **settings):
    """Run images in Verilog, or on another backend; outputs and cycles must be equal."""
    core = network_core(graph)(**settings)
    batch = [{"image": image} for image in images]
    runs = (backend or RTL()).run(core, batch)
    assert not compare(runs, Golden().run(core, batch))
    for run, operands in zip(runs, batch, strict=True):
        assert run.cycles == core.cycles(**operands)
    return runs


def test_small():
    graph = random_network(
        image=(4, 4, 1),
        patch=(2, 2),
        steps=2,
        dims=16,
        hidden=16,
        classes=3,
        blocks=1,
        reset="mixed",
    )
    check(graph, random_images(graph, 3), lanes=16)


@pytest.mark.long
@pytest.mark.parametrize("form", ["spike-driven", "a2os2a", "ssa"])
def test_forms(form):
    """Other forms of attention, on the smallest lanes and with block RAM that is loaded."""
    graph = random_network(
        image=(4, 4, 1), patch=(2, 2), dims=16, hidden=16, classes=3, blocks=1, form=form
    )
    check(graph, random_images(graph, 3), lanes=8, weights="loaded")


@pytest.mark.long
@pytest.mark.parametrize("family", ["ice40", "ecp5"])
def test_netlist_with_a_core(family):
    """Attention of form ssa, whose core writes its memories differently on each family."""
    graph = random_network(
        image=(4, 6, 1), patch=(2, 2), steps=2, dims=20, hidden=3, classes=2, blocks=1, form="ssa"
    )
    check(graph, random_images(graph, 2, density=0.9), Netlist(family=family), lanes=4)


@pytest.mark.long
def test_phase_codes():
    """Two blocks, whose scales differ, with weights that are loaded; codes of 40 steps."""
    graph = phase_network(steps=40, blocks=2)
    check(graph, random_images(graph, 3), lanes=8, weights="loaded")


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_netlist_with_loaded_weights(family):
    """In the large RAM that the iCE40 has, in block RAM elsewhere."""
    graph = random_network(
        image=(2, 2, 1), patch=(1, 1), steps=2, dims=8, hidden=3, classes=2, blocks=1
    )
    check(graph, random_images(graph, 2), Netlist(family=family), lanes=4, weights="loaded")


@pytest.mark.long
@pytest.mark.parametrize("family", ["ice40", "ecp5"])
def test_netlist_of_phase_codes(family):
    graph = phase_network(steps=5, image=(4, 2, 1), dims=4, heads=1, shift=1, classes=2)
    check(graph, random_images(graph, 2, density=0.9), Netlist(family=family), lanes=4)


@pytest.mark.long
def test_stem():
    """Spikformer with convolutions in front."""
    graph = stem_network(image=(6, 5, 1), widths=(3, 4, 6), steps=2)
    check(graph, random_images(graph, 3), lanes=8)


def test_state_behind_weights():
    """The attention state is in block RAM whose words are no power of two."""
    graph = stem_network(image=(6, 5, 3), steps=1)
    program = network_core(graph)(lanes=4).program
    assert program.shared_state
    assert -(-parts(len(program.weights))[-1] // BLOCK_WORDS) == 3
    check(graph, random_images(graph, 2), lanes=4)


@pytest.mark.long
def test_membrane_shortcuts():
    """Spike-driven Transformer."""
    graph = membrane_network(steps=2, image=(5, 4, 1))
    check(graph, random_images(graph, 3), lanes=16, weights="loaded")


def test_short_lists():
    """Lists of few entries, which wait for room while the one before is written."""
    graph = random_network(
        image=(6, 6, 3),
        patch=(2, 2),
        steps=1,
        dims=16,
        blocks=0,
        classes=16,
        weight_bits=4,
        pixel_bits=3,
        seed=48,
    )
    images = [*random_images(graph, 40, 1, 0.3), *random_images(graph, 40, 2, 0.6)]
    check(graph, images, lanes=32)


def test_last_entry():
    """The last spikes of a layer do not depend on what the memory of entries holds behind the last
    one. Logits are the counts of each neuron of the layer."""
    sizes = {"image": (4, 8, 1), "patch": (2, 2), "dims": 32, "blocks": 1, "weight_bits": 4}
    whole = with_offsets(random_network(**sizes, hidden=32, classes=16))
    counts = Classifier(
        name="head",
        inputs=("block0.q",),
        weight=np.eye(32, dtype=np.int8),
        bias=np.zeros(32, np.int32),
        weight_bits=4,
    )
    layers = (whole.layer("embed"), whole.layer("block0.q"), counts)
    graph = replace(whole, layers=layers, classes=())
    check(graph, [*random_images(graph, 80, 1, 0.3), *random_images(graph, 80, 2)])


@pytest.mark.slow
@pytest.mark.parametrize("lanes", [8, 64])
def test_flagship(lanes):
    """The whole of a network for 28 x 28 images."""
    graph = flagship()
    runs = check(graph, random_images(graph, 2, density=0.6), lanes=lanes)
    assert len({int(np.argmax(run.outputs["logits"])) for run in runs}) <= 2


@pytest.mark.slow
def test_real_images():
    """200 images of Fashion-MNIST on the shipped network."""
    shipped: Any = find_core("fashion-spikformer")
    check(shipped.GRAPH, fashion_sample().images[:200], lanes=16)
