"""Fine-tuning: the forward pass is the golden model's, and weights of 4 bits win accuracy back."""

# pyright: reportMissingImports=false

import json

import numpy as np
import pytest

from spikeloom.errors import InputError
from spikeloom.networks import golden
from spikeloom.networks.file import load, save
from spikeloom.networks.layers.weighted import Weighted
from spikeloom_cli.main import main

from .needs_torch import NEEDS_TORCH

pytestmark = NEEDS_TORCH


def flagship():
    from spikeloom.networks.finding import find_network

    return find_network("fashion-spikformer").GRAPH


def imported():
    """A Spikformer with convolutions, pooling and sums of spikes, and its images."""
    import torch

    from spikeloom_models.importers.registry import Keys, architectures
    from spikeloom_models.quantise import quantise

    from .spikformer_reference import Spikformer, lively

    torch.manual_seed(4)
    model = Spikformer(dims=16, heads=2, hidden=24, blocks=1, classes=10, steps=2)
    model = lively(model, torch.rand(8, 1, 28, 28))
    spikformer = architectures()["spikformer"]
    values = spikformer.values({"heads": "2", "image": "28", "steps": "2", "mean": "0.3"})
    return quantise(spikformer.build(Keys(model.state_dict()), values), name="small").graph


@pytest.mark.parametrize("make", [flagship, imported])
@pytest.mark.parametrize(("bits", "image_bits"), [(8, 8), (4, 4), (4, 8)])
def test_forward_pass_is_the_golden_model(make, bits, image_bits):
    import torch

    from spikeloom_models.data import fashion_sample
    from spikeloom_models.tuning import Tunable, requantised

    graph = requantised(make(), bits, image_bits) if bits < 8 else make()
    assert graph.word_bits == bits
    images = fashion_sample().images[:12]
    given = torch.from_numpy(np.array(golden.with_positions(graph, images)))
    model = Tunable(graph)
    assert np.array_equal(model(given).detach().numpy(), golden.run(graph, images).logits)
    loss = torch.nn.functional.cross_entropy(model(given) * 1e-3, torch.arange(12) % 10)
    loss.backward()
    reached = [float(x.grad.abs().sum()) > 0 for x in model.weights.values()]
    assert all(reached)
    again = model.to_graph()
    for one, other in zip(graph.layers, again.layers, strict=True):
        if isinstance(one, Weighted):
            assert np.array_equal(one.weight, other.weight)
            assert np.array_equal(one.bias, other.bias)
            assert one.weight_bits == (image_bits if one is graph.embedding else bits)


def test_what_cannot_be_tuned():
    from dataclasses import replace

    from spikeloom.networks.neuron import Neuron
    from spikeloom_models.tuning import Tunable

    graph = flagship()
    layer = graph.layer("block0.k")
    relu = replace(layer, neuron=Neuron(kind="relu", threshold=4, bits=1))
    changed = replace(graph, layers=tuple(relu if x is layer else x for x in graph.layers))
    with pytest.raises(
        InputError, match=r"layer block0\.k: no fine-tuning of neurons of kind relu"
    ):
        Tunable(changed)


@pytest.mark.long
def test_tune_command(tmp_path, capfd):
    """On few images the network learns these images themselves."""
    from spikeloom_models.data import fashion_sample

    data = fashion_sample().first(512)
    np.savez(
        tmp_path / "data.npz",
        **{f"x_{part}": data.images for part in ("train", "test")},
        **{f"y_{part}": data.labels for part in ("train", "test")},
    )
    save(tmp_path / "net.safetensors", flagship())
    output = tmp_path / "four.safetensors"
    command = ["tune", str(tmp_path / "net.safetensors"), "--data", str(tmp_path / "data.npz")]
    command += ["--bits", "4", "--epochs", "5", "--rate", "3e-3", "-o", str(output)]
    assert main([*command, "--threads", "1", "--json"]) == 0
    accuracy = json.loads(capfd.readouterr().out)["accuracy"]
    assert accuracy["rounded"] < accuracy["given"]
    assert accuracy["tuned"] > accuracy["given"], accuracy
    graph = load(output)
    embed, *others = graph.weighted
    assert (embed.weight_bits, graph.word_bits) == (8, 4)
    assert {x.weight_bits for x in others} == {4}
    labels = golden.run_chunks(graph, data.images).labels
    assert np.mean(labels == data.labels) == accuracy["tuned"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--bits", "8"], "'8' is not one of '4', '6'"),
        (["--bits", "4", "--data", "none"], "none does not exist"),
        (["--bits", "4", "-o", "net.pth"], "ends in .safetensors"),
        (["--bits", "4", "--epochs", "0"], "greater than or equal to 1"),
    ],
)
def test_refusals(options, message, tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ["tune", "fashion-spikformer", "--data", ".", "-o", "net.safetensors", *options]
    code = main(command)
    err = capfd.readouterr().err
    assert (code, err.count("\n"), message in err) == (2, 1, True), err
    assert not (tmp_path / "net.safetensors").exists()
