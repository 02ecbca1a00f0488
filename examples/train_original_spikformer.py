"""Train the Spikformer of its authors' code on Fashion-MNIST, to import it afterwards.

    python examples/train_original_spikformer.py SPIKFORMER DATA -o original

SPIKFORMER is a clone of https://github.com/ZK-Zhou/spikformer, DATA the folder of the IDX files.
The code runs as it is, except that PyTorch takes the place of CuPy. It writes the checkpoint
``original.pth.tar``, and the logits that this code gives the test images to ``original.npy``, a
reference for `spikeloom evaluate`. It needs spikingjelly==0.0.0.0.14 and timm; an epoch takes about
25 minutes of a processor core.
"""

# pyright: reportMissingImports=false

import argparse
import sys
import time
import types
from pathlib import Path

import numpy as np
import torch
from spikingjelly.clock_driven.functional import reset_net
from torch.nn.functional import cross_entropy

from spikeloom_models.data import read_data

MEAN, STD = 0.286, 0.353
SHAPE = {
    **{"img_size_h": 28, "img_size_w": 28, "patch_size": 4, "in_channels": 1, "num_classes": 10},
    **{"embed_dims": 64, "num_heads": 4, "mlp_ratios": 2, "depths": 2, "sr_ratios": 1, "T": 4},
}
BATCH = 64
RATE = 4e-3
SHOWN = 50  # steps


def authors_model(folder):
    """The module of the authors' model for CIFAR-10, with PyTorch in place of CuPy."""
    module = types.ModuleType("spikformer_model")
    sys.modules[module.__name__] = module
    path = folder / "cifar10" / "model.py"
    text = path.read_text().replace("backend='cupy'", "backend='torch'")
    exec(compile(text, str(path), "exec"), vars(module))
    return module.Spikformer(**SHAPE)


def planes(images):
    """Images of bytes (B, Y, X, C) as the normalised input of the model."""
    given = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
    return (given.float() / 255 - MEAN) / STD


def train(model, data, images, seed):
    """One pass over the first `images` images of a random order."""
    order = np.random.default_rng(seed).permutation(len(data))[:images]
    steps, begun = len(order) // BATCH, time.monotonic()
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    model.train()
    for step in range(steps):
        chosen = order[step * BATCH : (step + 1) * BATCH]
        reset_net(model)
        loss = cross_entropy(model(planes(data.images[chosen])), torch.tensor(data.labels[chosen]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % SHOWN == 0:
            passed = time.monotonic() - begun
            print(f"step {step} of {steps}: loss {loss.item():.3f}, {passed:.0f} s", flush=True)


@torch.no_grad()
def logits(model, images):
    """What the model gives images."""
    model.eval()
    found = []
    for start in range(0, len(images), BATCH):
        reset_net(model)
        found.append(model(planes(images[start : start + BATCH])))
    return torch.cat(found).numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("spikformer", type=Path, help="clone of the authors' repository")
    parser.add_argument("data", help="folder of the IDX files of Fashion-MNIST")
    parser.add_argument("-o", "--output", type=Path, default=Path("original"))
    parser.add_argument("--images", type=int, default=60_000, help="training images")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    model = authors_model(given.spikformer)
    train(model, read_data(given.data, "train", 10), given.images, given.seed)
    torch.save({"state_dict": model.state_dict()}, given.output.with_suffix(".pth.tar"))
    test = read_data(given.data, "test", 10)
    found = logits(model, test.images)
    np.save(given.output.with_suffix(".npy"), found)
    right = np.mean(found.argmax(1) == test.labels)
    print(f"{100 * right:.2f} % of {len(test):,} test images are right")


if __name__ == "__main__":
    main()
