"""Backend `golden`: the NumPy model."""

import numpy as np

from ..adapters import adapter
from ..footprint import check_golden


def run_golden(config, heads):
    """Outputs of the golden model, one head after the other, stacked along a leading axis.

    `heads` is a list of operand tuples; head h runs with seed ``config.seed + h``. Raises
    `InputError` where they take more memory than is available.
    """
    check_golden(config)
    model = adapter(config.core).golden
    return np.stack([model(head_config(config, n), *head) for n, head in enumerate(heads)])


def head_config(config, head):
    """The configuration of head number `head`: it differs in its seed alone."""
    return config.with_seed(head_seed(config.seed, head))


def head_seed(seed, head):
    """Seed of head number `head`: the next ones after `seed`, leaving out 0."""
    return (seed - 1 + head) % (2**64 - 1) + 1
