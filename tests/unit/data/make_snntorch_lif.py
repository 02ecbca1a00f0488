"""Makes snntorch_lif.npz: spikes of snnTorch's Leaky neuron for integer inputs.

Run once, in an environment with torch and snntorch 1.0.0. Everything is a multiple of 4**8, so that
eight steps of either leak stay whole numbers and float64 is exact. snnTorch fires above its
threshold, the hardware at or above it: no potential of these vectors falls on it.
"""

import sys

import numpy as np
import snntorch
import torch

UNIT = 4**8
THRESHOLD = 161 * UNIT


def main(path):
    """Write the vectors to `path`."""
    rng = np.random.default_rng(2024)
    inputs = rng.integers(-60, 100, (8, 256)) * 4 * UNIT
    vectors = {"inputs": inputs, "threshold": THRESHOLD, "input_bits": 28}
    for reset, mechanism in (("hard", "zero"), ("soft", "subtract")):
        for numerator, denominator in ((1, 2), (3, 4)):
            neuron = snntorch.Leaky(
                beta=torch.tensor(numerator / denominator, dtype=torch.float64),
                threshold=torch.tensor(float(THRESHOLD), dtype=torch.float64),
                reset_mechanism=mechanism,
                reset_delay=False,
            ).double()
            membrane = torch.zeros(inputs.shape[1], dtype=torch.float64)
            spikes = []
            for step in torch.tensor(inputs, dtype=torch.float64):
                spike, membrane = neuron(step, membrane)
                assert not (membrane == THRESHOLD).any()
                spikes.append(spike.detach().numpy().astype(np.int8))
            vectors[f"spikes_{reset}_{numerator}_{denominator}"] = np.stack(spikes)
    np.savez_compressed(path, **vectors)


if __name__ == "__main__":
    main(sys.argv[1])
