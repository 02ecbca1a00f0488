"""Error of both index sources of engine `sampled` against T, for constant spikes, N = D = 64.

    python examples/stratified_error.py [PICTURE]

Prints a row for each T and, if PICTURE is given, draws the plot of docs/ssa.md.
"""

import sys
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from spikeloom.cores.ssa import SSA
from spikeloom.cores.ssa import golden as ssa

SIZE = 64
STEPS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]


def main():
    """Print the errors and, if a file is named, plot them."""
    q, k, v = np.random.default_rng(3).integers(0, 2, (3, SIZE, SIZE), np.uint8)
    expected = ssa.float_reference(q, k, v)
    config = SSA(tokens=SIZE, head_dim=SIZE, steps=STEPS[-1], engine="sampled")
    errors = {}
    for indices in ("lfsr", "stratified"):
        run = replace(config, indices=indices)
        constant = (np.broadcast_to(x, (run.steps, SIZE, SIZE)) for x in (q, k, v))
        sums = ssa.run(run, *constant).cumsum(axis=0, dtype=np.int32)
        errors[indices] = [np.sqrt(np.mean((sums[t - 1] / t - expected) ** 2)) for t in STEPS]

    print("| T | lfsr | stratified |\n|---|---|---|")
    for n, t in enumerate(STEPS):
        print(f"| {t} | {errors['lfsr'][n]:.4f} | {errors['stratified'][n]:.4f} |")
    if sys.argv[1:]:
        draw(errors, sys.argv[1])


def draw(errors, path):
    """Plot the errors on log axes; an error of 0 is omitted."""
    figure = Figure(figsize=(6, 4.2), layout="constrained")
    ax = figure.subplots()
    root = errors["lfsr"][0] / np.sqrt(STEPS)
    ax.loglog(STEPS, root, "k--", linewidth=1, label="1/sqrt(T)")
    for (indices, found), mark in zip(errors.items(), ("o-", "s-"), strict=True):
        shown = [(t, error) for t, error in zip(STEPS, found, strict=True) if error]
        ax.loglog(*zip(*shown, strict=True), mark, markersize=4, label=indices)
    ax.annotate("stratified: exact at T = 4096", (0.98, 0.03), xycoords="axes fraction", ha="right")
    ax.set_xlabel("time steps T")
    ax.set_ylabel("RMSE of decoded output")
    ax.legend()
    ax.grid(which="both", alpha=0.2)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
