"""The `a2os2a_block` core: a composition of `a2os2a` and its neurons."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ...composition import Composition
from ...configuration import integer
from ...errors import InputError
from ...item import Bit, SInt
from ..a2os2a.core import A2OS2A
from ..relu_quantiser import ReLUQuantiser
from ..spiking_neurons import SpikingNeurons
from . import bench, cases, presets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...port import Port


@dataclass(frozen=True, kw_only=True)
class A2OS2ABlock(Composition, A2OS2A):
    """Spiking self-attention from pre-activations, T time steps in a run::

        Q = binary neurons(q)    K = ReLU(k)    V = ternary neurons(v)
        o = binary neurons((Q K^T) V)

    Thresholds are integers in units of the pre-activations' least significant bit. Every spiking
    neuron has a time constant of 2 and a hard reset, as in the paper, and starts each run from
    zero.
    """

    NAME = "a2os2a_block"
    SUMMARY = "a2os2a among its neurons: pre-activations in, spikes out (arXiv 2503.00226)"
    CASES = cases.CASES
    PRESETS = presets.PRESETS
    BENCH = bench.ROWS

    input_bits: int = integer("bits of a signed pre-activation", low=2, high=32, default=12)
    q_threshold: int = integer("of the binary neurons of Q", low=1, high=2**31, default=2**9)
    v_threshold: int = integer("of the ternary neurons of V", low=1, high=2**31, default=2**9)
    k_shift: int = integer("binary places the ReLU of K drops", low=0, high=31, default=3)
    o_threshold: int = integer("of the neurons of the output", low=1, high=2**47, default=2**9)

    def __post_init__(self):
        super().__post_init__()
        if self.length == "open":
            raise self.error("length", self.length, "'fixed', for every token has its own neurons")
        for stream in "qvo":
            try:
                self.neurons(stream)
            except InputError as error:
                raise InputError(f"{self.NAME}: neurons of {stream}: {error}") from None

    def neurons(self, stream: str) -> SpikingNeurons:
        """The `SpikingNeurons` of "q", "v" or "o"."""
        width = self.head_dim if stream == "q" else self.value_dim
        return SpikingNeurons(
            neurons=self.tokens * width,
            lanes=self.lanes,
            steps=self.steps,
            input_bits=self.acc_bits if stream == "o" else self.input_bits,
            threshold=getattr(self, f"{stream}_threshold"),
            output="ternary" if stream == "v" else "binary",
        )

    def parts(self) -> dict[str, Any]:
        values = self.steps * self.tokens * self.head_dim
        relu = {"input_bits": self.input_bits, "bits": self.k_bits, "shift": self.k_shift}
        return {
            "q_neurons": self.neurons("q"),
            "k_relu": ReLUQuantiser(values=values, lanes=self.lanes, **relu),
            "v_neurons": self.neurons("v"),
            "attention": A2OS2A(**{key.name: getattr(self, key.name) for key in fields(A2OS2A)}),
            "o_neurons": self.neurons("o"),
        }

    def wires(self) -> dict[str, str]:
        units = {"q": "q_neurons", "k": "k_relu", "v": "v_neurons"}
        into = {f"{unit}.i": name for name, unit in units.items()}
        between = {f"attention.{name}": f"{unit}.o" for name, unit in units.items()}
        return into | between | {"o_neurons.i": "attention.o", "o": "o_neurons.o"}

    def lifted_flags(self) -> dict[str, str]:
        return {"k_saturated": "k_relu.saturated"}

    @property
    def inputs(self) -> dict[str, Port]:
        return {name: self.port(name, SInt(self.input_bits), self.lanes) for name in "qkv"}

    @property
    def outputs(self) -> dict[str, Port]:
        return {"o": self.port("o", Bit(), self.lanes)}

    def cycles(self, **operands: NDArray) -> int:
        """Cycles of the attention, whose queries arrive every D / lanes cycles, and of the output
        neurons."""
        from ..a2os2a.schedule import cycles
        from ..spiking_neurons.component import NeuronBank

        return cycles(self, self.by_step(self.qkv(**operands)), self.chunks) + NeuronBank.delay

    def qkv(self, **operands: NDArray) -> dict[str, NDArray]:
        return self.operands_of("attention", **operands) if operands else {}

    def preload_cycles(self) -> int:
        return 2 * max(self.chunks, self.groups) + 8
