"""Makes snntorch_lif.npz: spikes of snnTorch's Leaky neuron for integer inputs.

Run once, in an environment with torch and snntorch 1.0.0. Everything is a multiple of 4**8, so that
eight steps of either leak stay whole numbers and float64 is exact. Two habits of snnTorch differ
from the hardware's, and the inputs keep clear of both: it fires above its threshold rather than at
it (neurons that ever meet it are left out), and a soft reset that leaves a potential above the
threshold takes more off a step later (inputs are too small for that).
"""

import sys

import numpy as np
import snntorch
import torch

UNIT = 4**8
THRESHOLD = 161 * UNIT
KINDS = [
    (reset, leak) for reset in (("hard", "zero"), ("soft", "subtract")) for leak in ((1, 2), (3, 4))
]


def run(inputs, mechanism, leak):
    """Spikes of inputs (T, n), and which neurons never met the threshold exactly."""
    neuron = snntorch.Leaky(
        beta=torch.tensor(leak[0] / leak[1], dtype=torch.float64),
        threshold=torch.tensor(float(THRESHOLD), dtype=torch.float64),
        reset_mechanism=mechanism,
        reset_delay=False,
    ).double()
    membrane = torch.zeros(inputs.shape[1], dtype=torch.float64)
    spikes, clear = [], np.ones(inputs.shape[1], bool)
    for step in torch.tensor(inputs, dtype=torch.float64):
        spike, membrane = neuron(step, membrane)
        spikes.append(spike.detach().numpy().astype(np.int8))
        clear &= (membrane.detach() != THRESHOLD).numpy()
    return np.stack(spikes), clear


def main(path):
    """Write the vectors to `path`."""
    rng = np.random.default_rng(2024)
    inputs = rng.integers(-40, 48, (8, 300)) * 4 * UNIT
    results = {
        f"spikes_{name}_{leak[0]}_{leak[1]}": run(inputs, mechanism, leak)
        for (name, mechanism), leak in KINDS
    }
    keep = np.logical_and.reduce([clear for _, clear in results.values()])
    vectors = {name: spikes[:, keep] for name, (spikes, _) in results.items()}
    np.savez_compressed(path, inputs=inputs[:, keep], threshold=THRESHOLD, input_bits=28, **vectors)


if __name__ == "__main__":
    main(sys.argv[1])
