"""Rounding of weights for the inputs that a layer really has, measured on calibration images."""

# pyright: reportMissingImports=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from .floating import Convolution, FloatNetwork, Head, Weighted, WholeImage
from .planes import to_planes, windows_of
from .rounding import rounded

IMAGES = 64  # that are looked at
PASSES = 3  # over the rows of a matrix
DAMPING = 1e-3  # share of the mean variance that is added to all: unseen inputs also count


@dataclass(frozen=True)
class Inputs:
    """The `mean` (in,) and `covariance` (in, in) of a layer's inputs."""

    mean: NDArray
    covariance: NDArray

    def rounded(self, scaled: NDArray, largest: int) -> NDArray:
        """Integers (in, out) near `scaled`, in ``-largest..largest``.

        Each weight in turn takes the integer with which the error of the layer's sums has the least
        variance, given all others: errors of inputs that occur together cancel.
        """
        variance = np.diag(self.covariance)
        integers = rounded(scaled, largest)
        error = integers - scaled
        for row in [*range(len(scaled))] * PASSES:
            others = self.covariance[row] @ error - variance[row] * error[row]
            wanted = scaled[row] - others / variance[row]
            integers[row] = rounded(wanted, largest)
            error[row] = integers[row] - scaled[row]
        return integers


@torch.no_grad()
def measured_inputs(network: FloatNetwork, images: NDArray) -> dict[str, Inputs]:
    """The inputs of each layer with neurons or currents, for the first of `images`
    (B, Y, X, C)."""
    signals = network.signals(torch.from_numpy(images[:IMAGES].copy()))
    found = {}
    for layer in network.layers:
        if not isinstance(layer, Weighted) or isinstance(layer, Head):
            continue
        rows = _rows(layer, signals[layer.inputs[0]]).numpy().astype(float)
        mean = rows.mean(0)
        covariance = rows.T @ rows / len(rows) - np.outer(mean, mean)
        damping = DAMPING * max(np.trace(covariance) / len(mean), 1e-6)
        found[layer.name] = Inputs(mean, covariance + damping * np.eye(len(mean)))
    return found


def _rows(layer: Weighted, x: Tensor) -> Tensor:
    """What the rows of a layer's matrix are multiplied by, ``[samples, in]``, in its order."""
    if isinstance(layer, WholeImage):
        return x.flatten(1).float()
    if not isinstance(layer, Convolution):
        return x.flatten(0, -2)
    if layer.is_first:
        assert layer.mean is not None
        outside = 255 * layer.mean.view(1, -1, 1, 1)
        planes = x.permute(0, 3, 1, 2).float() - outside
    else:
        outside = torch.zeros(1, x.shape[-1], 1, 1)
        planes = to_planes(x, layer.grid)
    planes = functional.pad(planes, (layer.padding,) * 4) + outside
    return windows_of(planes, layer.weight.shape[2:], layer.stride).flatten(0, 1)
