"""The energy tables of the papers beside plain counts: which assumption gives which figure.

    python examples/energy_papers.py          the tables of docs/energy.md, as Markdown

A plain count is a number of operations or accesses times one price. Every combination of the counts
and prices below is tried on every figure of SSA's table, at the paper's shape; the nearest ones are
shown. So many combinations come near to any figure by chance, which `chance` states.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spikeloom.api import core as make_core
from spikeloom_boards.energy import Estimate, estimate
from spikeloom_boards.technologies import find_technology

N, D, HEADS, STEPS = 64, 64, 8, 10
NEAR = 0.03  # what counts as the same figure
REPORTED = {  # uJ of an attention block: compute, memory, total
    "ANN": (7.77, 89.96, 97.73),
    "Spikformer": (6.20, 102.85, 109.05),
    "SSA": (1.23, 52.80, 54.03),
}
OPERATIONS = {
    "int8 addition": 0.03,
    "int32 addition": 0.1,
    "fp16 addition": 0.4,
    "fp32 addition": 0.9,
    "int8 multiply and add": 0.23,
    "int8 multiply, int32 add": 0.3,
    "fp16 multiply and add": 1.5,
    "fp32 multiply and add": 4.6,
}
ACCESSES = {
    "byte of 8 KB": 10 / 8,
    "byte of 32 KB": 20 / 8,
    "32 bits of 8 KB": 10 / 2,
    "64 bits of 8 KB": 10,
    "bit of 8 KB": 10 / 64,
}


@dataclass(frozen=True)
class Assumption:
    """A way to count, and the energy in uJ that it gives."""

    text: str
    uj: float

    def off(self, reported: float) -> float:
        """Relative difference to a reported figure."""
        return self.uj / reported - 1


def assumptions(memory: bool, steps: int) -> Iterator[Assumption]:
    """Counts times prices, for the operations or the memory of a block over `steps` steps."""
    attention = 2 * HEADS * N**2 * D
    width = HEADS * D
    counts = {
        "2 H N^2 D": attention,
        "H N^2 D": attention / 2,
        "2 H N^2 D + 3 N (H D)^2": attention + 3 * N * width**2,
        "2 H N^2 D + 4 N (H D)^2": attention + 4 * N * width**2,
    }
    if memory:
        counts["4 H N D + 2 H N^2"] = 4 * N * width + 2 * HEADS * N**2  # each tensor once
    for what, count in counts.items():
        for price, pj in (ACCESSES if memory else OPERATIONS).items():
            for times in (1, 2) if memory else (1,):
                prefix = ("T x " if steps > 1 else "") + ("2 x " if times > 1 else "")
                yield Assumption(f"{prefix}({what}), {price}", steps * times * count * pj / 1e6)


def nearest(reported: float, memory: bool, steps: int) -> list[Assumption]:
    """All assumptions, the nearest first."""
    return sorted(assumptions(memory, steps), key=lambda one: abs(np.log(one.uj / reported)))


def chance(reported: float, memory: bool, steps: int) -> float:
    """Share of figures between a half and twice the reported one to which an assumption is near."""
    figures = reported * np.geomspace(0.5, 2, 2001)
    found = np.array([one.uj for one in assumptions(memory, steps)])
    return float(np.mean((abs(found / figures[:, None] - 1) <= NEAR).any(1)))


def ssa_lines() -> list[str]:
    """SSA's table and the nearest assumption for each of its figures."""
    lines = [
        "| figure | reported, uJ | nearest plain count | gives, uJ | off | by chance |",
        "|---|--:|---|--:|--:|--:|",
    ]
    for method, figures in REPORTED.items():
        steps = 1 if method == "ANN" else STEPS
        for part, figure in zip(("compute", "memory"), figures, strict=False):
            memory = part == "memory"
            best = nearest(figure, memory, steps)[0]
            met = "" if abs(best.off(figure)) <= NEAR else " (not met)"
            lines.append(
                f"| {method}, {part} | {figure} | {best.text}{met} | {best.uj:.2f} | "
                f"{100 * best.off(figure):+.1f} % | {100 * chance(figure, memory, steps):.0f} % |"
            )
    return lines


def our_lines() -> list[str]:
    """The same block by our counts: 8 heads."""
    lines = [
        "| 8 heads, N = D = 64 | technology | compute, uJ | memory, uJ | total, uJ |",
        "|---|---|--:|--:|--:|",
    ]
    for method, figures in REPORTED.items():
        reported = " | ".join(f"{figure:.2f}" for figure in figures)
        lines.append(f"| {method}, reported | the paper's | {reported} |")
    for name in ("horowitz-45nm", "horowitz-int8", "horowitz-fp32"):
        for row in ours(name):
            lines.append(
                f"| {row.design} | {name} | {row.compute:.3g} | {row.memory:.3g} | "
                f"{row.microjoule:.3g} |"
            )
    return lines


def ours(technology: str) -> list[Estimate]:
    """Our estimates of all heads."""
    table = find_technology(technology)
    cores = [make_core("int8_softmax", tokens=N, head_dim=D)]
    cores += [
        make_core("ssa", tokens=N, head_dim=D, steps=STEPS, engine=engine)
        for engine in ("counter", "sampled")
    ]
    # Spikformer's attention: binary Q, K and V, as many steps.
    binary = {"k_bits": 1, "v_spikes": "binary", "order": "qk"}
    cores.append(make_core("a2os2a", tokens=N, head_dim=D, steps=STEPS, **binary))
    rows = []
    for core in cores:
        one = estimate(core, technology)
        assert one is not None
        rows.append(Estimate(one.design, one.work.times(HEADS), table))
    return rows


# SpikedAttention: Swin-T on images of 224 x 224 pixels, and BERT-base.

SWIN = {"blocks": (2, 2, 6, 2), "width": 96, "side": 56, "window": 49, "patch": 48, "classes": 1000}
SPIKED = {"Swin-T": (45.339, 26.383), "MA-BERT, SST-2": (189.7, 79.9)}  # mJ: ANN, SNN


def swin_products() -> int:
    """Multiply-accumulates of Swin-T for an image, from its architecture."""
    width, side = SWIN["width"], SWIN["side"]
    total = side**2 * width * SWIN["patch"]
    for stage, blocks in enumerate(SWIN["blocks"]):
        tokens = side**2
        block = 12 * width**2 * tokens + 2 * tokens * SWIN["window"] * width
        total += blocks * block
        if stage < 3:  # four neighbours are merged
            side //= 2
            total += side**2 * 4 * width * 2 * width
            width *= 2
    return total + width * SWIN["classes"]


def bert_products(tokens: int = 128, width: int = 768, layers: int = 12) -> int:
    """Multiply-accumulates of BERT-base for a sentence padded to `tokens` tokens."""
    return layers * (12 * width**2 * tokens + 2 * tokens**2 * width)


def spiked_lines() -> list[str]:
    """SpikedAttention's figures: a product with a memory access, and an addition with one."""
    table = find_technology("spikedattention")
    ((_, add),) = table.operations["add", "float"]
    ((_, multiply),) = table.operations["multiply", "float"]
    ((_, access),) = table.memories
    lines = [
        "| network | reported, mJ | assumption | gives, mJ | off |",
        "|---|--:|---|--:|--:|",
    ]
    counts = {"Swin-T": swin_products(), "MA-BERT, SST-2": bert_products()}
    for network, (ann, snn) in SPIKED.items():
        for kind, reported, price, text in (
            ("ANN", ann, add + multiply + access, "multiply, add and access"),
            ("SNN", snn, add + access, "add and access"),
        ):
            found = counts[network] * price / 1e9
            met = "" if abs(found / reported - 1) <= NEAR else " (not met)"
            lines.append(
                f"| {network}, {kind} | {reported} | {counts[network] / 1e9:.2f} G x {price:.1f} "
                f"pJ: {text}{met} | {found:.1f} | {100 * (found / reported - 1):+.1f} % |"
            )
    return lines


def main() -> None:
    for lines in (ssa_lines(), our_lines(), spiked_lines()):
        print("\n".join(lines), end="\n\n")


if __name__ == "__main__":
    main()
