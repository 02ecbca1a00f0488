"""From a vision transformer in floating point to phase codes, without training.

Every value between layers becomes one spike, whose step says its magnitude. Its scale, what a spike
at step 0 is worth, is the largest magnitude that the calibration images show. Q, K and V of each
head have scales of their own: weights make them equal before attention, and unequal again behind
it. The residual stream holds currents, which are encoded where a layer reads them.

Source: "SpikedAttention", NeurIPS 2024, here with bases whose division is a shift.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from spikeloom.errors import InputError
from spikeloom.networks.graph import INPUT, Graph
from spikeloom.networks.layers import (
    Attention,
    Classifier,
    Layer,
    Linear,
    Neurons,
    PatchEmbedding,
    Residual,
)
from spikeloom.networks.layers.linear import FRACTION
from spikeloom.networks.neuron import MAX_SHIFT, MAX_THRESHOLD, Neuron

from .phase_choice import LayerCode, choose, choose_attention
from .quantise import Quantised
from .rounding import Cut, integer_fields, largest_weight
from .torch import VisionTransformer
from .torch.vit import Normalised, VisionBlock

UNIT = 1 << FRACTION  # of a weight, in a sum of phase codes
SAMPLE = 64  # images whose values decide about bases and steps


@dataclass(frozen=True)
class VisionNetwork:
    """A vision transformer, and the phase codes that it is converted to: time `steps`, and the
    `shift` k of base ``2**k / (2**k - 1)``. With a `shift` of 0 each layer has a base and steps of
    its own, at most `steps`; see `phase_choice`."""

    model: VisionTransformer
    steps: int = 40
    shift: int = 3

    @property
    def image(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return self.model.shape.image

    @torch.no_grad()
    def logits(self, images: torch.Tensor, batch: int = 256) -> torch.Tensor:
        """Logits ``[B, classes]`` in floating point."""
        return torch.cat([self.model.eval()(part) for part in images.split(batch)])


@torch.no_grad()
def convert(
    network: VisionNetwork,
    images: NDArray | None,
    bits: int = 8,
    *,
    name: str = "",
    classes: Sequence[str] = (),
    licence: str = "",
    description: str = "",
) -> Quantised:
    """The network in phase codes and weights of `bits` bits, calibrated with `images`. Raises
    `InputError`."""
    if images is None:
        raise InputError("phase codes have scales of the data; give images with --calibrate X.npy")
    sample = (
        {} if network.shift else _signals(network.model, torch.from_numpy(images[:SAMPLE].copy()))
    )
    conversion = _Conversion(network, largest_signals(network.model, images), sample, bits)
    shape = network.model.shape
    graph = Graph(
        name=name or "vit",
        steps=network.steps,
        image=shape.input_image,
        layers=tuple(conversion.layers()),
        pixel_bits=shape.pixel_bits,
        classes=tuple(classes),
        licence=licence,
        description=description,
    )
    return Quantised(graph, conversion.cuts, conversion.chosen)


def largest_signals(model: VisionTransformer, images: NDArray) -> dict[str, NDArray]:
    """The largest magnitude of each signal of the network; of signals with heads, of each head."""
    found: dict[str, NDArray] = {}
    for part in torch.from_numpy(images.copy()).split(256):
        for name, values in _signals(model, part).items():
            heads = (0, 2, 3) if values.ndim == 4 else (0, 1, 2)
            found[name] = np.maximum(found.get(name, 0.0), np.abs(values).max(heads))
    return {name: np.where(value > 0, value, 1.0) for name, value in found.items()}


@torch.no_grad()
def _signals(model: VisionTransformer, images: torch.Tensor) -> dict[str, NDArray]:
    """The signals of the network, by name: (B, N, D), or with heads (B, H, N, D)."""
    return {name: values.double().numpy() for name, values in model.eval().signals(images).items()}


@dataclass
class _Conversion:
    """Builds the layers; weights are in units of the scale of their input.

    Members
    -------
    largest : see `largest_signals`.
    sample : signals of a few images, for the choice of bases and steps.
    scales : what a spike at step 0 is worth, by signal.
    chosen : the code of each signal, if they are chosen.
    """

    network: VisionNetwork
    largest: dict[str, NDArray]
    sample: dict[str, NDArray]
    bits: int
    cuts: dict[str, Cut] = field(default_factory=dict)
    scales: dict[str, float] = field(default_factory=dict)
    chosen: dict[str, LayerCode] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scales |= {name: float(value.max()) for name, value in self.largest.items()}
        for number in range(len(self.network.model.blocks)):
            of = {part: f"block{number}.{part}" for part in ("k", "attention")}
            q, v = (self._factors(f"block{number}.{part}") for part in "qv")
            self.scales[of["k"]] = float((self.largest[of["k"]] / q).max())
            self.scales[of["attention"]] = float((self.largest[of["attention"]] * v).max())
            if self.sample:
                self._choose(f"block{number}", q, v)
        if self.sample:
            self._choose_one("head.x")

    def _choose(self, block: str, q: NDArray, v: NDArray) -> None:
        """Choose the codes of a block, of which the heads of `q` and `v` have these factors."""
        factors = {"q": q, "k": 1 / q, "v": v, "attention": v}
        values = {
            part: self.sample[f"{block}.{part}"] * factor[:, None, None]
            for part, factor in factors.items()
        }
        scales = {part: self.scales[f"{block}.{part}"] for part in (*factors, "score")}
        code = choose_attention(values, scales, self.network.steps)
        self.chosen |= {f"{block}.{part}": code for part in factors}
        for part in ("x", "x1", "fc1"):
            self._choose_one(f"{block}.{part}")

    def _choose_one(self, name: str) -> None:
        magnitudes = np.abs(self.sample[name]).ravel()
        self.chosen[name] = choose(magnitudes, self.scales[name], self.network.steps)

    def _code(self, name: str) -> LayerCode:
        """The code of a signal."""
        return self.chosen.get(name) or LayerCode(self.network.shift, self.network.steps)

    def layers(self) -> list[Layer]:
        model, shape = self.network.model, self.network.model.shape
        self.gain = self._stream_gain()
        found: list[Layer] = [
            PatchEmbedding(
                inputs=(INPUT,),
                patch=shape.patch,
                position=shape.position,
                **self._current("embed", *self._embedding(), unit=1),
            )
        ]
        for number, block in enumerate(model.blocks):
            assert isinstance(block, VisionBlock)
            found += self._block(f"block{number}", block, found[-1].name)
        found.append(self._encoded("head.x", found[-1].name))
        weight, bias = self._head()
        gain = self._largest_gain(weight)
        fields = self._integers("head", weight, bias, gain)
        return [*found, Classifier(inputs=("head.x",), **fields)]

    def _block(self, name: str, block: VisionBlock, stream: str) -> list[Layer]:
        x = self._encoded(f"{name}.x", stream)
        q, v = self._factors(f"{name}.q"), self._factors(f"{name}.v")
        qkv = []
        for part, factors, values in zip("qkv", (q, 1 / q, v), _parts(block.qkv), strict=True):
            of_head = np.repeat(factors, len(values[1]) // block.heads)
            weight, bias = (one * of_head for one in values)
            coded = self._coded(f"{name}.{part}", x.name, weight, bias)
            qkv.append(Linear(inputs=(x.name,), **coded))
        attention = Attention(
            name=f"{name}.attention",
            inputs=tuple(layer.name for layer in qkv),
            form="spiked",
            heads=block.heads,
            scales={
                "base": self._code(f"{name}.attention").base,
                **{part: self.scales[f"{name}.{part}"] for part in ("q", "k", "v", "score")},
                "output": self.scales[f"{name}.attention"],
            },
        )
        proj = self._added(f"{name}.proj", attention.name, *self._projection(name, block))
        u1 = Residual(name=f"{name}.u1", form="membrane", inputs=(stream, proj.name))
        x1 = self._encoded(f"{name}.x1", u1.name)
        hidden = self._coded(f"{name}.fc1", x1.name, *folded(block.fc1), signed=False)
        fc1 = Linear(inputs=(x1.name,), **hidden)
        fc2 = self._added(f"{name}.fc2", fc1.name, *folded(block.fc2))
        u2 = Residual(name=f"{name}.u2", form="membrane", inputs=(u1.name, fc2.name))
        return [x, *qkv, attention, proj, u1, x1, fc1, fc2, u2]

    # Parts of layers

    def _encoded(self, name: str, stream: str) -> Neurons:
        """The codes of the stream."""
        return Neurons(name=name, inputs=(stream,), neuron=self._neuron(name, self.gain))

    def _coded(
        self, name: str, source: str, weight: NDArray, bias: NDArray, *, signed: bool = True
    ) -> dict:
        """Fields of a layer whose output are codes."""
        weight = weight * self.scales[source]
        gain = self._largest_gain(weight) * UNIT
        neuron = self._neuron(name, gain, signed)
        return {**self._integers(name, weight, bias, gain, UNIT), "neuron": neuron}

    def _added(self, name: str, source: str, weight: NDArray, bias: NDArray) -> Linear:
        """A layer that adds to the stream."""
        fields = self._current(name, weight * self.scales[source], bias)
        return Linear(inputs=(source,), **fields)

    def _current(self, name: str, weight: NDArray, bias: NDArray, unit: int = UNIT) -> dict:
        """Fields of a layer of currents, where a weight counts `unit`. Its gain is that of the
        stream, times a power of two by which the currents are divided again."""
        room = self._largest_gain(weight) * unit / self.gain
        shift = min(max(int(math.log2(room) + 1e-9), 0), MAX_SHIFT)
        gain = self.gain * 2**shift
        rounded = bias + (2**shift / 2 / gain if shift else 0.0)
        neuron = Neuron(kind="none", threshold=1, shift=shift)
        return {**self._integers(name, weight, rounded, gain, unit), "neuron": neuron}

    def _neuron(self, name: str, gain: float, signed: bool = True) -> Neuron:
        """Neurons whose spike at step 0 is worth the scale of signal `name`."""
        code = self._code(name)
        threshold = max(1, round(self.scales[name] * gain * (1 + 1 / code.base) / 2))
        if threshold > MAX_THRESHOLD:
            raise InputError(
                f"layer {name}: its weights are so small that the threshold would be "
                f"{threshold:,} (at most {MAX_THRESHOLD:,})"
            )
        steps = code.steps if code.steps < self.network.steps else 0
        return Neuron(
            kind="phase", threshold=threshold, shift=code.shift, signed=signed, steps=steps
        )

    def _integers(
        self, name: str, weight: NDArray, bias: NDArray, gain: float, unit: int = 1
    ) -> dict:
        """Fields of rounded weights and biases, where a weight counts `unit`."""
        fields, self.cuts[name] = integer_fields(name, weight / unit, bias, gain, self.bits)
        return {"name": name, **fields}

    def _largest_gain(self, weight: NDArray) -> float:
        """The factor by which the largest weight becomes the largest integer."""
        return largest_weight(self.bits) / max(float(np.abs(weight).max()), 1e-12)

    def _stream_gain(self) -> float:
        """The smallest gain of the layers that add to the stream."""
        gains = [self._largest_gain(self._embedding()[0])]
        for number, block in enumerate(self.network.model.blocks):
            assert isinstance(block, VisionBlock)
            name = f"block{number}"
            weights = (
                self._projection(name, block)[0] * self.scales[f"{name}.attention"],
                folded(block.fc2)[0] * self.scales[f"{name}.fc1"],
            )
            gains += [self._largest_gain(weight) * UNIT for weight in weights]
        return min(gains)

    def _factors(self, name: str) -> NDArray:
        """What makes the scales of the heads of a signal equal."""
        return self.largest[name].max() / self.largest[name]

    def _projection(self, name: str, block: VisionBlock) -> tuple[NDArray, NDArray]:
        """Weights behind attention, for values of heads that have one scale."""
        weight, bias = folded(block.proj)
        factors = np.repeat(self._factors(f"{name}.v"), len(weight) // block.heads)
        return weight / factors[:, None], bias

    def _embedding(self) -> tuple[NDArray, NDArray]:
        """Weights of pixels as integers."""
        weight, bias = folded(self.network.model.embed)
        return weight / (2**self.network.model.shape.pixel_bits - 1), bias

    def _head(self) -> tuple[NDArray, NDArray]:
        """Weights of the sum over tokens, where the network has their mean."""
        head, tokens = self.network.model.head, self.network.model.shape.tokens
        weight = head.weight.double().T.numpy() * self.scales["head.x"]
        return weight, head.bias.double().numpy() * tokens


def folded(module: Normalised) -> tuple[NDArray, NDArray]:
    """Weights ``[in, out]`` and biases, with the normalisation in them."""
    norm = module.norm
    assert norm.running_var is not None
    assert norm.running_mean is not None
    factor = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    bias = norm.bias.double() - norm.running_mean.double() * factor
    return (module.linear.weight.double() * factor[:, None]).T.numpy(), bias.numpy()


def _parts(module: Normalised) -> list[tuple[NDArray, NDArray]]:
    """Weights and biases of q, k and v."""
    weight, bias = folded(module)
    return list(zip(np.split(weight, 3, axis=1), np.split(bias, 3), strict=True))
