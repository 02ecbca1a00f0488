"""Energy of one attention, estimated by counting operations. Nothing here was measured.

Constants for 45 nm, in pJ: addition 0.9, multiplication 3.7, memory access 5.0 (the energy model of
SpikedAttention, NeurIPS 2024). An access moves 32 bits. Q, K and V are read once, scores written
and read once, outputs written once, in every time step. Half of all spikes are taken to be ones; an
addition is counted where its operand is not zero. Softmax and the exponentials in it are left out
of int8 attention, as are random numbers and control everywhere.
"""

from dataclasses import dataclass

ADDITION, MULTIPLICATION, ACCESS = 0.9, 3.7, 5.0  # pJ
WORD = 32  # bits an access moves


@dataclass(frozen=True)
class Estimate:
    """Operations of one attention by `method`, with the `formula` of the additions."""

    method: str
    formula: str
    additions: float
    multiplications: float
    accesses: float

    @property
    def microjoule(self):
        picojoule = (
            self.additions * ADDITION
            + self.multiplications * MULTIPLICATION
            + self.accesses * ACCESS
        )
        return picojoule / 1e6


def estimates(tokens, head_dim, value_dim, steps, k_bits=8):
    """`Estimate`s of plain int8 attention and of the three cores at one shape.

    `steps` is T of the stochastic core; a one-spike code and A2OS2A are one pass.
    """
    n, d, dv, t = tokens, head_dim, value_dim, steps
    pairs = n * n

    def accesses(q_bits, k_bits, v_bits, score_bits, output_bits, passes=1):
        moved = n * (d * (q_bits + k_bits) + dv * (v_bits + output_bits)) + 2 * pairs * score_bits
        return passes * moved / WORD

    return [
        Estimate(
            *("int8", "N^2 (D + Dv) additions and as many multiplications"),
            *(pairs * (d + dv), pairs * (d + dv), accesses(8, 8, 8, 8, 8)),
        ),
        Estimate(
            *("ssa", "T N^2 (D / 4 + Dv / 8): both spikes of a pair are ones"),
            *(t * pairs * (d / 4 + dv / 8), 0, accesses(1, 1, 1, 1, 1, passes=t)),
        ),
        Estimate(
            *("spiked", "2 N^2 (D + Dv) + N^2: steps added, trace added, WOSS shift"),
            *(2 * pairs * (d + dv) + pairs, 0, accesses(7, 7, 7, 7, 7)),
        ),
        Estimate(
            *("a2os2a", "N^2 (D / 2 + 2 Dv / 3): spikes of Q, signs of V"),
            *(pairs * (d / 2 + 2 * dv / 3), 0, accesses(1, k_bits, 2, 16, 32)),
        ),
    ]
