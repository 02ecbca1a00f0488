"""A vision transformer in phase codes: near its floating-point network, by command."""

import json
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from spikeloom.errors import InputError
from spikeloom.networks import golden
from spikeloom.networks.file import load
from spikeloom.networks.layers.phase_coded import base_of
from spikeloom.networks.neuron import Neuron
from spikeloom_cli.main import main

from .needs_torch import NEEDS_TORCH

if find_spec("torch") is not None:
    import torch

    from spikeloom_models.phase_choice import choose, squared_errors
    from spikeloom_models.phase_conversion import VisionNetwork, convert
    from spikeloom_models.torch import TransformerShape, VisionTransformer
    from spikeloom_models.training import save_weights

pytestmark = NEEDS_TORCH

SIZES = {"image": (8, 12, 1), "width": 8, "hidden": 12, "blocks": 2, "classes": 5, "heads": 2}


def images(count=40, seed=5):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 8, 12, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def model():
    """Random weights, with statistics of the normalisations from images."""
    torch.set_num_threads(1)
    torch.manual_seed(2)
    model = VisionTransformer(TransformerShape(**SIZES))
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm1d):
                module.momentum = 1.0
                module.weight.uniform_(0.6, 1.4)
                module.bias.uniform_(-0.3, 0.3)
        model.train()(torch.from_numpy(images(64, 1)))
    return model.eval()


@pytest.mark.parametrize(
    ("steps", "shift", "nearness"), [(40, 3, 0.985), (16, 2, 0.95)], ids=["8/7", "4/3"]
)
def test_conversion_is_near(model, steps, shift, nearness):
    """Every signal and the logits, by correlation; the codes of the stream are as fine as their
    base."""
    x = images()
    network = VisionNetwork(model, steps, shift)
    made = convert(network, images(64, 1), name="small")
    found = golden.run(made.graph, x, keep=True)
    with torch.no_grad():
        wanted = model.signals(torch.from_numpy(x))
        logits = model(torch.from_numpy(x)).numpy()
    base = 2**shift / (2**shift - 1)
    worth = base ** -np.arange(steps, dtype=float)
    for name, train in found.spikes.items():
        value = np.tensordot(train, worth, (1, 0))
        signal = wanted[name].numpy()
        heads = signal.shape[1] if signal.ndim == 4 else 1  # each has a scale of its own
        values = np.split(value, heads, axis=-1)
        wanted_values = np.split(signal, heads, axis=1) if heads > 1 else [signal]
        for one, other in zip(values, wanted_values, strict=True):
            assert np.corrcoef(one.flatten(), other.flatten())[0, 1] > nearness, name
    centred = found.logits - found.logits.mean(0)
    assert np.corrcoef(centred.flatten(), (logits - logits.mean(0)).flatten())[0, 1] > nearness
    assert {*made.cuts} >= {"embed", "block0.q", "block1.fc2", "head"}
    assert all(0 < cut.error < 0.05 for cut in made.cuts.values())


def test_steps_of_the_code_decide_the_error(model):
    """Finer bases are nearer."""
    x = images()
    logits = VisionNetwork(model).logits(torch.from_numpy(x)).numpy()
    errors = []
    for steps, shift in ((6, 1), (16, 2), (40, 3)):
        graph = convert(VisionNetwork(model, steps, shift), x, name="small").graph
        found = golden.run(graph, x).logits.astype(float)
        found *= (found * logits).sum() / (found * found).sum()
        errors.append(np.square(found - logits).mean())
    assert errors[0] > 2 * errors[1] > 3 * errors[2]


def test_chosen_codes(model):
    """Bases and steps of layers are nearer than the same for all, and steps are fewer."""
    x = images()
    logits = VisionNetwork(model).logits(torch.from_numpy(x)).numpy()
    errors, graphs = [], []
    for shift in (2, 3, 4, 0):
        made = convert(VisionNetwork(model, 40, shift), images(64, 1), name="small")
        found = golden.run(made.graph, x).logits.astype(float)
        found *= (found * logits).sum() / (found * found).sum()
        errors.append(np.square(found - logits).mean())
        graphs.append(made.graph)
    assert errors[-1] < 1.1 * min(errors[:-1])
    chosen = {name: (code.shift, code.steps) for name, code in made.codes.items()}
    assert {*chosen} == {
        *(f"block{n}.{part}" for n in (0, 1) for part in ("x", "q", "k", "v", "attention")),
        *(f"block{n}.{part}" for n in (0, 1) for part in ("x1", "fc1")),
        "head.x",
    }
    for name in chosen:
        signal = made.graph.signals[name]
        assert (signal.shift, signal.spiking_steps) == chosen[name]
    assert sum(steps for _, steps in chosen.values()) < 40 * len(chosen)
    scales = made.graph.layer("block1.attention").scales
    assert scales["base"] == base_of(chosen["block1.q"][0])


@pytest.mark.parametrize("spread", [0.03, 0.3, 3])
def test_choice(spread):
    """Against the neurons themselves, by all bases and steps."""
    values = np.abs(np.random.default_rng(1).normal(0, spread, 300))
    scale, unit, tried = values.max(), 1_000_000, {}
    current = np.round(values / scale * unit).astype(np.int64).reshape(1, 1, -1)
    for shift in range(1, 8):
        base = base_of(shift)
        for steps in (1, 2, 5, 17, 24):
            neuron = Neuron(kind="phase", threshold=round(unit * (1 + 1 / base) / 2), shift=shift)
            train = replace(neuron, steps=steps).fire(current, 24)
            found = np.tensordot(train, base ** -np.arange(24.0), (1, 0)) * scale
            error = np.square(found - values).sum() / np.square(values).sum()
            assert np.isclose(squared_errors(values, scale, shift, 24)[steps - 1], error, rtol=1e-3)
            tried[shift, steps] = error
    code = choose(values, scale, 24)
    assert code.error <= 1.05 * min(tried.values())


def test_import(model, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    save_weights("vit.safetensors", model)
    np.save("x.npy", images())
    command = ["import", "vit.safetensors", "--arch", "vit", "--set", "heads=2", "--exact-biases"]
    code = main([*command, "-o", "net.safetensors", "--calibrate", "x.npy", "--json"])
    out, err = capfd.readouterr()
    assert (code, err) == (0, "")
    summary, graph = json.loads(out), load("net.safetensors")
    assert (graph.name, graph.steps, graph.image) == ("net", 40, (8, 12, 2))
    assert summary["images"] == 40
    assert summary["tried"][0]["agreement"] > 0.8
    expected = convert(VisionNetwork(model), images(), name="vit").graph
    x = images(6, 9)
    assert np.array_equal(golden.run(graph, x).logits, golden.run(expected, x).logits)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give images with --calibrate X.npy"),
        (["--calibrate", "x.npy", "--set", "patch=5"], "takes 32 values; patches of 5 x 5 pixels"),
        (["--calibrate", "x.npy", "--set", "position=0"], "images of (8, 12, 1) do not fit"),
        (["--calibrate", "x.npy", "--set", "heads=3"], "3 heads do not divide a width of 8"),
        (
            ["--calibrate", "x.npy", "--set", "shift=8"],
            "--set shift=8: give an integer from 0 to 7",
        ),
        (
            ["--calibrate", "x.npy", "--set", "steps=99"],
            "--set steps=99: give an integer above 0 to 64",
        ),
    ],
)
def test_refusals(model, options, message, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    save_weights("vit.safetensors", model)
    np.save("x.npy", images())
    image = [] if "--calibrate" in options else ["--set", "image=8,12"]
    heads = [] if "heads=3" in options else ["--set", "heads=2"]
    command = ["import", "vit.safetensors", "--arch", "vit", *heads, *image, *options]
    code = main([*command, "-o", "net.safetensors"])
    err = capfd.readouterr().err
    assert (code, err.count("\n"), message in err) == (2, 1, True), err
    assert not (tmp_path / "net.safetensors").exists()


def test_conversion_needs_images(model):
    with pytest.raises(InputError, match="phase codes have scales of the data"):
        convert(VisionNetwork(model), None)
