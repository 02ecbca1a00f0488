"""A plain vision transformer with batch normalisation and ReLU, as `spikeloom train --arch vit`
writes it; it is converted to phase codes.

Sources: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021; "SpikedAttention", NeurIPS
2024.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from spikeloom.errors import InputError
from spikeloom.networks.neuron import MAX_SHIFT
from spikeloom.networks.signals import MAX_STEPS

from ...phase_conversion import VisionNetwork
from ...torch import TransformerShape, VisionTransformer
from ..builder import COMMON, image_size
from ..registry import Keys, Setting, architecture

SETTINGS = (
    *(setting for setting in COMMON if setting.name in ("heads", "image")),
    Setting("patch", 4, "side of a patch in pixels", whole=True),
    Setting(
        "position",
        1,
        "whether the last channel of a patch is its position",
        whole=True,
        zero=True,
        most=1,
    ),
    Setting("pixel_bits", 6, "bits of a pixel that are used", whole=True, most=8),
    Setting("steps", 40, "time steps T of a code", whole=True, most=MAX_STEPS),
    Setting(
        "shift",
        3,
        "k of the base 2^k / (2^k - 1) of a code; 0: each layer's base and steps are chosen",
        whole=True,
        zero=True,
        most=MAX_SHIFT,
    ),
)
NORM = ("weight", "bias", "running_mean", "running_var")


@architecture("vit", "vision transformer (batch normalisation, ReLU), in phase codes", *SETTINGS)
def build(keys: Keys, values: Mapping[str, Any]) -> VisionNetwork:
    """The network of a checkpoint."""
    shape = _shape(keys, values)
    model = VisionTransformer(shape)
    state: dict[str, torch.Tensor] = {}
    _normalised(keys, state, "embed", shape.width, None)
    for number in range(shape.blocks):
        block = f"blocks.{number}"
        _normalised(keys, state, f"{block}.qkv", 3 * shape.width, shape.width)
        _normalised(keys, state, f"{block}.proj", shape.width, shape.width)
        _normalised(keys, state, f"{block}.fc1", shape.hidden, shape.width)
        _normalised(keys, state, f"{block}.fc2", shape.width, shape.hidden)
    state["head.weight"] = keys.take("head.weight", shape.classes, shape.width)
    state["head.bias"] = keys.take("head.bias", shape.classes)
    model.load_state_dict(state, strict=False)
    return VisionNetwork(model.eval(), values["steps"], values["shift"])


def _shape(keys: Keys, values: Mapping[str, Any]) -> TransformerShape:
    """The sizes that the tensors have, and those of the settings."""
    embed = keys.take("embed.linear.weight", None, None)
    width, inputs = embed.shape
    blocks, side = keys.count("blocks.{}."), values["patch"]
    if not blocks:
        raise InputError("the checkpoint has no blocks.0.; is this the right --arch?")
    image = image_size(values)
    channels = inputs / side**2 - bool(values["position"])
    if channels < 1 or channels % 1 or any(x % side for x in image):
        raise InputError(
            f"embed.linear.weight takes {inputs} values; patches of {side} x {side} pixels of an "
            f"image of {'x'.join(map(str, image))} do not fit: give --set patch, image and position"
        )
    return TransformerShape(
        image=(image[0], image[1], int(channels)),
        patch=(side, side),
        width=width,
        blocks=blocks,
        heads=values["heads"],
        hidden=len(keys.take("blocks.0.fc1.linear.weight", None, width)),
        classes=len(keys.take("head.weight", None, width)),
        pixel_bits=values["pixel_bits"],
        position=bool(values["position"]),
    )


def _normalised(
    keys: Keys, state: dict[str, torch.Tensor], name: str, outputs: int, inputs: int | None
) -> None:
    """Take a linear layer and its batch normalisation."""
    key = f"{name}.linear.weight"
    state[key] = keys.take(key, outputs, inputs)
    for part in NORM:
        key = f"{name}.norm.{part}"
        state[key] = keys.take(key, outputs)
    if bool((state[f"{name}.norm.running_var"] < 0).any()):
        raise InputError(f"{name}.norm.running_var has values below 0; no variance has")
