"""The configurations of the regression of `spiked`."""

CASES = {
    "one token": {"tokens": 1, "head_dim": 1, "steps": 2, "base": 2.0},
    "one lane": {"tokens": 5, "head_dim": 4, "lanes": 1},
    "D wider than N, causal": {
        **{"tokens": 5, "head_dim": 12, "value_dim": 9, "lanes": 3, "mask": "causal"},
        **{"steps": 16, "base": 1.4},
    },
    "Dv wider than D": {"tokens": 9, "head_dim": 2, "value_dim": 11, "lanes": 9},
    "one dimension": {"tokens": 6, "head_dim": 1, "lanes": 6, "encoders": 3},
    "all encoders, causal": {
        **{"tokens": 10, "head_dim": 6, "lanes": 10, "encoders": 10, "mask": "causal"},
    },
    "partial groups and blocks": {"tokens": 13, "head_dim": 5, "lanes": 6, "encoders": 3},
    "two events, causal": {
        **{"tokens": 9, "head_dim": 5, "value_dim": 3, "lanes": 4, "encoders": 2},
        **{"events": 2, "mask": "causal"},
    },
    "64 steps, B near 1": {"tokens": 7, "head_dim": 5, "steps": 64, "base": 1.02},
    "fewest bits": {
        **{"tokens": 8, "head_dim": 8, "steps": 16, "base": 2**0.5, "lanes": 8},
        **{"frac_bits": 8, "log_bits": 2},
    },
    "three heads": {"tokens": 6, "head_dim": 4, "heads": 3, "lanes": 6, "encoders": 2},
    "49 tokens": {"tokens": 49, "head_dim": 6, "lanes": 7},
    "65 tokens, causal": {"tokens": 65, "head_dim": 8, "mask": "causal", "lanes": 13},
}

# Few steps and bits, so that every entry of every table is used; enough dimensions and heads for
# sums near every threshold.
_SMALL = {"tokens": 5, "head_dim": 6, "value_dim": 2, "steps": 5, "base": 1.5, "frac_bits": 8}
MUTANTS = {
    "one event": {
        **_SMALL,
        "log_bits": 3,
        "lanes": 3,
        "encoders": 1,
        "heads": 16,
        "mask": "causal",
    },
    "two events": {**_SMALL, "log_bits": 3, "lanes": 4, "encoders": 2, "heads": 8, "events": 2},
}
