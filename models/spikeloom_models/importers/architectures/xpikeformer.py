"""Xpikeformer, by the keys of the code that its authors published; it is refused, with the reason.

The published network normalises with LayerNorm, and its queries, keys and values read the sums of
that normalisation, which are no spikes. The authors published no weights.

Source: Song et al., "Xpikeformer: Hybrid Analog-Digital Hardware Acceleration for Spiking
Transformers", by the authors of the core `ssa`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spikeloom.errors import InputError

from ...floating import FloatNetwork
from ..registry import Keys, architecture, layer_norm

FIRST = "_backbone.h.0.attn.c_attn"


@architecture("xpikeformer", "Xpikeformer (szh1456), refused with what its hardware would need")
def build(keys: Keys, values: Mapping[str, Any]) -> FloatNetwork:
    """Raise `InputError`."""
    keys.take(f"{FIRST}.weight", None, None)
    if norms := keys.layer_norms():
        raise InputError(layer_norm(norms[0]))
    raise InputError(
        f"{FIRST} reads the sums of the residual stream, and the hardware's linear layers spikes; "
        "train with neurons before it"
    )
