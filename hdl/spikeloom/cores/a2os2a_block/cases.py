"""The configurations of the regression of `a2os2a_block`."""

CASES = {
    "one token": {"tokens": 1, "head_dim": 1, "steps": 5, "o_threshold": 200},
    "one beat a step, qk": {"tokens": 1, "head_dim": 4, "steps": 5, "order": "qk"},
    "causal kv": {
        **{"tokens": 5, "head_dim": 12, "value_dim": 9, "lanes": 3, "steps": 3},
        **{"mask": "causal", "order": "kv", "q_threshold": 900},
    },
    "two beats a step": {"tokens": 2, "head_dim": 4, "steps": 4, "order": "kv"},
    "one step": {"tokens": 6, "head_dim": 4, "k_bits": 4, "input_bits": 6, "k_shift": 1},
    "few spikes, qk": {
        **{"tokens": 7, "head_dim": 8, "lanes": 2, "steps": 4, "order": "qk"},
        **{"q_threshold": 3500, "v_threshold": 3000},
    },
    "one lane, kv": {"tokens": 4, "head_dim": 3, "lanes": 1, "steps": 3, "order": "kv"},
    "one lane, qk": {"tokens": 4, "head_dim": 3, "lanes": 1, "steps": 3, "order": "qk"},
    "causal qk": {
        **{"tokens": 5, "head_dim": 12, "value_dim": 9, "lanes": 3, "steps": 3},
        **{"mask": "causal", "order": "qk", "o_threshold": 3000},
    },
    "primes": {"tokens": 7, "head_dim": 11, "value_dim": 13, "steps": 2, "k_bits": 5},
    "wide inputs": {
        **{"tokens": 6, "head_dim": 10, "lanes": 10, "steps": 3, "input_bits": 20},
        **{"q_threshold": 2**18, "v_threshold": 2**18, "k_shift": 8, "o_threshold": 2**12},
    },
    "Spikformer": {
        **{"tokens": 9, "head_dim": 8, "lanes": 4, "steps": 4, "order": "kv"},
        **{"k_bits": 1, "k_neurons": "binary", "v_spikes": "binary", "o_threshold": 8},
        **{"k_threshold": (300, 400, 500, 600, 700, 800, 900, 1000)},
    },
    "narrow membranes, channels": {
        **{"tokens": 6, "head_dim": 8, "value_dim": 4, "lanes": 2, "steps": 4, "order": "qk"},
        **{"membrane_bits": 8, "o_threshold": (500, 900, 300, 1200)},
        **{"k_shift": (0, 3, 1, 5, 4, 2, 7, 3), "counter_bits": 8},
    },
    "65 tokens": {"tokens": 65, "head_dim": 16, "lanes": 16, "steps": 2},
}

MUTANTS = {
    "kv": {
        **{"tokens": 4, "head_dim": 3, "lanes": 3, "steps": 3, "order": "kv", "k_bits": 3},
        **{"input_bits": 6, "q_threshold": 4, "k_shift": 1, "v_threshold": 8, "o_threshold": 6},
        "counter_bits": 6,
    },
    "qk, binary K, narrow membranes": {
        **{"tokens": 4, "head_dim": 4, "value_dim": 2, "lanes": 2, "steps": 4, "order": "qk"},
        **{"input_bits": 5, "k_bits": 1, "k_neurons": "binary"},
        **{"q_threshold": 2, "k_threshold": 1, "v_threshold": (2, 12), "o_threshold": (1, 9)},
        **{"membrane_bits": 3, "counter_bits": 6},
    },
}
