"""Where PyTorch computes."""

# pyright: reportMissingImports=false

from __future__ import annotations

from textwrap import shorten

import torch

from spikeloom.errors import InputError

AUTO = "auto"


def find_device(name: str = AUTO) -> torch.device:
    """The device of PyTorch called `name`; auto is a GPU where there is one, else the CPU. Raises
    `InputError` unless PyTorch can compute there."""
    if name == AUTO:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = shorten(str(error), 80, placeholder=" ...")
        raise InputError(
            f"--device {name}: PyTorch cannot compute there ({reason}); give cpu, cuda or auto"
        ) from None
    return device
