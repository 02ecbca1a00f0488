"""The configurations of the regression: at least ten for each core, one line apiece."""

CASES = {
    "ssa": {
        "one token": {"tokens": 1, "head_dim": 1, "steps": 3},
        "one cell": {"tokens": 4, "head_dim": 4, "steps": 3, "cells": 1, "bits": 1},
        "whole rows": {"tokens": 8, "head_dim": 16, "steps": 5, "cells": 8, "bits": 16},
        "paper's array": {
            **{"tokens": 8, "head_dim": 8, "steps": 4, "cells": 64, "bits": 1},
            "inputs": "values",
        },
        "several query rows": {"tokens": 6, "head_dim": 4, "steps": 4, "cells": 12, "bits": 2},
        "D wider than N, causal": {
            **{"tokens": 5, "head_dim": 12, "value_dim": 9, "steps": 3, "mask": "causal"},
            **{"cells": 5, "bits": 3},
        },
        "Dv wider than D, self": {
            **{"tokens": 9, "head_dim": 4, "value_dim": 10, "steps": 3, "mask": "self"},
            **{"cells": 3, "bits": 2},
        },
        "primes": {"tokens": 7, "head_dim": 11, "value_dim": 13, "steps": 3},
        "49 tokens": {"tokens": 49, "head_dim": 16, "steps": 1, "cells": 7, "bits": 8},
        "17 tokens, partial group": {"tokens": 17, "head_dim": 8, "steps": 3, "bits": 4},
        "values, partial group, causal": {
            **{"tokens": 11, "head_dim": 6, "value_dim": 9, "steps": 9, "mask": "causal"},
            **{"inputs": "values", "cells": 4, "bits": 3},
        },
        "65 tokens, causal": {
            **{"tokens": 65, "head_dim": 8, "steps": 2, "mask": "causal"},
            **{"cells": 65, "bits": 4},
        },
        "values, 65 tokens": {
            **{"tokens": 65, "head_dim": 6, "steps": 1, "inputs": "values", "value_bits": 5},
            **{"cells": 13, "bits": 3},
        },
        "own LFSRs": {"tokens": 8, "head_dim": 8, "steps": 3, "random": "own"},
        "permuted bits": {
            **{"tokens": 8, "head_dim": 6, "steps": 3, "random": "permuted"},
            "inputs": "values",
        },
        "sampled: one token": {"engine": "sampled", "tokens": 1, "head_dim": 1, "steps": 3},
        "sampled: square": {"engine": "sampled", "tokens": 16, "head_dim": 16, "steps": 7},
        "sampled: 65 tokens, causal": {
            **{"engine": "sampled", "tokens": 65, "head_dim": 64, "steps": 3, "mask": "causal"},
        },
        "sampled: 49 tokens, two lanes": {
            **{"engine": "sampled", "tokens": 49, "head_dim": 32, "steps": 4, "lanes": 2},
        },
        "sampled: D wider than N, self": {
            **{"engine": "sampled", "tokens": 5, "head_dim": 12, "value_dim": 9, "steps": 6},
            "mask": "self",
        },
        "sampled: Dv wider than D": {
            **{"engine": "sampled", "tokens": 9, "head_dim": 4, "value_dim": 10, "steps": 5},
        },
        "sampled: primes, lanes, steps at once": {
            **{"engine": "sampled", "tokens": 7, "head_dim": 11, "value_dim": 13, "steps": 5},
            **{"lanes": 3, "steps_at_once": 2},
        },
        "sampled: diagonals, two tokens": {
            **{"engine": "sampled", "tokens": 2, "head_dim": 3, "steps": 9, "feed": "diagonals"},
        },
        "sampled: diagonals, whole rounds": {
            **{"engine": "sampled", "tokens": 8, "head_dim": 8, "steps": 8, "feed": "diagonals"},
            **{"lanes": 4, "steps_at_once": 4, "random": "own"},
        },
        "sampled: stratified": {
            **{"engine": "sampled", "tokens": 8, "head_dim": 8, "steps": 20},
            "indices": "stratified",
        },
        "sampled: stratified, causal, steps at once": {
            **{"engine": "sampled", "tokens": 6, "head_dim": 5, "steps": 17, "lanes": 2},
            **{"indices": "stratified", "steps_at_once": 3, "mask": "causal"},
        },
        "sampled: values": {
            **{"engine": "sampled", "tokens": 20, "head_dim": 10, "value_dim": 8, "steps": 3},
            **{"inputs": "values", "bits": 2, "value_bits": 5, "random": "permuted"},
        },
    },
    "a2os2a": {
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
        "two dimensions": {"tokens": 40, "head_dim": 2, "order": "kv", "mask": "causal"},
        "primes": {"tokens": 7, "head_dim": 11, "value_dim": 13, "k_bits": 5},
        "49 tokens": {"tokens": 49, "head_dim": 32, "lanes": 32, "order": "qk"},
        "65 tokens, causal kv": {
            **{"tokens": 65, "head_dim": 64, "lanes": 64, "order": "kv"},
            "mask": "causal",
        },
        "65 tokens, qk": {"tokens": 65, "head_dim": 64, "order": "qk", "lanes": 16},
        "wide K": {"tokens": 6, "head_dim": 10, "k_bits": 16, "lanes": 10, "acc_bits": 40},
    },
    "a2os2a_block": {
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
        "65 tokens": {"tokens": 65, "head_dim": 16, "lanes": 16, "steps": 2},
    },
    "spiked": {
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
        "64 steps, B near 1": {"tokens": 7, "head_dim": 5, "steps": 64, "base": 1.02},
        "fewest bits": {
            **{"tokens": 8, "head_dim": 8, "steps": 16, "base": 2**0.5, "lanes": 8},
            **{"frac_bits": 8, "log_bits": 2},
        },
        "three heads": {"tokens": 6, "head_dim": 4, "heads": 3, "lanes": 6, "encoders": 2},
        "49 tokens": {"tokens": 49, "head_dim": 6, "lanes": 7},
        "65 tokens, causal": {"tokens": 65, "head_dim": 8, "mask": "causal", "lanes": 13},
    },
}
