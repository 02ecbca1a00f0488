"""The configurations of the regression of `int8_softmax`."""

CASES = {
    "one lane": {"tokens": 5, "head_dim": 3, "lanes": 1, "shift": 9},
    "one token": {"tokens": 1, "head_dim": 1},
    "whole rows": {"tokens": 8, "head_dim": 16, "lanes": 16},
    "Dv wider than D": {"tokens": 9, "head_dim": 4, "value_dim": 10, "lanes": 5, "shift": 11},
    "D wider than Dv": {"tokens": 7, "head_dim": 13, "value_dim": 3, "lanes": 4},
    "lanes that divide nothing": {"tokens": 12, "head_dim": 11, "value_dim": 13, "lanes": 3},
    "no fraction": {"tokens": 6, "head_dim": 6, "shift": 8, "frac_bits": 0, "prob_bits": 4},
    "no shift": {"tokens": 6, "head_dim": 2, "shift": 0, "prob_bits": 16},
    "fine weights": {"tokens": 20, "head_dim": 8, "prob_bits": 16, "frac_bits": 10, "lanes": 2},
    "soft": {"tokens": 33, "head_dim": 8, "shift": 24, "lanes": 8},
    "more tokens than a group": {"tokens": 50, "head_dim": 10, "lanes": 5, "shift": 10},
    "49 tokens": {"tokens": 49, "head_dim": 32, "lanes": 11},
    "65 tokens": {"tokens": 65, "head_dim": 64, "lanes": 13, "shift": 12},
}

MUTANTS = {
    "two lanes": {
        **{"tokens": 4, "head_dim": 3, "value_dim": 2, "lanes": 2, "shift": 9},
        **{"prob_bits": 6, "frac_bits": 3},
    },
}
