"""Configurations: defaults, derived keys, and one clear line for everything out of range."""

import pytest

from spikeloom.configuration import read_settings
from spikeloom.cores.ssa import SSA
from spikeloom.errors import InputError


def test_defaults_follow_from_the_shape():
    config = SSA(tokens=65, head_dim=48)
    assert (config.value_dim, config.cells, config.bits) == (48, 13, 8)
    assert (config.query_lanes, config.key_lanes) == (1, 13)


@pytest.mark.parametrize(
    ("cells", "bits", "lanes"),
    [(1, 1, (1, 1, 1)), (16, 8, (1, 16, 2)), (64, 64, (1, 64, 64)), (4096, 1, (64, 64, 1))],
)
def test_lanes(cells, bits, lanes):
    config = SSA(tokens=64, head_dim=64, cells=cells, bits=bits)
    assert (config.query_lanes, config.key_lanes, config.encoder_lanes) == lanes


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"tokens": 0}, "tokens = 0 is not allowed; tokens must be 1..256"),
        ({"tokens": 257}, "1..256"),
        ({"head_dim": 1000}, "head_dim must be 1..256"),
        ({"tokens": "many"}, "tokens = 'many' is not a whole number"),
        ({"tokens": 2.5}, "tokens = 2.5 is not allowed"),
        ({"tokens": True}, "tokens = True is not allowed"),
        ({"steps": 0}, "steps must be 1..16777216"),
        ({"value_bits": 17}, "value_bits must be 1..16"),
        ({"seed": 0}, "seed must be 1..18446744073709551615"),
        ({"seed": 2**64}, "seed must be"),
        ({"mask": "banded"}, "mask must be one of none, causal, self"),
        ({"engine": "magic"}, "engine must be one of"),
        ({"cells": 3}, "cells must be a divisor of tokens (8)"),
        ({"cells": 24}, "cells must be a divisor of tokens (8), or tokens times such a divisor"),
        ({"cells": 128}, "cells must be a divisor"),
        ({"bits": 3}, "bits must be a divisor of head_dim (16) and value_dim (16)"),
        ({"bitz": 3}, "unknown key 'bitz'; did you mean bits?"),
        ({"lanes_of_something": 3}, "unknown key 'lanes_of_something'"),
    ],
)
def test_refusals(keys, told):
    with pytest.raises(InputError) as refusal:
        SSA.from_settings({"tokens": 8, "head_dim": 16} | keys)
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_missing_key():
    with pytest.raises(InputError, match="key head_dim is missing"):
        SSA.from_settings({"tokens": 4})


def test_settings_from_file_and_options(tmp_path):
    path = tmp_path / "core.toml"
    path.write_text('tokens = 4\nmask = "causal"\n')
    settings = read_settings(path, ["tokens=0x10", " seed = 7 "])
    assert settings == {"tokens": "0x10", "mask": "causal", "seed": "7"}
    assert SSA.from_settings(settings | {"head_dim": 2}).tokens == 16


@pytest.mark.parametrize(
    ("text", "assignments", "told"),
    [
        (None, ["tokens"], "not of the form KEY=VALUE"),
        (None, ["=3"], "not of the form KEY=VALUE"),
        ("tokens = ", [], "not valid TOML"),
    ],
)
def test_settings_refused(tmp_path, text, assignments, told):
    path = None
    if text is not None:
        path = tmp_path / "core.toml"
        path.write_text(text)
    with pytest.raises(InputError, match=told):
        read_settings(path, assignments)


def test_settings_file_missing(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_settings(tmp_path / "none.toml")
