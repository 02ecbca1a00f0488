"""Accuracy of `spiked` against its float model and softmax attention, and its cycle counts.

    python examples/spiked_accuracy.py [FOLDER]

Prints Markdown tables, and writes ``spiked-error.png`` to FOLDER (default: docs/images).
"""

import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from spikeloom.cores.spiked import Spiked, schedule
from spikeloom.cores.spiked import golden as spiked
from spikeloom_sim.backends import RTL

SEEDS = range(10)
SHARES = (1.0, 0.5, 0.1, 0.01)  # of neurons that spike


def gaussian(config, seed):
    shape = (3, config.tokens, config.head_dim)
    return np.random.default_rng(seed).standard_normal(shape)


def agreement(config):
    """Share of output codes equal to the float model's: mean and worst; largest difference."""
    apart = []
    for seed in SEEDS:
        trace = spiked.float_model(config, *gaussian(config, seed))
        output = spiked.run(trace.config, trace.q, trace.k, trace.v)
        steps = [np.where(x == 0, config.steps + 1, abs(x)) for x in (output, trace.output)]
        opposite = output * trace.output < 0
        apart.append(np.where(opposite, config.steps, abs(steps[0] - steps[1])))
    apart = np.array(apart)
    return (apart == 0).mean(), (apart == 0).mean(axis=(1, 2)).min(), apart.max()


def against_softmax(config, seeds=SEEDS):
    """Correlation and relative RMSE of golden and float model against softmax attention."""
    rows = {"golden": [], "float": []}
    for seed in seeds:
        q, k, v = gaussian(config, seed)
        trace = spiked.float_model(config, q, k, v)
        output = spiked.run(trace.config, trace.q, trace.k, trace.v)
        softmax = spiked.softmax_attention(q, k, v)
        golden = spiked.decode(config, output) * trace.config.output_scale
        for name, values in (("golden", golden), ("float", trace.values)):
            rmse = np.sqrt(((values - softmax) ** 2).mean() / (softmax**2).mean())
            rows[name].append((np.corrcoef(values.ravel(), softmax.ravel())[0, 1], rmse))
    return {name: np.mean(found, axis=0) for name, found in rows.items()}


def print_formats():
    print("| N | D | frac_bits | log_bits | equal codes | worst seed | largest difference |")
    print("|---|---|---|---|---|---|---|")
    for tokens, dim in ((49, 32), (64, 64)):
        base = Spiked(tokens=tokens, head_dim=dim)
        for frac_bits, log_bits in ((12, 9), (14, 9), (16, 9), (18, 9), (20, 7), (20, 9), (24, 12)):
            config = replace(base, frac_bits=frac_bits, log_bits=log_bits)
            equal, worst, most = agreement(config)
            steps = "1 step" if most == 1 else f"{most} steps"
            print(
                f"| {tokens} | {dim} | {frac_bits} | {log_bits} "
                f"| {equal:.2%} | {worst:.2%} | {steps} |"
            )


def print_softmax():
    print("| N | D | B | T | correlation, golden | float | relative RMSE, golden | float |")
    print("|---|---|---|---|---|---|---|---|")
    for tokens, dim, base, steps in (
        (49, 32, 1.15, 40),
        (64, 64, 1.15, 40),
        (49, 32, 1.4, 16),
        (128, 64, 1.4, 16),
        (49, 32, 2.0, 8),
    ):
        config = Spiked(tokens=tokens, head_dim=dim, base=base, steps=steps)
        found = against_softmax(config)
        (corr, rmse), (float_corr, float_rmse) = found["golden"], found["float"]
        print(
            f"| {tokens} | {dim} | {base} | {steps} | {corr:.4f} | {float_corr:.4f} "
            f"| {rmse:.3f} | {float_rmse:.3f} |"
        )


def print_side_by_side():
    """Float model, golden model and RTL on the data of the first seed."""
    print("| N | D | B | T | float model | golden model | RTL | outputs where RTL differs |")
    print("|---|---|---|---|---|---|---|---|")
    for tokens, dim, base, steps in (
        (49, 32, 1.15, 40),
        (64, 64, 1.15, 40),
        (128, 64, 1.4, 16),
    ):
        config = Spiked(tokens=tokens, head_dim=dim, base=base, steps=steps)
        q, k, v = gaussian(config, SEEDS[0])
        trace = spiked.float_model(config, q, k, v)
        head = trace.q, trace.k, trace.v
        golden = spiked.run(trace.config, *head)
        (run,) = RTL().run(trace.config, [dict(zip("qkv", head, strict=True))])
        rtl = run.outputs["o"]
        softmax = spiked.softmax_attention(q, k, v).ravel()
        found = [trace.values, *(spiked.decode(trace.config, codes) for codes in (golden, rtl))]
        correlations = " | ".join(f"{np.corrcoef(x.ravel(), softmax)[0, 1]:.4f}" for x in found)
        print(
            f"| {tokens} | {dim} | {base} | {steps} | {correlations} "
            f"| {np.count_nonzero(golden != rtl)} of {golden.size:,} |"
        )


def print_cycles():
    print("| lanes | events | encoders | 100 % | 50 % | 10 % | 1 % | interval, 100 % |")
    print("|---|---|---|---|---|---|---|---|")
    for lanes, events in product((1, 7, 8, 49), (1, 2)):
        config = Spiked(tokens=49, head_dim=32, lanes=lanes, events=events)
        rng = np.random.default_rng(2)
        heads = [config.random_operands(rng, share) for share in SHARES]
        cycles = " | ".join(f"{config.cycles(**head):,}" for head in heads)
        interval = schedule.interval(config)
        print(f"| {lanes} | {events} | {config.encoders} | {cycles} | {interval:,.0f} |")


def print_product():
    print("| lanes | cycles / spikes * groups, 100 % | 50 % | 10 % | 1 % | 0 % |")
    print("|---|---|---|---|---|---|")
    for lanes in (1, 7, 8, 49):
        config = Spiked(tokens=49, head_dim=32, lanes=lanes, encoders=lanes)
        found = []
        for share in (*SHARES, 0.0):
            rng = np.random.default_rng(2)
            head = config.random_operands(rng, share)
            cycles = schedule.product_cycles(config, np.count_nonzero(head["q"], axis=1).tolist())
            work = sum(np.count_nonzero(head[name]) for name in "qk") * config.groups
            found.append(f"{cycles:,} / {work:,}")
        print(f"| {lanes} | {' | '.join(found)} |")


def plot(path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 3.8), layout="constrained")
    steps = np.array([2, 4, 6, 8, 12, 16, 24, 32, 40, 52, 64])
    for base in (1.05, 1.1, 1.15, 1.25, 2**0.5, 2.0):
        errors = [
            against_softmax(Spiked(tokens=49, head_dim=32, base=base, steps=int(count)), range(3))[
                "golden"
            ][1]
            for count in steps
        ]
        axes.plot(steps, errors, marker="o", markersize=3, label=f"B = {base:.3g}")
    axes.set(
        xlabel="time steps T",
        ylabel="relative RMSE against softmax",
        title="Golden model, N = 49, D = 32, Gaussian Q, K, V",
        yscale="log",
    )
    axes.grid(alpha=0.3, which="both")
    figure.legend(loc="outside right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    print_formats()
    print()
    print_softmax()
    print()
    print_side_by_side()
    print()
    print_cycles()
    print()
    print_product()
    plot(folder / "spiked-error.png")
