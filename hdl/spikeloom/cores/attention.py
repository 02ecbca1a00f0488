"""Common base of attention cores: operands q, k, v, and the keys derived from their shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..configuration import DIM_WHY, MAX_DIM, integer
from ..contract import Core
from ..errors import InputError


def head_dim_key() -> Any:
    """Key `head_dim` of an attention core."""
    return integer("head dimension D of Q and K", low=1, high=MAX_DIM, why=DIM_WHY)


def value_dim_key() -> Any:
    """Key `value_dim` of an attention core."""
    return integer(
        "head dimension Dv of V (default: head_dim)",
        low=1,
        high=MAX_DIM,
        default=None,
        why=DIM_WHY,
    )


@dataclass(frozen=True, kw_only=True)
class AttentionShape(Core):
    """Base of cores with operands Q and K (N, D) and V (N, Dv), with an axis of steps if the
    streams have time steps."""

    @classmethod
    def need_integers(cls, tensors: Mapping[str, Any], advice: str) -> None:
        """Raise `InputError`, with `advice`, if one of the `tensors` is in floating point."""
        for name, tensor in tensors.items():
            if np.asarray(tensor).dtype.kind == "f":
                raise InputError(f"{name}: holds {tensor.dtype}; {cls.NAME} takes {advice}")

    @classmethod
    def shape_settings(
        cls, settings: Mapping[str, Any], axes: str, tensors: Mapping[str, Any], why: str = ""
    ) -> dict[str, Any]:
        """`settings` with the keys derived from the shapes of `tensors`.

        `axes` are the axes of the operands of a run, "ND" or "TND", and `why` is the reason; an
        additional leading axis enumerates runs.

        Raises `InputError` if shapes contradict each other or `settings`.
        """
        shapes = {name: np.shape(tensors[name]) for name in "qkv" if tensors.get(name) is not None}
        for name in "qkv":
            if name not in shapes:
                raise InputError(f"{cls.NAME}: operand {name} is missing; it takes q, k, v")
            if len(shapes[name]) not in (len(axes), len(axes) + 1):
                raise InputError(
                    f"{name}: shape {shapes[name]} is not ({', '.join(axes)}), nor heads of that"
                    + (f"; {why}" if why else "")
                )
        if shapes["k"] != shapes["q"]:
            raise InputError(
                f"k: shape {shapes['k']} differs from q's {shapes['q']}; they must be equal"
            )
        if shapes["v"][:-1] != shapes["q"][:-1]:
            raise InputError(
                f"v: shape {shapes['v']} does not go with q's {shapes['q']}; only the last axis "
                "may differ"
            )
        if 0 in (*shapes["q"], *shapes["v"]):
            raise InputError(f"q: shape {shapes['q']}, v: shape {shapes['v']}: no numbers")

        found = {"tokens": shapes["q"][-2], "head_dim": shapes["q"][-1]}
        found["value_dim"] = shapes["v"][-1]
        if "T" in axes:
            found["steps"] = shapes["q"][-3]
        core = cls.from_settings(found | dict(settings))
        for key, size in found.items():
            if getattr(core, key) != size:
                raise InputError(
                    f"{key} = {getattr(core, key)}, but the tensors have {size}; leave it out"
                )
        return found | dict(settings)
