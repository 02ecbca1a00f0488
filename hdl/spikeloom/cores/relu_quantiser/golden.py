"""The ReLU quantiser: golden model in integers."""

import numpy as np


def relu_quantise(inputs, *, bits, shift):
    """``min(max(x, 0) >> shift, 2**bits - 1)`` as int64, and how many values were cut off."""
    scaled = np.maximum(np.asarray(inputs, np.int64), 0) >> shift
    most = 2**bits - 1
    return np.minimum(scaled, most), int((scaled > most).sum())
