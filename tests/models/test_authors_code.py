"""The authors' own code, run as it is, spikes as the imported network does.

The environment variable of each architecture names a clone of its repository; SpikingJelly
0.0.0.0.14 and timm must be installed.
"""

# pyright: reportMissingImports=false

import os
import sys
import types
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(
        find_spec("spikingjelly.clock_driven") is None if find_spec("spikingjelly") else True,
        reason="SpikingJelly is not installed: pip install spikingjelly==0.0.0.0.14 timm",
    ),
]
SHAPE = {
    **{"img_size_h": 28, "img_size_w": 28, "patch_size": 4, "in_channels": 1, "num_classes": 10},
    **{"embed_dims": 64, "num_heads": 4, "mlp_ratios": 2, "depths": 2, "sr_ratios": 1, "T": 4},
}
SETTINGS = {"heads": "4", "image": "28", "mean": "0.286", "std": "0.353"}


def run_file(path, name):
    """A module of the authors, with PyTorch in place of CuPy."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    text = path.read_text()
    for quote in "'\"":
        text = text.replace(f"backend={quote}cupy{quote}", "backend='torch'")
    exec(compile(text, str(path), "exec"), module.__dict__)
    return module


def spikformer(folder):
    return run_file(folder / "cifar10" / "model.py", "spikformer_model").Spikformer(**SHAPE)


def spike_driven(folder):
    package = types.ModuleType("module")
    sys.modules["module"] = package
    for name in ("ms_conv", "sps"):
        vars(package).update(vars(run_file(folder / "module" / f"{name}.py", f"module.{name}")))
    module = run_file(folder / "model" / "spikeformer.py", "spike_driven_model")
    return module.SpikeDrivenTransformer(**SHAPE, pooling_stat="0011")


CASES = {
    "spikformer": ("SPIKFORMER_REPOSITORY", spikformer),
    "spike-driven": ("SPIKE_DRIVEN_REPOSITORY", spike_driven),
}


@pytest.mark.parametrize("name", CASES)
def test_spikes(name):
    import torch
    from spikingjelly.clock_driven import functional

    from spikeloom_models.data import fashion_sample
    from spikeloom_models.importers.registry import Keys, architectures

    from .spikformer_reference import lively

    variable, make = CASES[name]
    if variable not in os.environ:
        pytest.skip(f"{variable} does not name a clone of the authors' repository")
    torch.manual_seed(0)
    model, images = make(Path(os.environ[variable])), fashion_sample().images[:16]
    given = (torch.from_numpy(images.copy()).permute(0, 3, 1, 2).float() / 255 - 0.286) / 0.353
    lively(model, given)
    functional.reset_net(model)
    spikes = []
    for module in model.modules():
        if type(module).__name__ == "MultiStepLIFNode":
            module.register_forward_hook(lambda _, __, output: spikes.append(output.detach()))
    with torch.no_grad():
        logits = model(given)
        logits = logits[0] if isinstance(logits, tuple) else logits
    imported, keys = architectures()[name], Keys(model.state_dict())
    network = imported.build(keys, imported.values(SETTINGS))
    keys.close()
    signals = network.signals(torch.from_numpy(images.copy()))
    ours = [signals[layer.name] for layer in network.layers if getattr(layer, "neuron", None)]
    if name == "spike-driven":  # these neurons have another output: the mask, not the masked Q
        kept = [layer for layer in network.layers if getattr(layer, "neuron", None)]
        ours = [x for x, layer in zip(ours, kept, strict=True) if "attention" not in layer.name]
        spikes = [x for x in spikes if x.ndim != 5 or x.shape[-2] != 1]
    assert len(ours) == len(spikes)
    for one, other in zip(ours, spikes, strict=True):
        flat = other.flatten(-2).transpose(-1, -2) if other.ndim == 5 else other
        assert torch.equal(flat.reshape(one.shape), one)
    assert np.allclose(signals["head"].numpy(), logits.numpy(), atol=1e-5)
