"""The leaky integrate-and-fire neuron, and the functions whose gradients are substitutes."""

# pyright: reportMissingImports=false

from __future__ import annotations

import torch
from torch import nn


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx, *gradients):
        (x,) = ctx.saved_tensors
        return gradients[0] * (1 - x.abs()).clamp(min=0)


class _Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, *gradients):
        return gradients[0]


class _Floor(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.floor()

    @staticmethod
    def backward(ctx, *gradients):
        return gradients[0]


class _Clamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, low, high):
        ctx.save_for_backward((x >= low) & (x <= high))
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx, *gradients):
        (inside,) = ctx.saved_tensors
        return gradients[0] * inside, None, None


def spike(x: torch.Tensor) -> torch.Tensor:
    """1 where `x` >= 0, else 0. The gradient is that of a triangle of half-width 1 around 0."""
    return _Spike.apply(x)  # type: ignore[return-value]


def round_through(x: torch.Tensor) -> torch.Tensor:
    """`x` rounded to the nearest integer, ties to even; the gradient passes unchanged."""
    return _Round.apply(x)  # type: ignore[return-value]


def floor_through(x: torch.Tensor) -> torch.Tensor:
    """`x` rounded down; the gradient passes unchanged."""
    return _Floor.apply(x)  # type: ignore[return-value]


def clamp_through(x: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """`x` cut to ``low..high``; the gradient passes where nothing was cut, at both ends too (that
    of `clamp` has none there since PyTorch 2.14)."""
    return _Clamp.apply(x, low, high)  # type: ignore[return-value]


class LIF(nn.Module):
    """Leaky integrate-and-fire neurons; the first axis is time.

        kept[t] = 0 if s[t] else v[t]    (reset "hard"), or v[t] - threshold * s[t]    ("soft")
        v[t] = kept[t - 1] / 2**leak + I[t],    s[t] = v[t] >= threshold

    With `integer`, the division rounds down: a shift of integers, as in the hardware.

    Parameters
    ----------
    leak : int
        Shift of what is kept: 1 halves it in every step (tau = 2), 0 keeps it (no leak).
    reset : str
        "hard" or "soft".
    """

    kind = "lif"

    def __init__(self, leak: int = 1, reset: str = "hard"):
        super().__init__()
        if isinstance(leak, bool) or not isinstance(leak, int):
            raise TypeError(f"leak must be an integer, not {leak!r}")
        if not 0 <= leak <= 15:
            raise ValueError(f"leak must be 0 to 15, not {leak!r}")
        if reset not in ("hard", "soft"):
            raise ValueError(f"reset must be hard or soft, not {reset!r}")
        self.leak = leak
        self.reset = reset

    def forward(
        self, current: torch.Tensor, threshold: torch.Tensor | float = 1.0, integer: bool = False
    ) -> torch.Tensor:
        """Spikes of `current` ``[T, ...]``; a `threshold` tensor is broadcast to one step."""
        kept, spikes = None, []
        for now in current.unbind():
            if kept is None:
                v = now
            else:
                decayed = kept * 0.5**self.leak
                v = now + (floor_through(decayed) if integer else decayed)
            fired = self._fire(v, threshold)
            past = fired.detach()
            kept = v * (1 - past.abs()) if self.reset == "hard" else v - threshold * past
            spikes.append(fired)
        return torch.stack(spikes)

    def _fire(self, v, threshold):
        return spike((v - threshold) / threshold)

    def extra_repr(self) -> str:
        return f"leak={self.leak}, reset={self.reset}"


class Ternary(LIF):
    """Neurons as `LIF`, which also fire downwards: -1 where v[t] <= -threshold."""

    kind = "ternary"

    def _fire(self, v, threshold):
        return spike((v - threshold) / threshold) - spike((-v - threshold) / threshold)


class ReLU(nn.Module):
    """Neurons that keep nothing, with values of `bits` bits, in each step::

        out[t] = min(max(floor(I[t] / threshold), 0), 2**bits - 1)

    A bias of a half of the threshold rounds to the nearest value. The gradient is that of a ramp
    between both ends.
    """

    kind = "relu"

    def __init__(self, bits: int = 3):
        super().__init__()
        if isinstance(bits, bool) or not isinstance(bits, int):
            raise TypeError(f"bits must be an integer, not {bits!r}")
        if not 1 <= bits <= 8:
            raise ValueError(f"bits must be 1 to 8, not {bits!r}")
        self.bits = bits

    def forward(
        self, current: torch.Tensor, threshold: torch.Tensor | float = 1.0, integer: bool = False
    ) -> torch.Tensor:
        """Values of `current` ``[T, ...]``; they are integers with and without `integer`."""
        return clamp_through(floor_through(current / threshold), 0, 2**self.bits - 1)

    def extra_repr(self) -> str:
        return f"bits={self.bits}"
