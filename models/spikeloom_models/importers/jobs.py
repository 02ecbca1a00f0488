"""Importing by name: a checkpoint, an architecture, settings; the result is a network file."""

# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.errors import InputError, unknown
from spikeloom.networks import golden
from spikeloom.networks.engine.compiler import check_built
from spikeloom.networks.engine.rounding import round_biases
from spikeloom.networks.engine_limits import LANE_BITS
from spikeloom.networks.file import save
from spikeloom.networks.graph import Graph
from spikeloom.networks.layers import Convolution, Linear
from spikeloom.outputs import output_file

from ..tasks import check_output, check_torch
from .registry import architectures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..floating import FloatNetwork
    from ..phase_choice import LayerCode
    from ..phase_conversion import VisionNetwork
    from ..quantise import Cut, Quantised

BITS = ((4, 4), (4, 8), (6, 6), (8, 8), (8, 16), (16, 16))  # that "auto" tries, and of the stem
LOSS = 0.003  # share of images that "auto" may lose
AUTO = "auto"


@dataclass(frozen=True)
class Fidelity:
    """How near the integers of one choice of bits come to the floating-point network.

    Members
    -------
    bits, stem_bits : of the weights, and of those of the stem.
    agreement : share of the calibration images with the same class; None without images.
    accuracy : share of them that is right; None without labels.
    """

    bits: int
    stem_bits: int
    agreement: float | None = None
    accuracy: float | None = None


@dataclass(frozen=True)
class Imported:
    """An imported network.

    Members
    -------
    graph : the network in integers.
    bits, stem_bits : of its weights, and of those of its stem.
    settings : the values that were used; `given` are those of the user, the others the defaults of
        the architecture's own code.
    cuts : by layer, what rounding did to its weights.
    codes : by layer, its phase code, if it was chosen.
    biases : by layer whose biases were rounded so that the engine takes fewer cycles, the largest
        change as a share of the threshold.
    images, float_accuracy : calibration images, and the share that the floating-point network
        has right (None without labels).
    tried : the fidelity of each choice of bits that was computed.
    """

    graph: Graph
    bits: int
    stem_bits: int
    settings: dict[str, Any]
    given: tuple[str, ...]
    cuts: dict[str, Cut]
    codes: dict[str, LayerCode]
    biases: dict[str, float]
    images: int
    float_accuracy: float | None
    tried: tuple[Fidelity, ...]


def import_checkpoint(
    checkpoint: str | PathLike[str],
    architecture: str,
    output: str | PathLike[str],
    settings: Mapping[str, str] | None = None,
    *,
    images: NDArray | None = None,
    labels: NDArray | None = None,
    bits: int | str = 8,
    stem_bits: int | None = None,
    sweep: bool = False,
    exact_biases: bool = False,
    own_thresholds: bool = False,
    name: str = "",
    classes: Sequence[str] = (),
    reference: str | PathLike[str] | None = None,
) -> Imported:
    """Import a checkpoint and write its network file to `output`.

    Parameters
    ----------
    settings : values that the checkpoint lacks, as text, by name.
    images, labels : calibration images (B, Y, X, C) of uint8, and their classes (B,).
    bits : of the weights; "auto" takes the first choice of `BITS` that loses at most 0.3 points of
        accuracy, or of agreement without `labels`, on the calibration images.
    stem_bits : of the weights of convolutions and of the layer of the image; default: `bits`.
    sweep : whether to compute the fidelity of all choices of bits.
    exact_biases : whether biases stay as they are where the engine would take fewer cycles with
        rounded ones.
    own_thresholds : whether outputs of a layer may have thresholds of their own, which take cycles.
    reference : a file for the logits of the floating-point network on `images`, .npy.

    Raises `InputError`.
    """
    check_torch("importing")
    check_output(output, {"the checkpoint": checkpoint})
    if architecture not in architectures():
        raise unknown("architecture", architecture, architectures())
    if images is None and (bits == AUTO or sweep or labels is not None or reference):
        raise InputError("give calibration images with --calibrate X.npy")
    wanted = _wanted(bits, stem_bits)
    chosen = architectures()[architecture]
    given = dict(settings or {})
    if images is not None and any(s.name == "image" for s in chosen.settings):
        given.setdefault("image", f"{images.shape[1]},{images.shape[2]}")
    values = chosen.values(given)
    network = _build(checkpoint, chosen, values)
    measured = _Measured(network, images, labels)
    fit = exact if exact_biases else fitted
    integers = _integers(network, images, own_thresholds)
    choices = {*BITS} if sweep or wanted is None else set()
    choices |= set() if wanted is None else {wanted}
    make = partial(integers, name=name or chosen.name, classes=classes)
    quantised, tried = _choose(make, measured, choices, wanted, sweep, fit)
    graph = fit(quantised.graph)
    save(output, graph)
    if reference is not None:
        with output_file(reference) as file, file.open("wb") as out:
            np.save(out, measured.logits)
    return Imported(
        graph=graph,
        bits=graph.classifier.weight_bits,
        stem_bits=graph.embedding.weight_bits,
        settings=values,
        given=tuple(settings or {}),
        cuts=quantised.cuts,
        codes=quantised.codes,
        biases=_changes(quantised.graph, graph),
        images=0 if images is None else len(images),
        float_accuracy=measured.accuracy,
        tried=tried,
    )


def _build(checkpoint, chosen, values) -> FloatNetwork:
    from .checkpoint import read_state
    from .registry import Keys

    keys = Keys(read_state(checkpoint))
    network = chosen.build(keys, values)
    keys.close()
    return network


def exact(graph: Graph) -> Graph:
    """The network as it is."""
    return graph


def fitted(graph: Graph) -> Graph:
    """The network with rounded biases, where the engine runs it and takes fewer cycles then."""
    try:
        check_built(graph)
    except InputError:
        return graph
    return round_biases(graph)


def _changes(before: Graph, after: Graph) -> dict[str, float]:
    """The largest change of a bias in each layer that has any, as a share of the threshold."""
    found = {}
    for layer in before.layers:
        if isinstance(layer, Linear | Convolution):
            rounded = after.layer(layer.name)
            assert isinstance(rounded, Linear | Convolution)
            change = np.abs(rounded.bias.astype(np.int64) - layer.bias)
            if change.any():
                thresholds = layer.neuron.thresholds(layer.threshold_offsets)
                found[layer.name] = float((change / thresholds).max())
    return found


class _Measured:
    """The floating-point network on the calibration images."""

    def __init__(self, network: FloatNetwork, images: NDArray | None, labels: NDArray | None):
        self.images, self.labels = images, labels
        self.accuracy: float | None = None
        if images is None:
            return
        if images.shape[1:] != network.image:
            raise InputError(
                f"--calibrate: images of {images.shape[1:]} do not fit a network for "
                f"{network.image} (height, width, channels)"
            )
        import torch

        self.logits = network.logits(torch.from_numpy(images.copy())).numpy()
        self.classes = self.logits.argmax(1)
        if labels is not None:
            _check_labels(labels, self.logits.shape[1])
            self.accuracy = float((self.classes == labels).mean())

    def fidelity(self, graph: Graph, bits: tuple[int, int]) -> Fidelity:
        """How near `graph` comes."""
        if self.images is None:
            return Fidelity(*bits)
        found = golden.run_chunks(graph, self.images).labels
        right = None if self.labels is None else float((found == self.labels).mean())
        return Fidelity(*bits, float((found == self.classes).mean()), right)

    def is_good(self, tried: Fidelity) -> bool:
        """Whether a choice of bits loses little enough."""
        if self.accuracy is not None and tried.accuracy is not None:
            return tried.accuracy >= self.accuracy - LOSS
        return tried.agreement is not None and tried.agreement >= 1 - LOSS


def _check_labels(labels: NDArray, classes: int) -> None:
    """Raise `InputError` for a label that is no class."""
    if labels.dtype.kind not in "iu":
        raise InputError(f"--labels: {labels.dtype}; give integers, one an image")
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(wrong):
        raise InputError(
            f"--labels: {labels[wrong[0]]} at [{wrong[0]}]; the classes are 0..{classes - 1}"
        )


def _wanted(bits: int | str, stem_bits: int | None) -> tuple[int, int] | None:
    """The bits of the weights and of those of the stem; None for "auto"."""
    if isinstance(bits, str):
        if stem_bits is not None:
            raise InputError(f"--stem-bits {stem_bits}: --bits {AUTO} chooses them; leave it out")
        return None
    most = 2 * min(bits, LANE_BITS[-1])
    if stem_bits is not None and stem_bits > most:
        raise InputError(
            f"--stem-bits {stem_bits}: with --bits {bits}, at most {most} (two digits)"
        )
    return bits, stem_bits or bits


def _choose(make, measured, choices, wanted, sweep, fit):
    """The network in the bits that are `wanted`, or in the fewest that are good, and what was
    tried."""
    made, tried = {}, {}
    for bits in sorted(choices):
        made[bits] = make(bits[0], stem_bits=bits[1])
        tried[bits] = measured.fidelity(fit(made[bits].graph), bits)
        if wanted is None and not sweep and measured.is_good(tried[bits]):
            break
    if wanted is None:
        good = [bits for bits in tried if measured.is_good(tried[bits])]
        wanted = min(good, default=max(tried))
    return made[wanted], tuple(tried.values())


def _integers(
    network: FloatNetwork | VisionNetwork, images: NDArray | None, own_thresholds: bool
) -> Callable:
    """What makes `network` one of integers, by bits; a vision transformer one in phase codes."""
    from ..calibration import measured_inputs
    from ..phase_conversion import VisionNetwork, convert
    from ..quantise import quantise

    if isinstance(network, VisionNetwork):
        if own_thresholds:
            raise InputError("--own-thresholds: a network of phase codes has none; leave it out")

        def converted(bits: int, *, stem_bits: int, **names) -> Quantised:
            if stem_bits != bits:
                raise InputError("--stem-bits: a network of phase codes has no stem; leave it out")
            return convert(network, images, bits, **names)

        return converted
    inputs = {} if images is None else measured_inputs(network, images)
    return partial(quantise, network, inputs=inputs, own_thresholds=own_thresholds)
