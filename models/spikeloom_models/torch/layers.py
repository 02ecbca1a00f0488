"""The layers of a network: each trains in floating point and, once quantised, in integers."""

# pyright: reportMissingImports=false

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from .neuron import LIF, ReLU, clamp_through, round_through

WEIGHT_BITS = (4, 6, 8)
EPSILON, MOMENTUM = 1e-5, 0.05  # of batch normalisation
MARGIN = 0.9  # share of the largest sum that a classifier uses; training may add to it


class Quantised(nn.Module):
    """A layer whose weights become integers: what `SpikingLinear` and its siblings share.

    Parameters stay in units of the threshold. `gain` is the factor from a weight to its integer.
    """

    integer: torch.Tensor

    def __init__(self, bits: int):
        super().__init__()
        if bits not in WEIGHT_BITS:
            raise ValueError(f"weight bits must be one of {WEIGHT_BITS}, not {bits!r}")
        self.bits = bits
        self.register_buffer("integer", torch.tensor(False))
        self._is_integer = False

    @property
    def largest(self) -> int:
        """Largest magnitude of an integer weight; both signs are used alike."""
        return 2 ** (self.bits - 1) - 1

    def _load_from_state_dict(self, state_dict, prefix, *arguments):
        super()._load_from_state_dict(state_dict, prefix, *arguments)
        self._is_integer = bool(self.integer)

    def _mark_integer(self, value=True):
        self.integer.fill_(value)
        self._is_integer = value

    def _round_weight(self, weight, gain):
        return round_through(clamp_through(weight * gain, -self.largest, self.largest))


class SpikingLinear(Quantised):
    """A linear layer, batch normalisation and neurons.

    Takes ``[T, ..., inputs]`` and returns spikes ``[T, ..., outputs]``.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    parts : int
        Layers of the hardware in this one, side by side in the outputs; each has its own threshold.
    bits : int
        Bits of an integer weight: 4, 6 or 8.
    leak : int
        See `LIF`.
    neurons : sequence of modules
        The neurons of each part, such as `LIF`, `Ternary` or `ReLU`; default: `LIF`.
    levels : int
        Largest input: 1 for spikes, 2**bits - 1 for pixels.
    """

    mean: torch.Tensor
    variance: torch.Tensor
    threshold: torch.Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        parts: int = 1,
        bits: int = 8,
        leak: int = 1,
        neurons: Sequence[nn.Module] = (),
        levels: int = 1,
    ):
        super().__init__(bits)
        if outputs % parts:
            raise ValueError(f"{outputs} outputs are not a multiple of {parts} parts")
        if neurons and len(neurons) != parts:
            raise ValueError(f"{len(neurons)} neurons for {parts} parts; give one for each")
        self.inputs, self.outputs, self.parts, self.levels = inputs, outputs, parts, levels
        self.weight = nn.Parameter(torch.randn(inputs, outputs) / math.sqrt(inputs))
        self.scale = nn.Parameter(torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("mean", torch.zeros(outputs))
        self.register_buffer("variance", torch.ones(outputs))
        self.register_buffer("threshold", torch.ones(parts))
        self.momentum = MOMENTUM
        self.neurons = nn.ModuleList(neurons or [LIF(leak) for _ in range(parts)])
        self._is_uniform = not neurons
        self._begin()

    @torch.no_grad()
    def _begin(self):
        """Values of `ReLU` begin with some levels in use, and rounded to the nearest."""
        columns = self.outputs // self.parts
        for part, neuron in enumerate(self.neurons):
            if isinstance(neuron, ReLU):
                self.scale[part * columns : (part + 1) * columns] = 2 ** (neuron.bits / 3)
                self.bias[part * columns : (part + 1) * columns] = 0.5

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fire(self.current(x))

    def current(self, x: torch.Tensor) -> torch.Tensor:
        """What the neurons add up: in units of the threshold, or integers once quantised."""
        if self._is_integer:
            return torch.matmul(x, self.integer_weight()) + self.integer_bias()
        return self._normalise(torch.matmul(x, self.weight * (1 / self.levels)))

    def fire(self, current: torch.Tensor) -> torch.Tensor:
        """Spikes for the `current` of every step."""
        if self._is_uniform:
            threshold = self._per_output(self.threshold) if self._is_integer else 1.0
            return self.neurons[0](current, threshold, self._is_integer)
        thresholds = self.threshold if self._is_integer else [1.0] * self.parts
        parts = zip(self.neurons, current.chunk(self.parts, -1), thresholds, strict=True)
        return torch.cat([neuron(x, t, self._is_integer) for neuron, x, t in parts], -1)

    def integer_weight(self) -> torch.Tensor:
        """Weights as the hardware has them, ``[inputs, outputs]``."""
        return self._round_weight(self.weight, self._per_output(self.threshold / self.levels))

    def integer_bias(self) -> torch.Tensor:
        """Biases as the hardware has them, ``[outputs]``."""
        return round_through(self.bias * self._per_output(self.threshold))

    @torch.no_grad()
    def quantise(self) -> None:
        """Fold the normalisation; choose even thresholds such that the weights use their bits."""
        factor = self.scale / (self.variance + EPSILON).sqrt()
        self.weight.mul_(factor)
        self.bias.sub_(self.mean * factor)
        self.scale.fill_(1)
        peak = self.weight.abs().amax(0).reshape(self.parts, -1).amax(1)
        self.threshold.copy_((self.largest * self.levels / peak / 2).floor().clamp(min=1) * 2)
        self._mark_integer()

    @torch.no_grad()
    def unround(self) -> None:
        """Go back to floating point, with the weights of the quantised layer before rounding."""
        self.scale.fill_(1)
        self.mean.zero_()
        self.variance.fill_(1 - EPSILON)
        self._mark_integer(False)

    def _per_output(self, values):
        return values.repeat_interleave(self.outputs // self.parts)

    def _normalise(self, y):
        if self.training:
            flat = y.reshape(-1, self.outputs)
            mean = flat.mean(0)
            variance = (flat.square().mean(0) - mean.square()).clamp(min=0)  # one pass, no Welford
            with torch.no_grad():
                self.mean.lerp_(mean, self.momentum)
                self.variance.lerp_(variance, self.momentum)
        else:
            mean, variance = self.mean, self.variance
        factor = self.scale / (variance + EPSILON).sqrt()
        return y * factor + (self.bias - mean * factor)


class PatchEmbedding(SpikingLinear):
    """Images to tokens: ``[B, Y, X, C]`` pixels (0 to 255) to spikes ``[T, B, N, outputs]``.

    A patch is `patch` pixels high and wide; its pixels are row-major, channel last. The top
    `pixel_bits` bits of a pixel are used. The current of the neurons is the same in every step.
    """

    def __init__(
        self,
        image: tuple[int, int, int],
        patch: tuple[int, int],
        outputs: int,
        *,
        steps: int,
        pixel_bits: int = 8,
        bits: int = 8,
        leak: int = 1,
    ):
        (height, width, channels), (rows, columns) = image, patch
        if height % rows or width % columns:
            raise ValueError(f"an image of {height} x {width} has no patches of {rows} x {columns}")
        levels = 2**pixel_bits - 1
        inputs = rows * columns * channels
        super().__init__(inputs, outputs, bits=bits, leak=leak, levels=levels)
        self.image, self.patch, self.steps, self.pixel_bits = image, patch, steps, pixel_bits
        self.tokens = height // rows * (width // columns)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        current = self.current(self.patches(x))
        return self.fire(current.expand(self.steps, *current.shape))

    def patches(self, x: torch.Tensor) -> torch.Tensor:
        """Pixels of the patches, ``[B, N, inputs]``, as integers of `pixel_bits` bits."""
        return (cut_patches(x, self.patch) >> (8 - self.pixel_bits)).to(self.weight.dtype)


def cut_patches(images: torch.Tensor, patch: Sequence[int]) -> torch.Tensor:
    """Images ``[B, Y, X, C]`` as patches ``[B, N, pixels * C]``."""
    (height, width, channels), (rows, columns) = images.shape[1:], patch
    x = images.reshape(-1, height // rows, rows, width // columns, columns, channels)
    return x.transpose(2, 3).flatten(3).flatten(1, 2)


class Iand(nn.Module):
    """Residual on spikes: `x` and not `s`."""

    def forward(self, x: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        return x * (1 - s)


class Classifier(Quantised):
    """Logits ``[B, classes]`` of spikes ``[T, B, N, inputs]``: a linear layer on their mean.

    Once quantised, the logits are the hardware's integers (sums over steps and tokens). `scale` of
    `forward` is what to divide them by for a loss.
    """

    gain: torch.Tensor

    def __init__(self, inputs: int, classes: int, *, bits: int = 8, largest_sum: int = 2**17 - 1):
        super().__init__(bits)
        self.weight = nn.Parameter(torch.randn(inputs, classes) / math.sqrt(inputs))
        self.bias = nn.Parameter(torch.zeros(classes))
        self.largest_sum = largest_sum
        self.register_buffer("gain", torch.tensor(1.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        slots = x.shape[0] * x.shape[2]
        total = x.sum((0, 2))
        if self._is_integer:
            return total @ self.integer_weight() + self.integer_bias(slots)
        return total @ self.weight / slots + self.bias

    def loss_scale(self, slots: int) -> float:
        """Factor from the logits of `forward` to those of the floating-point layer."""
        return 1 / (float(self.gain) * slots) if self._is_integer else 1.0

    def integer_weight(self) -> torch.Tensor:
        """Weights as the hardware has them, ``[inputs, classes]``."""
        return self._round_weight(self.weight, self.gain)

    def integer_bias(self, slots: int) -> torch.Tensor:
        """Biases as the hardware has them, for `slots` tokens and steps."""
        return round_through(self.bias * self.gain * slots)

    @torch.no_grad()
    def quantise(self, slots: int) -> None:
        """Choose the largest gain whose weights fit their bits and whose sums `largest_sum`."""
        sums = torch.stack([self.weight.clamp(min=0).sum(0), (-self.weight).clamp(min=0).sum(0)])
        sums = (sums + self.bias.abs()).max() * slots
        by_bits = self.largest / self.weight.abs().max()
        self.gain.copy_(torch.minimum(by_bits, MARGIN * self.largest_sum / sums))
        self._mark_integer()

    def unround(self) -> None:
        """Go back to floating point, with the weights of the quantised layer before rounding."""
        self._mark_integer(False)
