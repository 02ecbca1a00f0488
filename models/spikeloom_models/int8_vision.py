"""A vision transformer in 8-bit integers, as the cores `int8_linear` and `int8_softmax` compute it:
the baseline without spikes for whole networks.

Every tensor between layers has 8 bits and one scale, from the largest magnitude that the
calibration images show; Q, K and V of each head have scales of their own, in the rounding of their
layer and in the weights of the next. The residual stream has 8 bits too. One `shift` serves all
layers, and one all heads, so that one core of each kind computes the network.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import floor, log2

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from spikeloom.cores.int8_linear import Int8Linear
from spikeloom.cores.int8_linear.golden import requantise
from spikeloom.cores.int8_linear.golden import run as linear
from spikeloom.cores.int8_linear.quantise import LARGEST, Quantised, quantise
from spikeloom.cores.int8_softmax import Int8Softmax
from spikeloom.cores.int8_softmax.golden import run as softmax
from spikeloom.cores.int8_softmax.quantise import LOG2_E

from .phase_conversion import folded, largest_signals
from .torch import VisionTransformer
from .torch.layers import cut_patches
from .torch.vit import VisionBlock


@dataclass(frozen=True)
class RealLayer:
    """A linear layer of real numbers, w (O, I), and what an integer of its input and its output is
    worth."""

    w: NDArray
    bias: NDArray
    x_scale: float
    y_scale: ArrayLike
    activation: str = "none"

    def quantised(self, shift: int | None = None) -> Quantised:
        return quantise(self.w, self.bias, self.x_scale, self.y_scale, shift=shift)


class IntegerVision:
    """`model` in integers, calibrated with images (B, Y, X, C) of bytes.

    Members
    -------
    real : the linear layers by name, in the order of computation.
    layers : their integers. shift, softmax_shift : keys of the cores.
    """

    @torch.no_grad()
    def __init__(self, model: VisionTransformer, images: NDArray) -> None:
        self.model = model.eval()
        self.shape = model.shape
        self._largest = largest_signals(model, images)
        stream = max(
            float(self._largest[name].max())
            for name in self._largest
            if name.endswith((".x", ".x1"))
        )
        mean = np.concatenate(self._batches(images, lambda part: model.stream(part).mean(1)))
        logits = np.concatenate(self._batches(images, model))
        self._stream = stream / LARGEST
        self._mean = float(abs(mean).max()) / LARGEST
        self._logit = float(abs(logits).max()) / LARGEST
        self.softmax_shift = self._softmax_shift()
        self.real = self._layers()
        self.shift = min(layer.quantised().shift for layer in self.real.values())
        self.layers = {name: layer.quantised(self.shift) for name, layer in self.real.items()}

    def _batches(self, images, function):
        return [function(part).numpy() for part in torch.from_numpy(images.copy()).split(256)]

    # Scales

    def _softmax_shift(self):
        """The largest `shift` of the core for which Q and K of all heads have 8 bits."""
        dim = self.shape.width // self.shape.heads
        products = [
            self._largest[f"block{n}.q"] * self._largest[f"block{n}.k"]
            for n in range(self.shape.blocks)
        ]
        return floor(log2(LARGEST**2 * dim**0.5 / (LOG2_E * np.max(products))))

    def _head_scales(self, block: str) -> tuple[NDArray, NDArray, NDArray]:
        """Of q, k and v of each head: ``q k q_scale k_scale / sqrt(D)`` is the exponent of 2."""
        q, k, v = (self._largest[f"{block}.{part}"] for part in "qkv")
        dim = self.shape.width // self.shape.heads
        product = dim**0.5 / (LOG2_E * 2**self.softmax_shift)
        return np.sqrt(product * q / k), np.sqrt(product * k / q), v / LARGEST

    def _layers(self) -> dict[str, RealLayer]:
        model, dim = self.model, self.shape.width // self.shape.heads
        stream = self._stream
        w, bias = folded(model.embed)
        pixel = 1 / (2**self.shape.pixel_bits - 1)
        found = {"embed": RealLayer(w.T, bias, pixel, stream)}
        for number, block in enumerate(model.blocks):
            assert isinstance(block, VisionBlock)
            name = f"block{number}"
            q, k, v = (np.repeat(scale, dim) for scale in self._head_scales(name))
            w, bias = folded(block.qkv)
            scales = np.concatenate([q, k, v])
            found[f"{name}.qkv"] = RealLayer(w.T, bias, stream, scales)
            w, bias = folded(block.proj)
            found[f"{name}.proj"] = RealLayer(w.T * v, bias, 1.0, stream)
            hidden = float(self._largest[f"{name}.fc1"]) / LARGEST
            w, bias = folded(block.fc1)
            found[f"{name}.fc1"] = RealLayer(w.T, bias, stream, hidden, "relu")
            w, bias = folded(block.fc2)
            found[f"{name}.fc2"] = RealLayer(w.T, bias, hidden, stream)
        head = model.head
        weight, bias = head.weight.double().numpy(), head.bias.double().numpy()
        return found | {"head": RealLayer(weight, bias, self._mean, self._logit)}

    # Cores

    def linear_core(self, name: str, **keys: int) -> Int8Linear:
        """The core for a layer; `keys` such as `lanes`, which is lowered to the layer's inputs."""
        layer = self.real[name]
        outputs, inputs = layer.w.shape
        return Int8Linear(
            tokens=1 if name == "head" else self.shape.tokens,
            input_dim=inputs,
            output_dim=outputs,
            shift=self.shift,
            activation=layer.activation,
            **keys | {"lanes": min(keys.get("lanes", 1), inputs)},
        )

    @cached_property
    def softmax_core(self) -> Int8Softmax:
        dim = self.shape.width // self.shape.heads
        return Int8Softmax(tokens=self.shape.tokens, head_dim=dim, shift=self.softmax_shift)

    # The network

    def logits(self, images: NDArray) -> NDArray:
        """Logits (B, classes) of 8 bits, of images (B, Y, X, C) of bytes."""
        bits = self.shape.pixel_bits
        tensor = torch.from_numpy(images.copy())
        patches = cut_patches(self.model.positions(tensor), self.shape.patch) >> (8 - bits)
        x = self._linear("embed", patches.numpy().astype(np.int64))
        for number in range(self.shape.blocks):
            name = f"block{number}"
            attended = self._attention(self._linear(f"{name}.qkv", x))
            x = _limited(x + self._linear(f"{name}.proj", attended))
            hidden = self._linear(f"{name}.fc1", x)
            x = _limited(x + self._linear(f"{name}.fc2", hidden))
        # The mean of all tokens is a sum, with a scale as in a layer.
        scale = np.array(round(self._stream / self._mean / self.shape.tokens * 2**16))
        return self._linear("head", requantise(x.sum(1, keepdims=True), scale, 16, "none"))[:, 0]

    def _linear(self, name, x):
        layer = self.layers[name]
        return linear(self.linear_core(name), x, layer.w, layer.bias, layer.scale)

    def _attention(self, qkv):
        """Softmax attention of each image and head."""
        batch, tokens, _ = qkv.shape
        heads = qkv.reshape(batch, tokens, 3, self.shape.heads, -1).transpose(0, 3, 2, 1, 4)
        found = [[softmax(self.softmax_core, *head) for head in image] for image in heads]
        return np.array(found).transpose(0, 2, 1, 3).reshape(batch, tokens, -1)


def _limited(x):
    """The residual stream in 8 bits."""
    return x.clip(-128, 127)


def classes(logits: Callable[[NDArray], NDArray], images: NDArray, batch: int = 100) -> NDArray:
    """The class of each image."""
    parts = range(0, len(images), batch)
    return np.concatenate([logits(images[n : n + batch]).argmax(1) for n in parts])
