"""Checkpoints become network files: the float network is the checkpoint's, the integers are near
it, and what does not fit is refused in one line."""

# pyright: reportMissingImports=false

import json
import re
from argparse import Namespace
from dataclasses import replace

import numpy as np
import pytest

from spikeloom.errors import InputError
from spikeloom.networks.file import load
from spikeloom.networks.layers import Convolution
from spikeloom_cli.main import main

from .needs_torch import NEEDS_TORCH

pytestmark = NEEDS_TORCH
SETTINGS = {"heads": "4", "image": "16", "mean": "0.3", "std": "0.4"}
NEURONS = {
    "patch_embed.proj_lif": "stem0",
    **{f"patch_embed.proj_lif{n}": f"stem{n}" for n in (1, 2, 3)},
    "patch_embed.rpe_lif": "position",
    **{
        f"block.{b}.{key}_lif": f"block{b}.{key.rpartition('.')[2].replace('attn', 'attention')}"
        for b in (0, 1)
        for key in ("attn.q", "attn.k", "attn.v", "attn.attn", "attn.proj", "mlp.fc1", "mlp.fc2")
    },
}


@pytest.fixture(scope="module")
def images():
    """Smooth pictures: neighbouring pixels are alike."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (24, 5, 5)).astype(float)
    fine = np.kron(coarse, np.ones((1, 4, 4)))[:, 1:17, 2:18]
    return np.clip(fine + rng.normal(0, 12, fine.shape), 0, 255).astype(np.uint8)[..., None]


@pytest.fixture(scope="module")
def model(images):
    import torch

    from .spikformer_reference import Spikformer, lively

    torch.manual_seed(1)
    return lively(Spikformer(), _normalised(images))


def _normalised(images):
    import torch

    return (torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255 - 0.3) / 0.4


def _build(state, **changes):
    from spikeloom_models.importers.registry import Keys, architectures

    spikformer, keys = architectures()["spikformer"], Keys(state)
    network = spikformer.build(keys, spikformer.values(SETTINGS | changes))
    keys.close()
    return network


def test_spikes_are_those_of_the_checkpoint(model, images):
    import torch

    with torch.no_grad():
        logits = model(_normalised(images))
    network = _build(model.state_dict())
    signals = network.signals(torch.from_numpy(images))
    for key, name in NEURONS.items():
        spikes = model.get_submodule(key).spikes
        if spikes.ndim == 5:
            spikes = spikes.flatten(-2).transpose(-1, -2)
        spikes = spikes.reshape(signals[name].shape)
        assert 0.001 < spikes.mean() < 0.9, name
        assert torch.equal(spikes, signals[name]), name
    assert torch.allclose(signals["head"], logits, atol=1e-5)


def test_a_convolution_of_one_by_one_is_a_linear_layer(model, images):
    """The authors' variant for ImageNet: other keys, and two more sizes of 1."""
    import torch

    state = {}
    for key, value in model.state_dict().items():
        if "_linear.weight" in key:
            value = value[..., None] if "attn" in key else value[..., None, None]
        state[key.replace("_linear", "_conv")] = value
    given = torch.from_numpy(images)
    expected = _build(model.state_dict()).logits(given)
    assert torch.equal(_build(state).logits(given), expected)


@pytest.mark.parametrize("wrapper", ["", "state_dict", "model"])
def test_reading(model, tmp_path, wrapper):
    import torch

    from spikeloom_models.importers.checkpoint import read_state

    state = {f"module.{key}": value for key, value in model.state_dict().items()}
    content = {wrapper: state, "epoch": 3, "args": Namespace(lr=0.1)} if wrapper else state
    torch.save(content, tmp_path / "net.pth.tar")
    found = read_state(tmp_path / "net.pth.tar")
    assert found.keys() == model.state_dict().keys()
    assert all(torch.equal(found[key], value) for key, value in model.state_dict().items())


class Harmful:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (print, ("harm",))


def _edited(edit):
    def make(state):
        state = dict(state)
        edit(state)
        return state

    return make


REFUSALS = {
    "needs code": (lambda s: {"model": Harmful()}, {}, "needs code to be read, which is never run"),
    "no tensors": (lambda s: {"model": 3}, {}, "'model' is no tensor"),
    "empty": (lambda s: {}, {}, "holds no state dict"),
    "missing": (
        _edited(lambda s: s.pop("block.1.mlp.fc1_bn.weight")),
        {},
        "lacks block.1.mlp.fc1_bn.weight",
    ),
    "unexpected": (
        _edited(lambda s: s.update(cls_token=s["head.bias"])),
        {},
        "holds 'cls_token', which the architecture does not have",
    ),
    "shape": (
        _edited(lambda s: s.update({"head.bias": s["head.bias"][:3]})),
        {},
        "head.bias has the shape (3,); it must be (5)",
    ),
    "nan": (
        _edited(lambda s: s.update({"head.bias": s["head.bias"] * float("nan")})),
        {},
        "head.bias holds NaN or infinity",
    ),
    "heads": (dict, {"heads": "5"}, "--set heads=5: 32 channels are no multiple"),
    "unknown setting": (dict, {"head": "4"}, "did you mean heads?"),
    "no number": (dict, {"heads": "four"}, "--set heads=four: give an integer"),
    "tau": (dict, {"tau": "1.5"}, "layer stem0: tau = 1.5"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(case, model, tmp_path, capfd):
    import torch

    make, settings, message = REFUSALS[case]
    torch.save(make(model.state_dict()), tmp_path / "net.pth")
    options = [f"--set={key}={value}" for key, value in (SETTINGS | settings).items()]
    output = tmp_path / "net.safetensors"
    code = main(
        ["import", str(tmp_path / "net.pth"), "--arch", "spikformer", "-o", str(output), *options]
    )
    err = capfd.readouterr().err
    assert (code, err.count("\n"), message in err) == (2, 1, True), err
    assert not output.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a checkpoint of torch.save"),
        (b"PK\x03\x04 not a zip", "is not a checkpoint of torch.save"),
    ],
)
def test_files_that_are_no_checkpoints(content, message, tmp_path):
    from spikeloom_models.importers.checkpoint import read_state

    (tmp_path / "net.pt").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_state(tmp_path / "net.pt")
    with pytest.raises(InputError, match="does not exist"):
        read_state(tmp_path / "none.pt")


def test_settings_that_a_checkpoint_does_not_hold():
    from spikeloom_models.importers.registry import architectures

    with pytest.raises(InputError, match=r"does not hold heads .*--set heads=VALUE"):
        architectures()["spikformer"].values({})


def test_folding_changes_few_spikes(model, images):
    """Normalisation in the weights, still in floating point: other rounding, the same network."""
    import torch

    from spikeloom_models.floating import FloatNetwork, Weighted

    network = _build(model.state_dict())
    layers = []
    for layer in network.layers:
        if isinstance(layer, Weighted):
            weight, bias = (x.float() for x in layer.folded())
            layer = replace(layer, weight=weight, bias=bias, norm=None)
        layers.append(layer)
    folded = FloatNetwork(network.name, network.steps, network.image, tuple(layers))
    given = torch.from_numpy(images)
    before, after = network.signals(given), folded.signals(given)
    for name, spikes in before.items():
        if name in NEURONS.values():
            assert (spikes != after[name]).float().mean() < 0.003, name
    assert torch.equal(before["head"].argmax(1), after["head"].argmax(1))


def test_integers_are_the_rounded_network(model, images):
    """Each layer, given the spikes of the floating-point network, computes its currents within the
    rounding of the weights; the attention's threshold is exact."""
    import torch

    from spikeloom_models.quantise import quantise

    network = _build(model.state_dict())
    floats, graph = network.signals(torch.from_numpy(images)), quantise(network).graph
    values = {name: x.numpy().swapaxes(0, 1) for name, x in floats.items() if x.ndim == 4}
    values["image"] = images
    assert graph.layer("block0.attention").neuron.threshold == 8
    assert graph.layer("stem0").border == (76,)
    for layer in graph.layers:
        if layer.KIND in ("residual", "classifier"):
            continue
        inputs = [values[name].astype(np.uint8) for name in layer.inputs]
        spikes = layer.compute(graph.sources(layer), inputs)
        differ = float((spikes != values[layer.name]).mean())
        exact = layer.KIND in ("attention", "pooling")
        assert differ == 0 if exact else differ < 0.03, (layer.name, differ)


@pytest.mark.parametrize("bits", [8, 4])
def test_rounding_for_the_inputs_of_a_layer(model, images, bits):
    """On other images than those of the calibration, sums are nearer to those of the exact weights,
    and without a constant error."""
    import torch

    from spikeloom_models.calibration import _rows, measured_inputs
    from spikeloom_models.quantise import _matrix, quantise

    network = _build(model.state_dict())
    inputs = measured_inputs(network, images[:16])
    signals = network.signals(torch.from_numpy(images[16:]))
    better = []
    for layer in network.layers:
        if layer.name not in inputs:
            continue
        exact, exact_bias = _matrix(layer)
        x = _rows(layer, signals[layer.inputs[0]]).numpy().astype(float)
        errors = []
        for given in (None, inputs):
            graph = quantise(network, bits, inputs=given).graph.layer(layer.name)
            scale = graph.neuron.threshold * layer.neuron.gain / layer.neuron.threshold
            current = (x @ graph.weight + graph.bias) / scale
            errors.append(np.square(current - (x @ exact + exact_bias)).mean())
        better.append(errors[1] / errors[0])
        assert np.abs(graph.weight).max() <= 2 ** (bits - 1) - 1
    assert max(better) < 1.1
    assert np.mean(better) < 0.8


def test_import_command(model, images, tmp_path, capfd):
    import torch

    torch.save({"state_dict": model.state_dict()}, tmp_path / "net.pth")
    np.save(tmp_path / "x.npy", images)
    labels = _build(model.state_dict()).logits(torch.from_numpy(images)).argmax(1).numpy()
    np.save(tmp_path / "y.npy", labels)
    output = tmp_path / "small.safetensors"
    options = [f"--set={key}={value}" for key, value in SETTINGS.items() if key != "image"]
    options += ["--calibrate", str(tmp_path / "x.npy"), "--labels", str(tmp_path / "y.npy")]
    options += ["--classes", "a,b,c,d,e", "--reference", str(tmp_path / "r.npy")]
    command = ["import", str(tmp_path / "net.pth"), "--arch", "spikformer", "-o", str(output)]
    assert main([*command, *options, "--bits", "auto", "--sweep", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    tried = [(one["bits"], one["stem_bits"]) for one in found["tried"]]
    assert tried == [(4, 4), (4, 8), (6, 6), (8, 8), (8, 16), (16, 16)]
    assert found["settings"]["image"] == [16, 16]
    assert found["float_accuracy"] == 1
    good = [one for one, x in zip(tried, found["tried"], strict=True) if x["accuracy"] >= 1 - 0.003]
    assert (found["bits"], found["stem_bits"]) == min(good, default=(16, 16))
    graph = load(output)
    assert (graph.name, graph.classes) == ("small", tuple("abcde"))
    assert np.load(tmp_path / "r.npy").argmax(1).tolist() == labels.tolist()
    assert main([*command, *options]) == 0
    text = capfd.readouterr().out
    assert re.search(r"^ heads +4  \(given\)", text, re.M)
    assert re.search(r"^ scale +0.125  \(default\)", text, re.M)
    assert "floating point: 100.00 % of 24 images" in text


def test_stem_bits(model, images, tmp_path, capfd):
    """Convolutions have more bits, of which the engine reads two digits; all layers may have."""
    import torch

    from spikeloom.networks.engine import compile_network

    torch.save(model.state_dict(), tmp_path / "net.pth")
    np.save(tmp_path / "x.npy", images)
    output = tmp_path / "net.safetensors"
    command = ["import", str(tmp_path / "net.pth"), "--arch", "spikformer", "-o", str(output)]
    command += [f"--set={key}={value}" for key, value in SETTINGS.items() if key != "image"]
    command += ["--calibrate", str(tmp_path / "x.npy"), "--json"]
    error = {}
    for bits, stem_bits, options in (
        (8, 8, []),
        (8, 12, ["--stem-bits", "12"]),
        (4, 8, ["--bits", "4", "--stem-bits", "8"]),
        (12, 12, ["--bits", "12"]),
    ):
        assert main([*command, *options]) == 0
        found = json.loads(capfd.readouterr().out)
        assert (found["bits"], found["stem_bits"]) == (bits, stem_bits)
        graph = load(output)
        for layer in graph.weighted:
            stem = isinstance(layer, Convolution)
            assert layer.weight_bits == (stem_bits if stem else bits)
            assert graph.digits(layer) == 1 + (layer.weight_bits > min(bits, 8))
        assert graph.word_bits == min(bits, 8)
        compile_network(graph, lanes=16)
        error[bits, stem_bits] = found["layers"]["stem1"]["error"]
    assert error[8, 12] == error[12, 12] < error[8, 8] / 10
    assert error[4, 8] < 1.2 * error[8, 8]


def test_calibration_images_that_do_not_fit(model, images, tmp_path, capfd):
    import torch

    torch.save(model.state_dict(), tmp_path / "net.pth")
    command = ["import", str(tmp_path / "net.pth"), "--arch", "spikformer", "--set=heads=4"]
    command += ["-o", str(tmp_path / "net.safetensors"), "--calibrate", str(tmp_path / "x.npy")]
    for array, options, message in (
        (images.astype(float), [], "give bytes (B, Y, X, C)"),
        (np.repeat(images, 3, 3), [], "do not fit a network for (16, 16, 1)"),
        (images, ["--bits", "5"], "'5' is not one of"),
        (images, ["--bits", "4", "--stem-bits", "12"], "at most 8 (two digits)"),
        (images, ["--bits", "auto", "--stem-bits", "12"], "--bits auto chooses them"),
        (images, ["--set", "image"], "write KEY=VALUE"),
        (images, ["--arch", "resnet"], "unknown architecture 'resnet'"),
    ):
        np.save(tmp_path / "x.npy", array)
        code = main([*command, *options])
        err = capfd.readouterr().err
        assert (code, err.count("\n"), message in err) == (2, 1, True), err
    assert not (tmp_path / "net.safetensors").exists()
