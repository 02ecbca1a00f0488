"""Configuration of `a2os2a` with its neurons: pre-activations in, spikes out."""

from dataclasses import dataclass

from ..errors import InputError
from .a2os2a import A2OS2AConfig
from .base import integer
from .neuron import NeuronConfig


@dataclass(frozen=True, kw_only=True)
class A2OS2ABlockConfig(A2OS2AConfig):
    """The core's keys, and those of the four kinds of neurons around it.

    Thresholds are in units of the pre-activations' last place. Every spiking neuron has a time
    constant of 2 and a hard reset, the values of the paper.

    Source: arXiv 2503.00226.
    """

    core = "a2os2a_block"

    input_bits: int = integer("bits of a signed pre-activation", low=2, high=32, default=12)
    q_threshold: int = integer("of the binary neurons of Q", low=1, high=2**31, default=2**9)
    v_threshold: int = integer("of the ternary neurons of V", low=1, high=2**31, default=2**9)
    k_shift: int = integer("binary places the ReLU of K drops", low=0, high=31, default=3)
    o_threshold: int = integer("of the neurons of the output", low=1, high=2**47, default=2**9)

    def __post_init__(self):
        super().__post_init__()
        if self.length == "open":
            raise self.error("length", self.length, "'fixed', for every token has its own neurons")
        for stream in ("q", "v", "o"):
            try:
                self.neurons(stream)
            except InputError as error:
                raise InputError(f"{self.core}: neurons of {stream}: {error}") from None

    def neurons(self, stream):
        """`NeuronConfig` of the spiking neurons of "q", "v" or "o"."""
        width = self.head_dim if stream == "q" else self.value_dim
        return NeuronConfig(
            neurons=self.tokens * width,
            lanes=self.lanes,
            steps=self.steps,
            input_bits=self.acc_bits if stream == "o" else self.input_bits,
            threshold=getattr(self, f"{stream}_threshold"),
            leak_numerator=1,
            leak_shift=1,
            output="ternary" if stream == "v" else "binary",
        )
