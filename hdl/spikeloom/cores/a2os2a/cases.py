"""The configurations of the regression of `a2os2a`."""

CASES = {
    "one token": {"tokens": 1, "head_dim": 1},
    "one token, qk": {"tokens": 1, "head_dim": 1, "order": "qk"},
    "whole rows, kv": {"tokens": 8, "head_dim": 16, "lanes": 16, "order": "kv"},
    "whole rows, qk": {"tokens": 8, "head_dim": 16, "lanes": 16, "order": "qk"},
    "one lane, kv": {"tokens": 5, "head_dim": 3, "lanes": 1, "order": "kv", "k_bits": 4},
    "one lane, qk": {"tokens": 5, "head_dim": 3, "lanes": 1, "order": "qk", "k_bits": 4},
    "D wider than N, causal kv": {
        **{"tokens": 5, "head_dim": 12, "value_dim": 9, "mask": "causal"},
        **{"order": "kv", "lanes": 3},
    },
    "D wider than N, causal qk": {
        **{"tokens": 5, "head_dim": 12, "value_dim": 9, "mask": "causal"},
        **{"order": "qk", "lanes": 3, "steps": 3},
    },
    "Dv wider than D, three steps": {
        **{"tokens": 9, "head_dim": 4, "value_dim": 10, "steps": 3, "order": "kv"},
        "lanes": 2,
    },
    "binary K": {"tokens": 12, "head_dim": 8, "k_bits": 1, "order": "kv", "lanes": 8},
    "binary K and V": {
        **{"tokens": 9, "head_dim": 8, "value_dim": 12, "k_bits": 1, "v_spikes": "binary"},
        **{"order": "kv", "lanes": 4, "steps": 2},
    },
    "two dimensions": {"tokens": 40, "head_dim": 2, "order": "kv", "mask": "causal"},
    "primes": {"tokens": 7, "head_dim": 11, "value_dim": 13, "k_bits": 5},
    "49 tokens": {"tokens": 49, "head_dim": 32, "lanes": 32, "order": "qk"},
    "65 tokens, causal kv": {
        **{"tokens": 65, "head_dim": 64, "lanes": 64, "order": "kv"},
        "mask": "causal",
    },
    "65 tokens, qk": {"tokens": 65, "head_dim": 64, "order": "qk", "lanes": 16},
    "wide K": {"tokens": 6, "head_dim": 10, "k_bits": 16, "lanes": 10, "acc_bits": 40},
}

# So few state words that an event can read a word whose update is still in the pipeline, and steps
# that follow each other, so that one begins while the sums of the last one are computed. A row of
# `kv` has two spans, and a token of `qk` three parts, so that what is left after one matters.
_SMALL = {"tokens": 4, "k_bits": 3, "steps": 3}
MUTANTS = {
    "kv": {**_SMALL, "head_dim": 10, "lanes": 10, "order": "kv"},
    "qk, causal": {
        **_SMALL,
        **{"head_dim": 6, "value_dim": 6, "lanes": 2, "order": "qk", "mask": "causal"},
    },
}
