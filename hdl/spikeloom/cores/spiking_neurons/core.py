"""The `spiking_neurons` unit: keys, streams, golden model and cycles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...configuration import choice, integer, integers
from ...contract import Flag
from ...item import Bit, SInt, Ternary
from ...port import Port
from ...stream_unit import StreamUnit
from ...work import Accesses, Operations, Work
from ..channels import check_channels
from ..counter_bits import counter_bits_key
from .golden import fire_and_count, inputs_at_edges

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...blocks.component import Component


@dataclass(frozen=True, kw_only=True)
class SpikingNeurons(StreamUnit):
    """Leaky integrate-and-fire neurons in fixed point::

        u <- h + x
        s  = 1 if u >= threshold, else 0                    (ternary: -1 if u <= -threshold)
        h <- leak * (0 if s else u)                         (hard reset)
        h <- leak * (u - threshold * s)                     (soft reset)

    with ``leak = leak_numerator / 2**leak_shift``, rounded down. ``1 / 2`` is a time constant of 2;
    ``1 / 1`` does not leak.

    A list of thresholds belongs to channels: neuron n has that of channel ``n mod channels``. With
    `membrane_bits`, a potential kept for the next step stays within that many bits: one that would
    leave the range is held at its end, and counted. Without, it is wide enough for every input over
    `steps` time steps.
    """

    NAME = "spiking_neurons"
    SUMMARY = "leaky integrate-and-fire neurons, binary or ternary, hard or soft reset"
    SOURCE = "Guo et al., arXiv 2503.00226 (tau = 2, hard reset)"
    UNROLL = ("lanes",)
    PASSES_LAST = True
    CASES = {
        "one neuron": {"neurons": 1, "steps": 5, "input_bits": 4, "threshold": 3},
        "tau 2, hard": {"neurons": 12, "lanes": 3, "steps": 4, "input_bits": 8, "threshold": 40},
        "ternary": {
            **{"neurons": 8, "lanes": 2, "steps": 6, "input_bits": 6, "threshold": 9},
            "output": "ternary",
        },
        "soft reset": {
            **{"neurons": 10, "lanes": 5, "steps": 7, "input_bits": 10, "threshold": 100},
            "reset": "soft",
        },
        "no leak": {
            **{"neurons": 6, "steps": 9, "input_bits": 5, "threshold": 20},
            **{"leak_numerator": 1, "leak_shift": 0},
        },
        "leak 7/8, ternary, soft": {
            **{"neurons": 9, "lanes": 3, "steps": 5, "input_bits": 12, "threshold": 777},
            **{"leak_numerator": 7, "leak_shift": 3, "output": "ternary", "reset": "soft"},
        },
        "thresholds of channels": {
            **{"neurons": 24, "lanes": 2, "steps": 4, "input_bits": 8, "output": "ternary"},
            **{"threshold": (5, 90, 30, 127, 60, 20)},
        },
        "narrow membranes": {
            **{"neurons": 8, "lanes": 2, "steps": 5, "input_bits": 8, "threshold": 70},
            **{"membrane_bits": 6, "reset": "soft", "counter_bits": 6},
        },
        "narrow membranes, one beat": {
            **{"neurons": 2, "lanes": 2, "steps": 6, "input_bits": 8, "threshold": (90, 40)},
            **{"membrane_bits": 5, "output": "ternary", "counter_bits": 1},
        },
    }
    MUTANTS = {
        "thresholds of channels": CASES["thresholds of channels"],
        "narrow membranes": CASES["narrow membranes"],
        "leak 7/8, ternary, soft": CASES["leak 7/8, ternary, soft"],
    }

    neurons: int = integer("neurons, each with a state of its own", low=1, high=2**20)
    lanes: int = integer("neurons per cycle", low=1, high=1024, default=1)
    steps: int = integer("time steps before the state starts from zero", low=1, high=65536)
    input_bits: int = integer("bits of a signed input", low=2, high=48)
    threshold: int | tuple[int, ...] = integers(
        "potential at which a neuron fires; a list: one for each channel", low=1, high=2**47
    )
    leak_numerator: int = integer(
        "share of the potential kept, times 2**leak_shift", low=0, high=256, default=1
    )
    leak_shift: int = integer("see leak_numerator", low=0, high=8, default=1)
    reset: str = choice("after a spike", choices=("hard", "soft"), default="hard")
    output: str = choice("spikes", choices=("binary", "ternary"), default="binary")
    membrane_bits: int = integer(
        "bits of a signed potential from step to step (default: as many as it needs)",
        low=2,
        high=80,
        default=None,
    )
    counter_bits: int = counter_bits_key()

    def __post_init__(self):
        super().__post_init__()
        if self.neurons % self.lanes:
            raise self.error("lanes", self.lanes, f"a divisor of neurons ({self.neurons})")
        if self.leak_numerator > 2**self.leak_shift:
            raise self.error(
                "leak_numerator",
                self.leak_numerator,
                f"at most 2**leak_shift = {2**self.leak_shift}",
            )
        check_channels(self, "threshold", self.neurons)
        self.derive(membrane_bits=self._needed_bits())

    @property
    def words(self) -> int:
        """Beats of a time step."""
        return self.neurons // self.lanes

    @property
    def spike_bits(self) -> int:
        """Bits of a spike: 1, or 2 for a ternary one in two's complement."""
        return 2 if self.output == "ternary" else 1

    @property
    def saturates(self) -> bool:
        """Whether a potential can leave the range of `membrane_bits`."""
        return self.membrane_bits < self._needed_bits()

    @property
    def potential_bits(self) -> int:
        """Bits of a potential, signed, before the spike is subtracted."""
        return min(self._needed_bits(), max(self.membrane_bits, self.input_bits) + 1)

    def _needed_bits(self):
        """Bits of a potential that never saturates.

        Inputs of magnitude X add up to at most T X, and with a leak below 1 to at most ``(X + 1) /
        (1 - leak)``, where the 1 accounts for rounding down in each step.
        """
        most = 2 ** (self.input_bits - 1) + 1
        bound = most * self.steps
        lost = 2**self.leak_shift - self.leak_numerator
        if lost:
            bound = min(bound, -(-(most << self.leak_shift) // lost))
        # With a soft reset the threshold may exceed any potential; the neuron then never fires.
        return max(bound, 1).bit_length() + 1

    # Interface of every core

    def _port(self, item):
        shape, beat = (self.steps, self.neurons), (1, self.lanes)
        return Port(axes="TN", shape=shape, item=item, beat=beat, closes="N")

    @property
    def inputs(self) -> dict[str, Port]:
        return {"i": self._port(SInt(self.input_bits))}

    @property
    def outputs(self) -> dict[str, Port]:
        return {"o": self._port(Ternary() if self.output == "ternary" else Bit())}

    @property
    def flags(self) -> dict[str, Flag]:
        if not self.saturates:
            return super().flags
        meaning = "potentials held at the end of their range since reset"
        return super().flags | {"saturated": Flag(meaning, self.counter_bits)}

    def component(self) -> Component:
        from .component import NeuronBank

        return NeuronBank(self)

    def golden(self, *, i: NDArray) -> dict[str, Any]:
        spikes, held = fire_and_count(self, i)
        output = {"o": spikes.astype(self.outputs["o"].item.dtype)}
        return output | ({"saturated": held} if self.saturates else {})

    def edge_operands(self, rng: np.random.Generator) -> dict[str, NDArray]:
        return {"i": inputs_at_edges(self, rng)}

    def cycles(self, **operands: NDArray) -> int:
        from .component import NeuronBank

        return self.steps * self.words + NeuronBank.delay

    def cycle_formula(self) -> str:
        from .component import NeuronBank

        return f"{NeuronBank.delay} + steps * neurons / lanes"

    def work(self, densities: Mapping[str, float] | None = None, **operands: NDArray) -> Work:
        count = self.steps * self.neurons
        bits = self.membrane_bits
        state = Accesses("membranes", 2 * count * bits, self.neurons * bits)
        return Work(
            "3 T n: input, leak, threshold",
            (Operations("input, leak, threshold", "add", bits, 3 * count),),
            (state,),
        )
