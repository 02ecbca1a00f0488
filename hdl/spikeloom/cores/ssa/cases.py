"""The configurations of the regression of `ssa`."""

CASES = {
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
    "sampled: two diagonals a beat, one round": {
        **{"engine": "sampled", "tokens": 9, "head_dim": 4, "value_dim": 10, "steps": 3},
        **{"lanes": 2, "steps_at_once": 3, "feed": "diagonals", "feed_rate": 2, "mask": "causal"},
    },
    "sampled: four diagonals a beat": {
        **{"engine": "sampled", "tokens": 7, "head_dim": 11, "value_dim": 13, "steps": 5},
        **{"lanes": 3, "steps_at_once": 2, "feed": "diagonals", "feed_rate": 4},
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
}

# Enough time steps for a fault in any bit of an LFSR to reach the bits that are drawn; three
# columns of V, so that the corner turn of the sampled engine repeats more than one row.
_SMALL = {"tokens": 3, "head_dim": 4, "steps": 9, "mask": "causal"}
MUTANTS = {
    "counter": {**_SMALL, "value_dim": 2, "cells": 3, "bits": 2},
    "counter, values": {
        **{**_SMALL, "value_dim": 2, "cells": 3, "bits": 2},
        **{"inputs": "values", "value_bits": 3},
    },
    "sampled": {**_SMALL, "value_dim": 3, "engine": "sampled", "random": "own"},
    "sampled, diagonals": {
        **{**_SMALL, "value_dim": 3, "engine": "sampled", "feed": "diagonals"},
        **{"lanes": 2, "steps_at_once": 3, "steps": 60},  # all bits of an LFSR reach its end
    },
}
