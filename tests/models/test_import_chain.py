"""Chains of linear layers and neurons, from snnTorch and from NIR: spikes as the library's own."""

# pyright: reportMissingImports=false

import json
import re
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest

from spikeloom.networks.engine.constants import fewest_step_rows
from spikeloom.networks.engine.rests import step_constant
from spikeloom.networks.engine.weight_format import weight_format
from spikeloom.networks.file import load
from spikeloom_cli.main import main

from .needs_torch import NEEDS_TORCH

pytestmark = NEEDS_TORCH
STEPS, SIZES = 8, (784, 48, 32, 10)
SETTINGS = {"image": "28", "steps": str(STEPS), "mean": "0.286", "std": "0.353"}
RULES = {
    "zero": ({"beta": 0.5, "reset_mechanism": "zero"}, "hard"),
    "zero at once": ({"beta": 0.5, "reset_mechanism": "zero", "reset_delay": False}, "hard"),
    "zero, all kept": ({"beta": 1.0, "reset_mechanism": "zero"}, "hard"),
    "subtract": ({"beta": 1.0, "reset_mechanism": "subtract"}, "soft"),
}
snntorch = pytest.mark.skipif(
    find_spec("snntorch") is None, reason="snnTorch is not installed: pip install snntorch"
)
nir = pytest.mark.skipif(find_spec("nir") is None, reason="NIR is not installed: pip install nir")


@pytest.fixture(scope="module")
def images():
    from spikeloom_models.data import fashion_sample

    return fashion_sample().images[:48]


def leaky_net(readout=True, threshold=1.0, **options):
    """A network of snnTorch; its `forward` gives the spikes of each layer and the logits."""
    import snntorch
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            pairs = list(pairwise(SIZES))
            for n, (inputs, outputs) in enumerate(pairs):
                linear = torch.nn.Linear(inputs, outputs)
                torch.nn.init.normal_(linear.weight, 0.15 / inputs**0.5, 2.0 / inputs**0.5)
                setattr(self, f"fc{n}", linear)
                if readout or n < len(pairs) - 1:
                    level = threshold if n else 1.0
                    setattr(self, f"lif{n}", snntorch.Leaky(threshold=level, **options))

        def forward(self, x):
            count, found, out, memory = len(SIZES) - 1, {}, 0, {}
            for _ in range(STEPS):
                now = x.flatten(1)
                for n in range(count):
                    now = getattr(self, f"fc{n}")(now)
                    if not hasattr(self, f"lif{n}"):
                        continue
                    lif = getattr(self, f"lif{n}")
                    memory.setdefault(n, lif.reset_mem())
                    now, memory[n] = lif(now, memory[n])
                    found.setdefault(f"fc{n}", []).append(now)
                out = out + now
            return {name: torch.stack(parts) for name, parts in found.items()}, out / STEPS

    torch.manual_seed(2)
    return Net()


def trained(net, data, epochs=6):
    """The network after some epochs of `data`."""
    import torch

    torch.manual_seed(3)
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3)
    given, labels = normalised(data.images), torch.from_numpy(data.labels.copy())
    for _ in range(epochs):
        for chosen in torch.randperm(len(labels)).split(50):
            loss = torch.nn.functional.cross_entropy(3 * net(given[chosen])[1], labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return net


def normalised(images):
    import torch

    return (torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255 - 0.286) / 0.353


def build(name, state, **settings):
    from spikeloom_models.importers.registry import Keys, architectures

    imported = architectures()[name]
    return imported.build(Keys(state), imported.values(SETTINGS | settings))


def check_spikes(network, images, spikes, logits):
    """All spikes equal; the logits are near."""
    import torch

    signals = network.signals(torch.from_numpy(images))
    for name, expected in spikes.items():
        assert 0.01 < expected.mean() < 0.9, name
        assert torch.equal(signals[name][:, :, 0], expected), name
    assert torch.allclose(signals[network.layers[-1].name], logits, atol=1e-5)


@snntorch
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("readout", [True, False], ids=["spikes", "sums"])
def test_spikes_are_those_of_snntorch(rule, readout, images):
    import torch

    net = leaky_net(readout, **RULES[rule][0])
    with torch.no_grad():
        spikes, logits = net(normalised(images))
    check_spikes(build("snntorch", net.state_dict()), images, spikes, logits)


@snntorch
def test_thresholds_of_neurons(images):
    """One for each neuron: they go into the weights, which changes roundings alone."""
    import torch

    net = leaky_net(beta=0.5, reset_mechanism="zero")
    net.lif0.threshold = torch.linspace(0.6, 1.4, SIZES[1])
    with torch.no_grad():
        spikes, _ = net(normalised(images))
    signals = build("snntorch", net.state_dict()).signals(torch.from_numpy(images))
    for name, expected in spikes.items():
        assert (signals[name][:, :, 0] != expected).float().mean() < 1e-3


@snntorch
@pytest.mark.parametrize("rule", ["zero", pytest.param("subtract", marks=pytest.mark.long)])
def test_integers_of_a_trained_network(rule, tmp_path, capfd):
    """The command: eight bits, and biases that the engine adds in one row."""
    import torch

    from spikeloom_models.data import fashion_sample

    data = fashion_sample()
    net = trained(leaky_net(**RULES[rule][0]), data)
    torch.save(net.state_dict(), tmp_path / "net.pth")
    np.save(tmp_path / "x.npy", data.images)
    np.save(tmp_path / "y.npy", data.labels)
    output = tmp_path / "net.safetensors"
    command = ["import", str(tmp_path / "net.pth"), "--arch", "snntorch", "-o", str(output)]
    command += [f"--set={key}={value}" for key, value in SETTINGS.items() if key != "image"]
    command += ["--calibrate", str(tmp_path / "x.npy"), "--labels", str(tmp_path / "y.npy")]
    assert main([*command, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["float_accuracy"] > 0.7
    assert found["tried"][0]["accuracy"] > found["float_accuracy"] - 0.02
    assert found["tried"][0]["agreement"] > 0.93, found["tried"]
    graph = load(output)
    assert {layer.neuron.reset for layer in graph.layers[:-1]} == {RULES[rule][1]}


@snntorch
def test_biases_that_the_engine_adds_in_one_row(tmp_path, capfd):
    """Small weights make large thresholds, which take two rows of weights unless rounded."""
    import torch

    net = leaky_net(beta=0.5, reset_mechanism="zero")
    for linear in (net.fc1, net.fc2):
        linear.weight.data *= 0.2
    torch.save(net.state_dict(), tmp_path / "net.pth")
    output = tmp_path / "net.safetensors"
    command = ["import", str(tmp_path / "net.pth"), "--arch", "snntorch", "-o", str(output)]
    command += [f"--set={key}={value}" for key, value in SETTINGS.items()]
    assert main([*command, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)["biases"]
    assert found.keys() == {"fc1", "fc2"}
    assert 0 < max(found.values()) <= 1 / 16
    from spikeloom_models.quantise import quantise

    exact, rounded = quantise(build("snntorch", net.state_dict())).graph, load(output)
    for name, share in found.items():
        one, other = exact.layer(name), rounded.layer(name)
        assert np.abs(one.bias - other.bias).max() == share * one.neuron.threshold
        rows = [
            len(fewest_step_rows(step_constant(x), weight_format(rounded).shift, 8))
            for x in (one, other)
        ]
        assert rows == [2, 1]
    assert main([*command, "--exact-biases", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["biases"] == {}
    assert np.array_equal(load(output).layer("fc1").bias, exact.layer("fc1").bias)
    assert main(command) == 0
    text = capfd.readouterr().out
    assert "biases of fc1, fc2 rounded, so that the engine takes fewer cycles" in text
    assert re.search(r"encoding +constant +\(default\)", text)


@pytest.mark.parametrize(("tau", "reset"), [(2.0, "hard"), (float("inf"), "soft")])
def test_the_engine_runs_a_chain(tau, reset):
    """One patch of the whole image; logits and cycles are those of the golden model."""
    import torch

    from spikeloom_models.floating import FloatNeuron
    from spikeloom_models.importers.chain import Stage, chain_network
    from spikeloom_models.importers.jobs import fitted
    from spikeloom_models.quantise import quantise
    from tests.networks.test_engine import check_graph

    torch.manual_seed(1)
    neuron = FloatNeuron(tau=tau, decay_input=False, reset=reset, strict=True)
    sizes = [(12, 64), (9, 12), (3, 9)]
    stages = [
        Stage(f"fc{n}", 2 * torch.randn(size) / size[1] ** 0.5, torch.rand(size[0]), neuron)
        for n, size in enumerate(sizes)
    ]
    values = {"image": 8, "steps": 3, "mean": (0.3,), "std": (0.5,)}
    graph = fitted(quantise(chain_network("chain", stages, values)).graph)
    images = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 1)).astype(np.uint8)
    check_graph(graph, images, {"lanes": 8})


REFUSED = {
    "beta": ({"beta": 0.9}, {}, "lif0: beta of 0.9", "the nearest is 1"),
    "late": ({"beta": 0.5}, {}, "lif0: reset_mechanism is subtract", "reset_mechanism='zero'"),
    "twice": ({"beta": 1.0}, {"reset_delay": "0"}, "reset_mechanism is subtract", "reset_delay"),
    "none": ({"beta": 0.5, "reset_mechanism": "none"}, {}, "reset_mechanism is none", "zero"),
    "graded": (
        {"beta": 1.0, "graded_spikes_factor": 2.0},
        {},
        "lif0.graded_spikes_factor is not 1",
        "train without it",
    ),
    "threshold": ({"beta": 1.0, "threshold": -1.0}, {}, "lif1.threshold is -1", "above 0"),
    "image": ({"beta": 1.0}, {"image": "27"}, "fc0 takes 784 inputs", "27 x 27"),
    "encoding": ({"beta": 1.0}, {"encoding": "rate"}, "--set encoding=rate", "give constant"),
    "steps": ({"beta": 1.0}, {"steps": "65"}, "--set steps=65", "an integer above 0 to 64"),
}


@snntorch
@pytest.mark.parametrize("case", REFUSED)
def test_refusals_of_snntorch(case, tmp_path, capfd):
    import torch

    options, settings, *messages = REFUSED[case]
    torch.save(leaky_net(**options).state_dict(), tmp_path / "net.pth")
    refused(tmp_path, "net.pth", "snntorch", SETTINGS | settings, messages, capfd)


def refused(folder, file, arch, settings, messages, capfd):
    """One line, which holds `messages`, and no file."""
    output = folder / "net.safetensors"
    command = ["import", str(folder / file), "--arch", arch, "-o", str(output)]
    code = main([*command, *(f"--set={key}={value}" for key, value in settings.items())])
    err = capfd.readouterr().err
    assert (code, err.count("\n")) == (2, 1), err
    assert all(message in err for message in messages), err
    assert not output.exists()


def nir_graph(net, dt=1e-4, neuron=None, **parts):
    """The graph that snnTorch writes for a network, whose nodes are `neuron` with other `parts`."""
    import nir

    nodes = []
    for n in range(len(SIZES) - 1):
        linear, lif = getattr(net, f"fc{n}"), getattr(net, f"lif{n}")
        weight, bias = (x.detach().numpy() for x in (linear.weight, linear.bias))
        nodes.append(nir.Affine(weight=weight, bias=bias))
        ones = np.ones(len(bias), np.float32)
        keep = ones * np.float32(lif.beta)
        values = {"r": ones / (1 - keep)} if keep[0] < 1 else {"r": ones / np.float32(dt)}
        values |= {"v_threshold": ones * float(lif.threshold), "v_reset": 0 * ones}
        if keep[0] < 1:
            values |= {"tau": np.float32(dt) / (1 - keep), "v_leak": 0 * ones}
        if neuron is nir.CubaLIF:
            values |= {"tau_mem": values.pop("tau"), "tau_syn": np.float32(dt) * ones, "w_in": ones}
        values |= {name: value * ones for name, value in parts.items()}
        default = nir.LIF if keep[0] < 1 else nir.IF
        nodes.append((neuron or default)(**values))
    return nir.NIRGraph.from_list(*nodes)


NIR_SETTINGS = SETTINGS | {"dt": "1e-4", "reset": "hard"}


@nir
@snntorch
@pytest.mark.parametrize("kind", ["LIF", "CubaLIF", "IF"])
def test_spikes_of_nir_are_those_of_the_network_that_wrote_it(kind, images, tmp_path):
    import nir
    import torch

    from spikeloom_models.importers.checkpoint import read_state

    beta = 1.0 if kind == "IF" else 0.5
    rule = "subtract" if kind == "IF" else "zero"
    net = leaky_net(beta=beta, reset_mechanism=rule)
    nir.write(tmp_path / "net.nir", nir_graph(net, neuron=getattr(nir, kind)))
    with torch.no_grad():
        spikes, logits = net(normalised(images))
    reset = "soft" if kind == "IF" else "hard"
    network = build("nir", read_state(tmp_path / "net.nir"), dt="1e-4", reset=reset)
    names = [layer.name for layer in network.layers]
    assert names == ["affine", "affine_1", "affine_2", "spike_count"]
    check_spikes(network, images, dict(zip(names, spikes.values(), strict=False)), logits)


NIR_REFUSED = {
    "tau": ({"tau": 1e-3}, {}, "1 - dt / tau of 0.9"),
    "dt": ({}, {"dt": "0"}, "--set dt=0: give a number above 0"),
    "reset": ({}, {"reset": ""}, "--set reset=: give hard or soft"),
    "v_reset": ({"v_reset": 0.1}, {}, "v_reset is 0.1; the hardware resets to 0"),
    "threshold": ({"v_threshold": 0}, {}, "v_threshold is 0; a threshold must be above 0"),
    "nan": ({"r": float("nan")}, {}, "lif.r holds NaN or infinity"),
}


@nir
@snntorch
@pytest.mark.parametrize("case", NIR_REFUSED)
def test_refusals_of_nir(case, tmp_path, capfd):
    import nir

    parts, settings, message = NIR_REFUSED[case]
    net = leaky_net(beta=0.5, reset_mechanism="zero")
    nir.write(tmp_path / "net.nir", nir_graph(net, **parts))
    refused(tmp_path, "net.nir", "nir", NIR_SETTINGS | settings, [message], capfd)


@nir
def test_graphs_that_are_no_chains(tmp_path, capfd):
    import nir

    ones = np.ones(4, np.float32)
    linear = nir.Linear(weight=np.ones((4, 4), np.float32))
    lif = nir.LIF(tau=2e-4 * ones, r=ones, v_leak=0 * ones, v_threshold=ones, v_reset=0 * ones)
    cases = {
        "is of type Threshold": [linear, nir.Threshold(threshold=ones)],
        "neurons without a linear layer": [lif, linear],
        "needs a linear layer with neurons": [linear],
    }
    for message, nodes in cases.items():
        nir.write(tmp_path / "net.nir", nir.NIRGraph.from_list(*nodes))
        refused(tmp_path, "net.nir", "nir", NIR_SETTINGS, [message], capfd)
    nodes = {"input": nir.Input(np.array([4])), "a": linear, "b": linear, "o": nir.Output([4])}
    edges = [("input", "a"), ("input", "b"), ("a", "o"), ("b", "o")]
    nir.write(tmp_path / "net.nir", nir.NIRGraph(nodes, edges))
    refused(tmp_path, "net.nir", "nir", NIR_SETTINGS, ["the graph branches"], capfd)
    for content in (b"", b"\x89HDF\r\n\x1a\n" + bytes(64)):
        (tmp_path / "net.nir").write_bytes(content)
        refused(tmp_path, "net.nir", "nir", NIR_SETTINGS, ["not a readable NIR graph"], capfd)
