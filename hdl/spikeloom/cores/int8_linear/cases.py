"""The configurations of the regression of `int8_linear`."""

CASES = {
    "one of each": {"tokens": 1, "input_dim": 1, "output_dim": 1},
    "one lane": {"tokens": 4, "input_dim": 3, "output_dim": 5, "lanes": 1, "scale_bits": 5},
    "whole rows": {"tokens": 6, "input_dim": 16, "output_dim": 16, "lanes": 16},
    "lanes that divide nothing": {"tokens": 7, "input_dim": 11, "output_dim": 13, "lanes": 3},
    "a last beat of one": {"tokens": 9, "input_dim": 8, "output_dim": 9, "lanes": 8},
    "one output": {"tokens": 20, "input_dim": 6, "output_dim": 1, "lanes": 6},
    "one input": {"tokens": 12, "input_dim": 1, "output_dim": 30},
    "relu": {"tokens": 8, "input_dim": 20, "output_dim": 12, "activation": "relu", "lanes": 5},
    "no shift": {"tokens": 5, "input_dim": 4, "output_dim": 6, "shift": 0, "scale_bits": 4},
    "all shifted out": {"tokens": 5, "input_dim": 2, "output_dim": 7, "shift": 31},
    "coarse scales": {"tokens": 6, "input_dim": 24, "output_dim": 10, "scale_bits": 7, "lanes": 12},
    "multipliers of both kinds": {
        **{"tokens": 5, "input_dim": 14, "output_dim": 9, "lanes": 7, "logic_lanes": 3}
    },
    "one bank of weights": {"tokens": 3, "input_dim": 9, "output_dim": 8, "weight_banks": 1},
    "49 tokens": {"tokens": 49, "input_dim": 64, "output_dim": 32, "lanes": 22},
    "65 tokens": {"tokens": 65, "input_dim": 33, "output_dim": 17, "lanes": 16},
}

MUTANTS = {
    name: CASES[name]
    for name in ("one lane", "relu", "multipliers of both kinds", "one bank of weights")
}
"""Small configurations, in which every part is there."""
