"""Draw the pictures of the tutorial: ``python examples/tutorial_pictures.py``.

The waveform is that of a run of the core in RTL simulation: ``--vcd FILE`` names the file that
``spikeloom run ... --backend rtl --wave FILE`` wrote; without it, the waveform is left alone.
"""

import argparse
import re
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from spikeloom.cores.ssa import golden
from spikeloom_boards.demos.ssa import demo_config, looking, photograph_patches

OUT = Path(__file__).parents[1] / "docs" / "tutorial"
SPIKE = "tab:blue"


def draw_spikes(steps=40):
    """Two spike trains and their AND."""
    rng = np.random.default_rng(1)
    a, b = rng.random(steps) < 0.7, rng.random(steps) < 0.4
    figure = Figure(figsize=(8, 1.6), layout="constrained")
    ax = figure.subplots()
    rows = {"a (0.7)": a, "b (0.4)": b, "a AND b (0.28)": a & b}
    for row, train in enumerate(rows.values()):
        ax.vlines(np.flatnonzero(train), row - 0.35, row + 0.35, color=SPIKE, linewidth=3)
    names = [f"{name}: {train.sum()} spikes" for name, train in rows.items()]
    ax.set_yticks(range(3), names)
    ax.set_ylim(2.6, -0.6)
    ax.set_xlim(-1, steps)
    ax.set_xlabel("time step")
    return figure


def draw_attention(tokens=12, dims=16):
    """The output of the attention by spikes for growing T, and exactly."""
    rng = np.random.default_rng(2)
    where = np.linspace(0, 3 * np.pi, tokens)[:, None] + np.linspace(0, np.pi, dims)
    q, k, v = (0.5 + 0.5 * np.sin(where * scale + scale) for scale in (1.0, 0.5, 2.0))
    exact = q @ k.T @ v / (dims * tokens)
    spikes = []
    for _ in range(1000):
        q_t, k_t, v_t = (rng.random(x.shape) < x for x in (q, k, v))
        counts = q_t.astype(int) @ k_t.T
        scores = (rng.integers(dims, size=counts.shape) < counts).astype(int)
        counts = scores @ v_t
        spikes.append(rng.integers(tokens, size=counts.shape) < counts)
    figure = Figure(figsize=(9, 2.2), layout="constrained")
    panels = {f"T = {n:,}": np.mean(spikes[:n], axis=0) for n in (1, 10, 100, 1000)}
    axes = figure.subplots(1, 5)
    for ax, (title, image) in zip(axes, (panels | {"exactly": exact}).items(), strict=True):
        drawn = ax.imshow(image, cmap="viridis", vmin=0, vmax=exact.max() * 1.2)
        ax.set_title(title)
        ax.set_xticks([])
        ax.set_yticks([])
    axes[0].set_ylabel("tokens")
    axes[0].set_xlabel("dimensions")
    figure.colorbar(drawn, ax=axes, label="output")
    return figure


def changes(path):
    """By single-bit signal of the file's first scope, (time, value) of each change."""
    head, _, body = path.read_text().partition("$enddefinitions")
    variables = re.findall(r"\$var wire 1 (\S+) (\w+) \$end", head.partition("$upscope")[0])
    names, found, time = dict(variables), {}, 0
    for line in body.splitlines():
        if line.startswith("#"):
            time = int(line[1:])
        elif line[:1] in ("0", "1") and line[1:] in names:
            found.setdefault(names[line[1:]], []).append((time, int(line[0])))
    return found


def draw_waveform(path):
    """Control and output of the core from start to done."""
    found = changes(path)
    signals = ["clk", "s_axis_q_tvalid", "start", "busy", "m_axis_o_tvalid", "m_axis_o_tlast"]
    signals += ["done"]
    begin, end = (next(time for time, value in found[one] if value) for one in ("start", "done"))
    period = 2 * (found["clk"][3][0] - found["clk"][2][0])
    figure = Figure(figsize=(10, 3), layout="constrained")
    ax = figure.subplots()
    for row, name in enumerate(signals):
        times, values = np.array([(-1, 0), *found[name], (end + 99 * period, 0)]).T
        ax.step(
            (times - begin) / period, 0.7 * values - row, where="post", color=SPIKE, linewidth=1
        )
    ax.set_yticks(-np.arange(len(signals)) + 0.3, signals)
    ax.set_xlim(-40, (end - begin) / period + 3)
    ax.set_xlabel("cycles from start")
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vcd", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=OUT)
    asked = parser.parse_args()
    figures = {"spikes": draw_spikes(), "attention": draw_attention()}
    if asked.vcd:
        figures["waveform"] = draw_waveform(asked.vcd)
    patches = photograph_patches()
    scores = golden.trace(demo_config(100), patches, patches, patches).scores
    looking.animate(patches, scores, asked.output / "looking.gif")
    for name, figure in figures.items():
        figure.savefig(asked.output / f"{name}.png", dpi=100)


if __name__ == "__main__":
    main()
