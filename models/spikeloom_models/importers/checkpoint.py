"""The tensors of a checkpoint, without running any code that it carries."""

# pyright: reportMissingImports=false

from __future__ import annotations

import pickle
import warnings
import zipfile
from argparse import Namespace
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from spikeloom.errors import InputError, echo

from .nir_graph import read_chain

WRAPPERS = ("state_dict", "model", "model_state_dict", "net", "model_ema")
PREFIX = "module."
SAFE_TYPES: list[Any] = [Namespace]  # plain data: timm keeps the arguments of a training in one


def read_state(path: str | PathLike[str]) -> dict[str, Tensor]:
    """The tensors by key of a ``.safetensors`` file, of a ``.nir`` graph (see `read_chain`) or of a
    checkpoint of ``torch.save``.

    A state dict may be the checkpoint itself or one of its entries (``state_dict``, ``model``);
    the prefix ``module.`` of DistributedDataParallel is removed. Raises `InputError` for a file
    that cannot be read, that needs code to be read, or that holds a value which is no number.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} does not exist; give a .pth, .pt, .safetensors or .nir file")
    state = _unwrapped(_load(path), path)
    for key, value in state.items():
        _check(value, f"{path}: {echo(key)[1:-1]}")
    return state


def _check(value: Tensor, where: str) -> None:
    """Raise `InputError` unless a tensor holds numbers, finite and as they are."""
    if value.layout is not torch.strided or value.is_quantized or value.device.type != "cpu":
        kind = "quantised" if value.is_quantized else f"of layout {value.layout}"
        raise InputError(f"{where} is a tensor {kind}; save plain floating-point weights")
    if not value.numel():
        raise InputError(f"{where} has the shape {tuple(value.shape)}: it holds no values")
    if value.is_floating_point() and not bool(torch.isfinite(value.float()).all()):
        raise InputError(f"{where} holds NaN or infinity; the training has diverged")


def _load(path: Path) -> Any:
    if path.suffix == ".nir":
        return read_chain(path)
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except SafetensorError as error:
            raise InputError(f"{path}: not a readable .safetensors file ({error})") from None
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(SAFE_TYPES):
            warnings.simplefilter("ignore", UserWarning)  # about the version of the pickle
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(f"{path}: {_reason(str(error))}") from None
    except (RuntimeError, EOFError, ValueError, KeyError, zipfile.BadZipFile, OSError):
        raise InputError(f"{path} is not a checkpoint of torch.save; it may be damaged") from None


def _reason(message: str) -> str:
    """Why a pickle was refused, in one line."""
    words = [word for word in message.split() if word.count(".") and "(" not in word]
    named = next((w.strip("`',.") for w in words if not w.startswith(("http", "torch."))), "")
    what = f"type {named}" if named.isprintable() and named else "a type"
    return (
        f"holds {what} that needs code to be read, which is never run; save the weights alone "
        "with torch.save(model.state_dict(), FILE)"
    )


def _unwrapped(content: Any, path: Path) -> dict[str, Tensor]:
    """The state dict within the content of a checkpoint."""
    for name in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
            break
    if not isinstance(content, Mapping) or not content:
        raise InputError(f"{path} holds no state dict; save it with torch.save(m.state_dict(), F)")
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            known = ", ".join(WRAPPERS)
            raise InputError(
                f"{path}: {echo(key)} is no tensor; the state dict must be the checkpoint itself, "
                f"or its entry {known}"
            )
    whole = all(key.startswith(PREFIX) for key in content)
    return {key[len(PREFIX) :] if whole else key: value.detach() for key, value in content.items()}
