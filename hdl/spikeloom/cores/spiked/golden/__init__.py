"""SpikedAttention: golden model of every stage and of the head, and the float model.

Codes are integers: 0 for no spike, else ``sign * (n + 1)`` for a spike at step n.

Source: "SpikedAttention", NeurIPS 2024.
"""

from .float_model import FloatTrace, fit_scales, float_model, softmax_attention
from .head import HeadTrace, run, trace
from .phase_code import (
    decode,
    encode_quotients,
    encode_sums,
    encode_values,
    from_spike_train,
    logarithm,
    to_spike_train,
)
from .trace_product import trace_product
from .woss import woss

__all__ = [
    "FloatTrace",
    "HeadTrace",
    "decode",
    "encode_quotients",
    "encode_sums",
    "encode_values",
    "fit_scales",
    "float_model",
    "from_spike_train",
    "logarithm",
    "run",
    "softmax_attention",
    "to_spike_train",
    "trace",
    "trace_product",
    "woss",
]
