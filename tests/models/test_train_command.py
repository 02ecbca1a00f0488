"""`spikeloom train`: a small training, and what is refused before it begins."""

import json
from importlib.util import find_spec

import numpy as np
import pytest

from spikeloom.networks.file import load
from spikeloom_cli.main import main
from tests.models.test_data import idx

HAS_TORCH = find_spec("torch") is not None


@pytest.fixture
def data(tmp_path):
    """A folder of IDX files: 64 images to train, 20 to test."""
    rng = np.random.default_rng(2)
    for part, count in (("train", 256), ("t10k", 20)):
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        labels = (np.arange(count) % 10).astype(np.uint8)
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
    return tmp_path


@pytest.mark.torch
@pytest.mark.skipif(not HAS_TORCH, reason="PyTorch is not installed: pip install '.[torch]'")
def test_train(data, tmp_path, capfd):
    output = tmp_path / "net.safetensors"
    options = ["--epochs", "1", "--threads", "1", "--no-compile", "--json"]
    code = main(["train", "mnist", "--data", str(data), "-o", str(output), *options])
    out, err = capfd.readouterr()
    assert (code, err) == (0, "")
    summary, graph = json.loads(out), load(output)
    assert (graph.name, graph.classes) == ("mnist-spikformer", tuple("0123456789"))
    assert summary["images"] == 20
    assert summary["accumulator_bits"] == graph.accumulator_bits
    assert summary["layers"].keys() == graph.bounds.keys() - {"head"} | {
        "block0.x1",
        "block0.x2",
        "block1.x1",
        "block1.x2",
    }


@pytest.mark.torch
@pytest.mark.skipif(not HAS_TORCH, reason="PyTorch is not installed: pip install '.[torch]'")
def test_train_vit(data, tmp_path, capfd):
    """Its weights are in floating point, and give the classes that were reported."""
    import torch
    from safetensors.torch import load_file

    from spikeloom_models.data import read_data
    from spikeloom_models.torch import TransformerShape, VisionTransformer

    output = tmp_path / "vit.safetensors"
    options = ["--epochs", "1", "--threads", "1", "--no-compile", "--json", "--set", "width=16"]
    code = main(
        ["train", "mnist", "--data", str(data), "-o", str(output), "--arch", "vit", *options]
    )
    out, err = capfd.readouterr()
    assert (code, err) == (0, "")
    summary, test = json.loads(out), read_data(data, "test", 10)
    assert (summary["images"], summary["layers"]) == (20, {})
    model = VisionTransformer(TransformerShape(width=16))
    model.load_state_dict(load_file(output))
    with torch.no_grad():
        logits = model.eval()(torch.from_numpy(test.images.copy()))
    assert summary["accuracy"] == np.mean(logits.argmax(1).numpy() == test.labels)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cifar", "--data", "."], "unknown task 'cifar'"),
        (["mnist", "--data", ".", "--arch", "resnet"], "unknown architecture 'resnet'"),
        (["mnist", "--data", ".", "--set", "depth=3"], "unknown key 'depth'"),
        (
            ["mnist", "--data", ".", "--arch", "vit", "--set", "steps=2"],
            "key steps means nothing to --arch vit",
        ),
        (["mnist", "--data", ".", "--name", "My Net"], "'My Net' is not a name"),
        (["mnist", "--data", ".", "--set", "k_bits=2"], "key k_bits means nothing to"),
        (["mnist", "--data", ".", "--set", "width=wide"], "width = 'wide' is not a whole number"),
        (["mnist", "--data", ".", "--set", "rate=0"], "rate must be a number in (0.0, 1.0]"),
        (["mnist", "--data", ".", "-o", "net.pt"], "ends in .safetensors"),
        (["mnist", "--data", ".", "-o", "no/net.safetensors"], "folder no does not exist"),
        (["mnist", "--data", ".", "--checkpoint", "net.safetensors"], "name another"),
    ],
)
def test_refusals(arguments, message, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    code = main(["train", "-o", "net.safetensors", *arguments])
    err = capfd.readouterr().err
    assert (code, err.count("\n"), message in err) == (2, 1, True), err
    assert not list(tmp_path.iterdir())


def test_without_torch(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("spikeloom_models.tasks.find_spec", lambda name: None)
    code = main(["train", "mnist", "--data", ".", "-o", str(tmp_path / "net.safetensors")])
    err = capfd.readouterr().err
    assert (code, "pip install 'spikeloom[torch]'" in err) == (2, True)
