"""A network in floating point: what stands between a checkpoint and the hardware's integers.

Layers are those of `spikeloom.networks.layers`, with floating-point weights, batch normalisation
and neurons. Spikes are tensors ``[T, B, N, D]``; tokens of a grid are numbered row by row.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from .planes import to_planes, to_tokens


@dataclass(frozen=True)
class FloatNeuron:
    """A leaky integrate-and-fire neuron in floating point.

        v[t] = v[t - 1] + (I[t] - v[t - 1]) / tau           with decayed input
        v[t] = v[t - 1] - v[t - 1] / tau + I[t]             without
        s[t] = v[t] >= threshold                            strict: v[t] > threshold

    A spike leaves v = 0 (hard reset) or subtracts the threshold from v (soft reset). `tau` of
    infinity is the integrate-and-fire neuron ``v[t] = v[t - 1] + I[t]``.
    """

    threshold: float = 1.0
    tau: float = 2.0
    decay_input: bool = True
    reset: str = "hard"
    strict: bool = False

    @property
    def gain(self) -> float:
        """What one unit of current adds to the membrane."""
        return 1 / self.tau if self.decay_input and self.tau != float("inf") else 1.0

    def fire(self, current: Tensor) -> Tensor:
        """Spikes of the `current` ``[T, ...]`` of every step."""
        v, spikes = torch.zeros_like(current[0]), []
        for now in current:
            if self.tau == float("inf"):
                v = v + now
            elif self.decay_input:
                v = v + (now - v) / self.tau
            else:
                v = v - v / self.tau + now
            fired = v > self.threshold if self.strict else v >= self.threshold
            s = fired.to(v.dtype)
            spikes.append(s)
            v = v * (1 - s) if self.reset == "hard" else v - s * self.threshold
        return torch.stack(spikes)


@dataclass(frozen=True)
class Norm:
    """Batch normalisation of an output, with its statistics."""

    weight: Tensor
    bias: Tensor
    mean: Tensor
    variance: Tensor
    epsilon: float = 1e-5

    def __call__(self, x: Tensor) -> Tensor:
        """Normalise ``[B, channels, ...]``."""
        return functional.batch_norm(
            x, self.mean, self.variance, self.weight, self.bias, False, 0.0, self.epsilon
        )

    def channels(self, chosen: slice) -> Norm:
        """The normalisation of the `chosen` channels."""
        parts = (self.weight, self.bias, self.mean, self.variance)
        weight, bias, mean, variance = (part[chosen] for part in parts)
        return Norm(weight, bias, mean, variance, self.epsilon)

    @property
    def factor(self) -> Tensor:
        """What a channel is multiplied by, in double precision."""
        return self.weight.double() / (self.variance.double() + self.epsilon).sqrt()


@dataclass(frozen=True, kw_only=True)
class FloatLayer:
    """A layer: its name, and the names of the layers that it reads."""

    name: str
    inputs: tuple[str, ...]

    def compute(self, *inputs: Tensor) -> Tensor:
        """The layer's output."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Weighted(FloatLayer):
    """A layer of weights ``[outputs, inputs, ...]``, its normalisation, and its neurons."""

    weight: Tensor
    bias: Tensor | None = None
    norm: Norm | None = None
    neuron: FloatNeuron | None = None

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weights and bias with the normalisation in them, in double precision."""
        weight = self.weight.double()
        bias = torch.zeros(len(weight)).double() if self.bias is None else self.bias.double()
        if self.norm is None:
            return weight, bias
        factor = self.norm.factor
        shaped = factor.reshape(-1, *[1] * (weight.ndim - 1))
        return weight * shaped, (bias - self.norm.mean) * factor + self.norm.bias

    def normalised(self, x: Tensor) -> Tensor:
        """`x` ``[B, channels, ...]``, normalised."""
        return x if self.norm is None else self.norm(x)

    def fire(self, current: Tensor) -> Tensor:
        """Spikes of the `current` of every step."""
        return current if self.neuron is None else self.neuron.fire(current)


@dataclass(frozen=True, kw_only=True)
class Linear(Weighted):
    """A linear layer of each token."""

    def compute(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        current = functional.linear(x.flatten(0, 1), self.weight, self.bias)
        current = self.normalised(current.transpose(-1, -2)).transpose(-1, -2)
        return self.fire(current.reshape(*x.shape[:-1], -1))


@dataclass(frozen=True, kw_only=True)
class FirstLayer(Weighted):
    """A layer that reads pixels ``[B, Y, X, C]`` of 0 to 255 if `steps` is above 0. They are
    normalised with `mean` and `std` of each channel (for pixels of 0 to 1); the current is the same
    in each of `steps` steps."""

    steps: int = 0
    mean: Tensor | None = None
    std: Tensor | None = None

    @property
    def is_first(self) -> bool:
        """Whether the layer reads pixels."""
        return self.steps > 0

    def pixels(self, images: Tensor) -> Tensor:
        """The normalised pixels ``[B, C, Y, X]``."""
        assert self.mean is not None
        assert self.std is not None
        x = (images.to(self.weight.dtype) / 255 - self.mean) / self.std
        return x.permute(0, 3, 1, 2)


@dataclass(frozen=True, kw_only=True)
class WholeImage(FirstLayer):
    """A linear layer of all pixels as one token, channel by channel."""

    def compute(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        current = functional.linear(self.pixels(x).flatten(1), self.weight, self.bias)
        return self.fire(current.expand(self.steps, *current.shape).unsqueeze(-2))


@dataclass(frozen=True, kw_only=True)
class Convolution(FirstLayer):
    """A convolution of a `grid` (height, width) of tokens, zeros beyond the edges."""

    grid: tuple[int, int]
    stride: int = 1
    padding: int = 1

    def compute(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        if self.is_first:
            planes = self.pixels(x)
        else:
            planes = to_planes(x, self.grid)
        current = functional.conv2d(planes, self.weight, self.bias, self.stride, self.padding)
        current = to_tokens(self.normalised(current))
        if self.is_first:
            return self.fire(current.expand(self.steps, *current.shape))
        return self.fire(current.reshape(*x.shape[:2], *current.shape[1:]))


@dataclass(frozen=True, kw_only=True)
class MaxPool(FloatLayer):
    """The largest value of a window of a `grid` of tokens: of spikes, whether any of them fires."""

    grid: tuple[int, int]
    window: int = 3
    stride: int = 2
    padding: int = 1

    def compute(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        pooled = functional.max_pool2d(
            to_planes(x, self.grid), self.window, self.stride, self.padding
        )
        tokens = to_tokens(pooled)
        return tokens.reshape(*x.shape[:2], *tokens.shape[1:])


@dataclass(frozen=True, kw_only=True)
class Attention(FloatLayer):
    """Spikformer's attention of `heads` heads, ``scale * Q (K^T V)``, and its neurons."""

    heads: int
    scale: float
    neuron: FloatNeuron

    def compute(self, *inputs: Tensor) -> Tensor:
        q, k, v = (x.unflatten(-1, (self.heads, -1)).transpose(-3, -2) for x in inputs)
        product = q @ (k.transpose(-1, -2) @ v) * self.scale
        return self.neuron.fire(product.transpose(-3, -2).flatten(-2))


@dataclass(frozen=True, kw_only=True)
class SpikeDriven(FloatLayer):
    """Spike-driven attention: the neurons of the sum over tokens of k and v let q pass."""

    neuron: FloatNeuron

    def compute(self, *inputs: Tensor) -> Tensor:
        q, k, v = inputs
        return q * self.neuron.fire((k * v).sum(-2, keepdim=True))


@dataclass(frozen=True, kw_only=True)
class Neurons(FloatLayer):
    """Neurons of currents."""

    neuron: FloatNeuron

    def compute(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        return self.neuron.fire(x)


@dataclass(frozen=True, kw_only=True)
class MeanPool(FloatLayer):
    """The mean over all tokens of a `grid`: one token."""

    grid: tuple[int, int]

    def compute(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        return x.mean(-2, keepdim=True)


@dataclass(frozen=True, kw_only=True)
class Add(FloatLayer):
    """The sum of the inputs."""

    def compute(self, *inputs: Tensor) -> Tensor:
        return torch.stack(inputs).sum(0)


@dataclass(frozen=True, kw_only=True)
class Head(Weighted):
    """A linear layer of the mean over steps and tokens. `tokens` is their number (0: those of the
    last convolution)."""

    tokens: int = 0

    def compute(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        return functional.linear(x.mean(2).mean(0), self.weight, self.bias)


@dataclass(frozen=True)
class FloatNetwork:
    """Layers in the order of computation; the first one reads ``image``, the last one is a `Head`.

    `image` is (height, width, channels); `steps` the time steps.
    """

    name: str
    steps: int
    image: tuple[int, int, int]
    layers: tuple[FloatLayer, ...] = field(repr=False)

    @torch.no_grad()
    def signals(self, images: Tensor) -> dict[str, Tensor]:
        """The output of each layer for `images` ``[B, Y, X, C]`` of bytes."""
        found: dict[str, Tensor] = {"image": images}
        for layer in self.layers:
            found[layer.name] = layer.compute(*(found[name] for name in layer.inputs))
        return found

    def logits(self, images: Tensor, batch: int = 64) -> Tensor:
        """Logits ``[B, classes]``, computed in batches."""
        last = self.layers[-1].name
        return torch.cat([self.signals(part)[last] for part in images.split(batch)])
