"""A Spike-driven Transformer with the modules, keys and rules of its authors' code, written for the
tests. `test_authors_code` runs that code itself."""

# pyright: reportMissingImports=false

import torch
from torch import nn

from .spikformer_reference import Neurons, through_norm


class Convolved(nn.Module):
    """Convolutions called ``NAME_conv`` with ``NAME_bn`` behind, and neurons ``NAME_lif``."""

    def part(self, name, x):
        """The currents of one convolution of spikes ``[T, B, C, Y, X]``."""
        return through_norm(getattr(self, f"{name}_conv"), getattr(self, f"{name}_bn"), x, False)

    def add_part(self, name, inputs, outputs, bias):
        """Register a convolution of 1 x 1."""
        self.add_module(f"{name}_conv", nn.Conv2d(inputs, outputs, 1, bias=bias))
        self.add_module(f"{name}_bn", nn.BatchNorm2d(outputs))


class Stem(nn.Module):
    """Four stages, the last one without neurons in the stream; positions are added to it."""

    def __init__(self, channels, dims, pools):
        super().__init__()
        self.pools, sizes = pools, [channels, dims // 8, dims // 4, dims // 2, dims]
        for stage, number in enumerate(("", "1", "2", "3")):
            conv = nn.Conv2d(sizes[stage], sizes[stage + 1], 3, padding=1, bias=False)
            self.add_module(f"proj_conv{number}", conv)
            self.add_module(f"proj_bn{number}", nn.BatchNorm2d(sizes[stage + 1]))
            self.add_module(f"proj_lif{number}", Neurons())
        self.rpe_conv = nn.Conv2d(dims, dims, 3, padding=1, bias=False)
        self.rpe_bn, self.pool = nn.BatchNorm2d(dims), nn.MaxPool2d(3, 2, 1)

    def forward(self, x):
        for number, pooled in zip(("", "1", "2", "3"), self.pools, strict=True):
            conv, norm = getattr(self, f"proj_conv{number}"), getattr(self, f"proj_bn{number}")
            lif, x = getattr(self, f"proj_lif{number}"), through_norm(conv, norm, x, False)
            x = x if number == "3" else lif(x)
            if pooled:
                x = torch.stack([self.pool(now) for now in x])
        return through_norm(self.rpe_conv, self.rpe_bn, self.proj_lif3(x), False) + x


class Attention(Convolved):
    """Neurons of the sum of K and V over tokens decide which Q pass."""

    def __init__(self, dims):
        super().__init__()
        for name in ("q", "k", "v", "proj"):
            self.add_part(name, dims, dims, bias=name == "proj")
        self.shortcut_lif, self.talking_heads_lif = Neurons(), Neurons(0.5)
        self.q_lif, self.k_lif, self.v_lif = Neurons(), Neurons(), Neurons()
        self.talking_heads = nn.Conv1d(4, 4, 1, bias=False)  # not used

    def forward(self, x):
        spikes = self.shortcut_lif(x)
        q, k, v = (getattr(self, f"{name}_lif")(self.part(name, spikes)) for name in "qkv")
        mask = self.talking_heads_lif((k * v).sum((-1, -2), keepdim=True))
        return self.part("proj", q * mask) + x


class Mlp(Convolved):
    """Two layers, neurons before each; the first one is added too if it has as many channels."""

    def __init__(self, dims, hidden):
        super().__init__()
        self.add_part("fc1", dims, hidden, bias=True)
        self.add_part("fc2", hidden, dims, bias=True)
        self.fc1_lif, self.fc2_lif, self.added = Neurons(), Neurons(), hidden == dims

    def forward(self, x):
        hidden = self.part("fc1", self.fc1_lif(x))
        if self.added:
            hidden = x = x + hidden
        return self.part("fc2", self.fc2_lif(hidden)) + x


class SpikeDriven(nn.Module):
    """The network; takes normalised images ``[B, C, Y, X]``."""

    def __init__(
        self, *, channels=1, dims=32, hidden=48, blocks=2, classes=5, steps=4, pools=(0, 0, 1, 1)
    ):
        super().__init__()
        self.steps, self.patch_embed = steps, Stem(channels, dims, pools)
        parts = [{"attn": Attention(dims), "mlp": Mlp(dims, hidden)} for _ in range(blocks)]
        self.block = nn.ModuleList(nn.ModuleDict(part) for part in parts)
        self.head_lif, self.head = Neurons(), nn.Linear(dims, classes)

    def forward(self, x):
        x = self.patch_embed(x.expand(self.steps, *x.shape))
        for block in self.block:
            x = block["mlp"](block["attn"](x))
        return self.head(self.head_lif(x.mean((-1, -2)))).mean(0)
