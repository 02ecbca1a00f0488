"""What the serial line takes for one attention, from the bytes that go over it."""

from dataclasses import dataclass, replace

import numpy as np

from spikeloom.link.identity import Identity
from spikeloom.link.protocol import bytes_of, chunks_of, line_bytes
from spikeloom_sim.adapters import adapter

FEW = 2  # rounds of time steps from which the bytes of more follow
MANY = 2**20  # spikes of an operand from which that is done


@dataclass(frozen=True)
class LineLoad:
    """One attention on the line: `bytes` both ways, framing included, at `baud`.

    Left out: escapes (0.8 % of random bytes), BUSY answers while the core works, and what a USB
    adapter adds to each round trip.
    """

    bytes: int
    baud: int

    @property
    def us(self):
        """Microseconds: requests and answers follow one another, ten bits to a byte."""
        return 10e6 * self.bytes / self.baud

    @classmethod
    def of(cls, config, baud):
        """That of a run of `config`'s core."""
        identity = Identity.of_config(config, 0)
        writes, operands = _operands(config, identity.inputs)
        output = bytes_of(identity.output) * adapter(config.core).output_beats(config)
        return cls(line_bytes(writes, operands, output, identity.flags), baud)


def _operands(config, inputs):
    """WRITEs of a run's operands, and their bytes.

    Those of many time steps are not made up: each round of steps is as long as the one before.
    """
    round_ = getattr(config, "steps_at_once", None) or 1
    rounds, rest = divmod(config.steps, round_)
    if rounds <= FEW or config.steps * config.tokens * config.head_dim <= MANY:
        return _count(config, inputs)
    few = [_count(replace(config, steps=n * round_ + rest), inputs) for n in (FEW, FEW + 1)]
    return tuple(first + (rounds - FEW) * (then - first) for first, then in zip(*few, strict=True))


def _count(config, inputs):
    model = adapter(config.core)
    beats = model.to_beats(config, *model.random_operands(config, np.random.default_rng(0)))
    chunks = [
        len(data) for name, bits in inputs.items() for data, _ in chunks_of(beats[name], bits)
    ]
    return len(chunks), sum(chunks)
