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
        "49 tokens": {"tokens": 49, "head_dim": 32, "steps": 2, "cells": 49, "bits": 8},
        "65 tokens, causal": {
            **{"tokens": 65, "head_dim": 64, "steps": 2, "mask": "causal"},
            **{"cells": 65, "bits": 16},
        },
        "values, 65 tokens": {
            **{"tokens": 65, "head_dim": 6, "steps": 2, "inputs": "values", "value_bits": 5},
            **{"cells": 13, "bits": 6},
        },
        "own LFSRs": {"tokens": 8, "head_dim": 8, "steps": 3, "random": "own"},
        "permuted bits": {
            **{"tokens": 8, "head_dim": 6, "steps": 3, "random": "permuted"},
            "inputs": "values",
        },
    },
}
