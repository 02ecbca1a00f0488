"""The `a2os2a_block` core: a composition of `a2os2a` and its neurons."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ...composition import Composition
from ...configuration import choice, integer, integers
from ...errors import InputError
from ...item import Bit, SInt
from ..a2os2a.core import A2OS2A
from ..channels import per_channel
from ..counter_bits import counter_bits_key
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
    zero. With ``k_neurons = "binary"`` and ``v_spikes = "binary"`` it is Spikformer's attention.

    A list of thresholds or of shifts has a value for each channel, D or Dv of them: a scale per
    channel, such as that of a batch norm, is divided out of the threshold.
    """

    NAME = "a2os2a_block"
    SUMMARY = "a2os2a among its neurons: pre-activations in, spikes out (arXiv 2503.00226)"
    CASES, MUTANTS, PRESETS = cases.CASES, cases.MUTANTS, presets.PRESETS
    BENCH = bench.ROWS
    trained_operands = bench.trained_operands

    input_bits: int = integer("bits of a signed pre-activation", low=2, high=32, default=12)
    q_threshold: int | tuple[int, ...] = integers(
        "of the neurons of Q; a list: one for each channel", low=1, high=2**31, default=2**9
    )
    k_neurons: str = choice(
        "ReLU, or binary spiking neurons (k_bits = 1)", choices=("relu", "binary"), default="relu"
    )
    k_shift: int | tuple[int, ...] = integers(
        "binary places that the ReLU of K rounds off; a list: one for each channel",
        low=0,
        high=31,
        default=3,
    )
    k_threshold: int | tuple[int, ...] = integers(
        "of the binary neurons of K; a list: one for each channel", low=1, high=2**31, default=2**9
    )
    v_threshold: int | tuple[int, ...] = integers(
        "of the neurons of V; a list: one for each channel", low=1, high=2**31, default=2**9
    )
    o_threshold: int | tuple[int, ...] = integers(
        "of the neurons of the output; a list: one for each channel",
        low=1,
        high=2**47,
        default=2**9,
    )
    membrane_bits: int = integer(
        "bits of every neuron's potential from step to step (default: as many as it needs)",
        low=2,
        high=64,
        default=None,
    )
    counter_bits: int = counter_bits_key()

    def __post_init__(self):
        super().__post_init__()
        if self.length == "open":
            raise self.error("length", self.length, "'fixed', for every token has its own neurons")
        if self.k_neurons == "binary" and self.k_bits != 1:
            raise self.error("k_bits", self.k_bits, "1 with k_neurons = 'binary'")
        for stream in "qkvo":
            channels = self.value_dim if stream in "vo" else self.head_dim
            for key in (f"{stream}_threshold", f"{stream}_shift"):
                given = len(per_channel(getattr(self, key, 0)))
                if given not in (1, channels):
                    what = f"one number, or {channels}, one for each channel, not {given}"
                    raise self.error(key, getattr(self, key), what)
            try:
                self.neurons(stream)
            except InputError as error:
                raise InputError(f"{self.NAME}: neurons of {stream}: {error}") from None

    def neurons(self, stream: str) -> SpikingNeurons | ReLUQuantiser:
        """The neurons of "q", "k", "v" or "o"."""
        width = self.head_dim if stream in "qk" else self.value_dim
        bits = self.acc_bits if stream == "o" else self.input_bits
        keys: Any = {"lanes": self.lanes, "input_bits": bits, "counter_bits": self.counter_bits}
        if stream == "k" and self.k_neurons == "relu":
            return ReLUQuantiser(
                **keys,
                values=self.steps * self.tokens * width,
                bits=self.k_bits,
                shift=self.k_shift,
            )
        return SpikingNeurons(
            **keys,
            neurons=self.tokens * width,
            steps=self.steps,
            threshold=getattr(self, f"{stream}_threshold"),
            output=self.v_spikes if stream == "v" else "binary",
            membrane_bits=self.membrane_bits,
        )

    def parts(self) -> dict[str, Any]:
        return {
            "q_neurons": self.neurons("q"),
            self._k_part: self.neurons("k"),
            "v_neurons": self.neurons("v"),
            "attention": A2OS2A(**{key.name: getattr(self, key.name) for key in fields(A2OS2A)}),
            "o_neurons": self.neurons("o"),
        }

    def wires(self) -> dict[str, str]:
        units = {"q": "q_neurons", "k": self._k_part, "v": "v_neurons"}
        into = {f"{unit}.i": name for name, unit in units.items()}
        between = {f"attention.{name}": f"{unit}.o" for name, unit in units.items()}
        return into | between | {"o_neurons.i": "attention.o", "o": "o_neurons.o"}

    @property
    def _k_part(self):
        return "k_relu" if self.k_neurons == "relu" else "k_neurons"

    def lifted_flags(self) -> dict[str, str]:
        units = {stream: f"{stream}_neurons" for stream in "qvo"} | {"k": self._k_part}
        return {
            f"{stream}_saturated": f"{units[stream]}.saturated"
            for stream in "qkvo"
            if "saturated" in self.parts()[units[stream]].flags
        }

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

    def cycle_formula(self) -> str:
        from ..spiking_neurons.component import NeuronBank

        return f"{NeuronBank.delay} + {super().cycle_formula()}, and for Q: {self.chunks} beats"

    def qkv(self, **operands: NDArray) -> dict[str, NDArray]:
        return self.operands_of("attention", **operands) if operands else {}

    def preload_cycles(self) -> int:
        return 2 * max(self.chunks, self.groups) + 8
