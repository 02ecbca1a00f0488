"""A Spikformer with the modules, keys and rules of its authors' code, written for the tests.
`test_authors_code` runs that code itself."""

# pyright: reportMissingImports=false

import torch
from torch import nn


class Neurons(nn.Module):
    """LIF neurons with tau = 2, decayed input and hard reset; records their spikes."""

    def __init__(self, threshold=1.0):
        super().__init__()
        self.threshold, self.spikes = threshold, None

    def forward(self, current):
        v, spikes = torch.zeros_like(current[0]), []
        for now in current:
            v = v + (now - v) / 2.0
            spikes.append((v >= self.threshold).float())
            v = torch.where(spikes[-1] > 0, torch.zeros_like(v), v)
        self.spikes = torch.stack(spikes)
        return self.spikes


def through_norm(layer, norm, x, channel_last):
    """A layer and its normalisation, step by step: ``[T, B, ...]``."""
    out = []
    for now in x:
        y = layer(now)
        out.append(norm(y.transpose(-1, -2)).transpose(-1, -2) if channel_last else norm(y))
    return torch.stack(out)


class PatchEmbed(nn.Module):
    """Four stages of convolution, normalisation, neurons; then positions."""

    def __init__(self, channels, dims, pools):
        super().__init__()
        self.pools = pools
        sizes = [channels, dims // 8, dims // 4, dims // 2, dims]
        for stage, number in enumerate(("", "1", "2", "3")):
            conv = nn.Conv2d(sizes[stage], sizes[stage + 1], 3, padding=1, bias=False)
            self.add_module(f"proj_conv{number}", conv)
            self.add_module(f"proj_bn{number}", nn.BatchNorm2d(sizes[stage + 1]))
            self.add_module(f"proj_lif{number}", Neurons())
        self.rpe_conv = nn.Conv2d(dims, dims, 3, padding=1, bias=False)
        self.rpe_bn, self.rpe_lif = nn.BatchNorm2d(dims), Neurons()
        self.pool = nn.MaxPool2d(3, 2, 1)

    def forward(self, x):
        for number, pooled in zip(("", "1", "2", "3"), self.pools, strict=True):
            conv, norm, lif = (
                getattr(self, f"proj_{kind}{number}") for kind in ("conv", "bn", "lif")
            )
            x = lif(through_norm(conv, norm, x, False))
            if pooled:
                x = torch.stack([self.pool(now) for now in x])
        x = self.rpe_lif(through_norm(self.rpe_conv, self.rpe_bn, x, False)) + x
        return x.flatten(-2).transpose(-1, -2)


class Attention(nn.Module):
    """Q K^T V with linear layers before and behind."""

    def __init__(self, dims, heads):
        super().__init__()
        self.heads = heads
        for part in ("q", "k", "v", "proj"):
            self.add_module(f"{part}_linear", nn.Linear(dims, dims))
            self.add_module(f"{part}_bn", nn.BatchNorm1d(dims))
            self.add_module(f"{part}_lif", Neurons())
        self.attn_lif = Neurons(0.5)

    def _part(self, part, x):
        layer, norm, lif = (getattr(self, f"{part}_{kind}") for kind in ("linear", "bn", "lif"))
        return lif(through_norm(layer, norm, x, True))

    def forward(self, x):
        steps, batch, tokens, dims = x.shape
        split = (steps, batch, tokens, self.heads, dims // self.heads)
        q, k, v = (self._part(part, x).reshape(split).transpose(2, 3) for part in "qkv")
        attended = ((q @ k.transpose(-1, -2)) * 0.125) @ v
        return self._part("proj", self.attn_lif(attended.transpose(2, 3).reshape(x.shape)))


class Mlp(nn.Module):
    """Two linear layers."""

    def __init__(self, dims, hidden):
        super().__init__()
        self.fc1_linear, self.fc2_linear = nn.Linear(dims, hidden), nn.Linear(hidden, dims)
        self.fc1_bn, self.fc2_bn = nn.BatchNorm1d(hidden), nn.BatchNorm1d(dims)
        self.fc1_lif, self.fc2_lif = Neurons(), Neurons()

    def forward(self, x):
        x = self.fc1_lif(through_norm(self.fc1_linear, self.fc1_bn, x, True))
        return self.fc2_lif(through_norm(self.fc2_linear, self.fc2_bn, x, True))


class Block(nn.Module):
    """Attention and MLP, each added to the stream; the normalisations are not used."""

    def __init__(self, dims, heads, hidden):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dims), nn.LayerNorm(dims)
        self.attn, self.mlp = Attention(dims, heads), Mlp(dims, hidden)

    def forward(self, x):
        x = x + self.attn(x)
        return x + self.mlp(x)


class Spikformer(nn.Module):
    """The network; takes normalised images ``[B, C, Y, X]``."""

    def __init__(
        self, *, channels=1, dims=32, heads=4, hidden=48, blocks=2, classes=5, steps=4, pools=None
    ):
        super().__init__()
        self.steps = steps
        self.patch_embed = PatchEmbed(channels, dims, pools or (0, 0, 1, 1))
        self.block = nn.ModuleList(Block(dims, heads, hidden) for _ in range(blocks))
        self.head = nn.Linear(dims, classes)

    def forward(self, x):
        x = self.patch_embed(x.expand(self.steps, *x.shape))
        for block in self.block:
            x = block(x)
        return self.head(x.mean(2).mean(0))


def lively(model, images, biases=(0.4, 1.2)):
    """Weights of some size, and the statistics of `images`, so that every layer spikes."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = None
            nn.init.uniform_(module.weight, 1.0, 2.0)
            nn.init.uniform_(module.bias, *biases)
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.2)
            nn.init.normal_(module.bias, 0, 0.1)
    model.train()
    with torch.no_grad():
        model(images)
    return model.eval()
