"""Sequences of a vision transformer's length: 577 tokens (384 x 384 pixels), and 1,024.

RTL in Verilator against the golden model and the formula for the cycles.
"""

import numpy as np
import pytest

from spikeloom.cores import find_core
from spikeloom.export.verilog import to_verilog

from ..runs import run_golden, run_rtl

COUNTER = {"core": "ssa", "cells": 64, "steps": 2}
SAMPLED = {"core": "ssa", "engine": "sampled", "steps": 3}

DESIGNS = {
    "ssa counter": COUNTER | {"head_dim": 2},
    "ssa sampled": SAMPLED | {"head_dim": 3, "value_dim": 2},
    "spiked": {"core": "spiked", "head_dim": 2, "lanes": 4, "encoders": 1},
    "ssa counter, values, causal": COUNTER | {"head_dim": 2, "inputs": "values", "mask": "causal"},
    "ssa sampled, stratified, self": SAMPLED
    | {"head_dim": 4, "indices": "stratified", "mask": "self"},
    "spiked, causal": {
        **{"core": "spiked", "head_dim": 3, "lanes": 8, "encoders": 2, "mask": "causal"},
    },
    "a2os2a qk": {"core": "a2os2a", "head_dim": 2, "order": "qk"},
    "a2os2a kv": {"core": "a2os2a", "head_dim": 2, "order": "kv", "mask": "causal"},
    "a2os2a_block": {"core": "a2os2a_block", "head_dim": 2, "steps": 2},
}
QUICK = ("ssa counter", "ssa sampled")


def configure(design, tokens):
    keys = dict(DESIGNS[design])
    core = keys.pop("core")
    return find_core(core).from_settings(keys | {"tokens": tokens})


@pytest.mark.parametrize(
    ("design", "tokens"),
    [
        pytest.param(design, tokens, marks=pytest.mark.long if quick else pytest.mark.slow)
        for design in DESIGNS
        for tokens, quick in ((577, design in QUICK), (1024, False))
    ],
)
def test_rtl_equals_golden(design, tokens):
    config = configure(design, tokens)
    operands = config.random_operands(np.random.default_rng(tokens))
    result = run_rtl(config, [operands])
    assert np.array_equal(result.outputs, run_golden(config, [operands]))
    assert result.cycles == [config.cycles(**operands)]


@pytest.mark.parametrize("design", QUICK)
def test_the_longest_makes_verilog(design):
    module = to_verilog(configure(design, 4096))
    assert module.text.count("endmodule") > 5
