"""Figures reported in papers, for comparison; not measured here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reported:
    """`us` per attention on a `device`, as `source` reports it."""

    what: str
    device: str
    cycles: int
    mhz: float
    us: float
    source: str


REPORTED = (
    Reported(
        "SSA, N x N array, N = D = 64, T = 10", "large FPGA", 660, 200, 3.3, "arXiv 2402.09109"
    ),
)
