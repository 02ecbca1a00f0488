"""Configuration of a population of spiking neurons."""

from dataclasses import dataclass

from .base import CoreConfig, choice, integer


@dataclass(frozen=True, kw_only=True)
class NeuronConfig(CoreConfig):
    """Leaky integrate-and-fire neurons in fixed point::

        u <- h + x
        s  = 1 if u >= threshold, else 0                    (ternary: -1 if u <= -threshold)
        h <- leak * (0 if s else u)                         (hard reset)
        h <- leak * (u - threshold * s)                     (soft reset)

    with ``leak = leak_numerator / 2**leak_shift``, rounded down. ``1 / 2`` is a time constant of 2;
    ``1 / 1`` does not leak. A potential is wide enough for every input over `steps` time steps.
    """

    core = "neuron"

    neurons: int = integer("neurons, each with a state of its own", low=1, high=2**20)
    lanes: int = integer("neurons per clock", low=1, high=1024, default=1)
    steps: int = integer("time steps before the state starts from zero", low=1, high=65536)
    input_bits: int = integer("bits of a signed input", low=2, high=48)
    threshold: int = integer("potential at which a neuron fires", low=1, high=2**47)
    leak_numerator: int = integer(
        "share of the potential kept, times 2**leak_shift", low=0, high=256
    )
    leak_shift: int = integer("see leak_numerator", low=0, high=8)
    reset: str = choice("after a spike", choices=("hard", "soft"), default="hard")
    output: str = choice("spikes", choices=("binary", "ternary"), default="binary")

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

    @property
    def words(self):
        """Beats of a time step."""
        return self.neurons // self.lanes

    @property
    def spike_bits(self):
        """Bits of a spike: 1, or 2 for a ternary one in two's complement."""
        return 2 if self.output == "ternary" else 1

    @property
    def potential_bits(self):
        """Bits of a potential, signed.

        Inputs of magnitude X add up to at most T X, and with a leak below 1 to at most
        ``(X + 1) / (1 - leak)``: the 1 is what rounding down takes in a step.
        """
        most = 2 ** (self.input_bits - 1) + 1
        bound = most * self.steps
        lost = 2**self.leak_shift - self.leak_numerator
        if lost:
            bound = min(bound, -(-(most << self.leak_shift) // lost))
        # A soft reset may take a threshold larger than any potential; it never fires then.
        return max(bound, 1).bit_length() + 1
