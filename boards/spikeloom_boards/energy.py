"""Energy of one run, estimated by counting operations. Nothing here was measured.

Constants for 45 nm, in pJ: addition 0.9, multiplication 3.7, memory access 5.0 (the energy model of
SpikedAttention, NeurIPS 2024). An access moves 32 bits. Each core counts its operations and bits
moved in `Core.work`. Not counted: the softmax of int8 attention, random numbers and control.
"""

from dataclasses import dataclass

from spikeloom.contract import Core, Work
from spikeloom.cores import all_cores
from spikeloom.cores.attention import AttentionShape

ADDITION, MULTIPLICATION, ACCESS = 0.9, 3.7, 5.0  # pJ
WORD = 32  # bits per access


@dataclass(frozen=True)
class Estimate:
    """Energy of one run by `method`, from its `work`."""

    method: str
    work: Work

    @property
    def accesses(self) -> float:
        """Memory accesses of `WORD` bits."""
        return self.work.moved_bits / WORD

    @property
    def microjoule(self) -> float:
        picojoule = (
            self.work.additions * ADDITION
            + self.work.multiplications * MULTIPLICATION
            + self.accesses * ACCESS
        )
        return picojoule / 1e6


def estimates(core: Core) -> list[Estimate]:
    """`Estimate`s of `core`; for an attention core, also of int8 attention and of the other
    attention cores with that shape and default keys. Cores without a work count are omitted."""
    if not isinstance(core, AttentionShape):
        work = core.work()
        return [] if work is None else [Estimate(core.NAME, work)]
    keys = core.as_dict()
    shape = {key: keys[key] for key in ("tokens", "head_dim", "value_dim")}
    rows = [Estimate("int8", _int8_attention(**shape))]
    for name, other in all_cores().items():
        if issubclass(other, AttentionShape):
            work = (core if name == core.NAME else other.from_settings(shape)).work()
            rows += [] if work is None else [Estimate(name, work)]
    return rows


def _int8_attention(tokens: int, head_dim: int, value_dim: int) -> Work:
    """Plain int8 attention without softmax; each tensor is read or written once."""
    dims, pairs = head_dim + value_dim, tokens**2
    return Work(
        formula="N^2 (D + Dv) additions and as many multiplications",
        additions=pairs * dims,
        multiplications=pairs * dims,
        moved_bits=8 * (2 * tokens * dims + 2 * pairs),
    )
