"""Configurations: defaults, derived keys, and one-line errors for values out of range."""

from datetime import date

import pytest

from spikeloom.configuration import Quoted, read_settings
from spikeloom.cores.spiked import Spiked
from spikeloom.cores.spiking_neurons import SpikingNeurons
from spikeloom.cores.ssa import SSA
from spikeloom.errors import InputError, unknown

NEURONS = {"neurons": 4, "steps": 2, "input_bits": 8}


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
    ("keys", "message"),
    [
        ({"tokens": 0}, "tokens = 0 is not allowed; tokens must be 1..4096"),
        ({"tokens": 4097}, "1..4096 (the core holds Q, K and V of all tokens on chip)"),
        ({"head_dim": 1025}, "head_dim must be 1..1024 (a token of more outgrows a stream beat)"),
        ({"cells": 65537}, "cells must be 1..65536 (more outgrow any device)"),
        ({"tokens": "many"}, "tokens = 'many' is not a whole number"),
        ({"tokens": 2.5}, "tokens = 2.5 is not allowed; tokens must be a whole number in 1..4096"),
        ({"tokens": [4]}, "tokens = [4] is not allowed; tokens must be a whole number"),
        ({"tokens": {"a": 4}}, "tokens = {'a': 4} is not allowed; tokens must be a whole number"),
        ({"tokens": date(1979, 5, 27)}, "tokens = datetime.date(1979, 5, 27) is not allowed"),
        ({"tokens": None}, "tokens = None is not allowed; tokens must be a whole number"),
        ({"tokens": 1 << 20000}, "tokens = a number of 20001 bits is not allowed"),
        ({"tokens": [10**5000]}, "tokens = a list is not allowed"),
        ({"mask": ["none"]}, "mask = ['none'] is not allowed; mask must be one of none"),
        ({"tokens": Quoted("4")}, "tokens = '4' is text; write the number without quotes"),
        ({"tokens": True}, "tokens = True is not allowed"),
        ({"steps": 0}, "steps must be 1..16777216"),
        ({"value_bits": 17}, "value_bits must be 1..16"),
        ({"seed": 0}, "seed must be 1..18446744073709551615"),
        ({"seed": 2**64}, "seed must be"),
        ({"mask": "banded"}, "mask must be one of none, causal, self"),
        ({"engine": "magic"}, "engine must be one of"),
        ({"cells": 9}, "cells must be at most tokens (8), or tokens times a divisor of it"),
        ({"cells": 24}, "cells must be at most tokens (8), or tokens times a divisor of it"),
        ({"cells": 128}, "cells must be at most tokens"),
        ({"bits": 3}, "bits must be a divisor of head_dim (16) and value_dim (16)"),
        ({"bitz": 3}, "unknown key 'bitz'; did you mean bits?"),
        ({"lanes_of_something": 3}, "unknown key 'lanes_of_something'"),
    ],
)
def test_refusals(keys, message):
    with pytest.raises(InputError) as refusal:
        SSA.from_settings({"tokens": 8, "head_dim": 16} | keys)
    assert message in str(refusal.value)
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
    ("text", "assignments", "message"),
    [
        (None, ["tokens"], "not of the form KEY=VALUE"),
        (None, ["=3"], "not of the form KEY=VALUE"),
        ("tokens = ", [], "not valid TOML"),
    ],
)
def test_settings_refused(tmp_path, text, assignments, message):
    path = None
    if text is not None:
        path = tmp_path / "core.toml"
        path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_settings(path, assignments)


def test_settings_file_missing(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_settings(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "value"),
    [("64", 64), ("0x40", 64), ("0b100", 4), ("0o17", 15), ("1_000", 1000), ("+3", 3)],
)
def test_whole_numbers_as_text(text, value):
    assert SSA.from_settings({"tokens": text, "head_dim": 1}).tokens == value


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", " 64", "64.0", "1e3", "007", "1__0", "_1", "1_", "0x", "\uff16", "\u00b2", "-"),
        *("nan", "None", "True", "9" * 5000, "0x" + "f" * 5000, "4\n", "4 4", "4,4"),
    ],
)
def test_values_that_are_not_integers(text):
    with pytest.raises(InputError) as refused:
        SSA.from_settings({"tokens": text, "head_dim": 1})
    assert "is not a whole number, as in 64 or 0x40" in str(refused.value)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("value", ["3,40", "[3, 0x28]", "3 , 40", [3, 40], ["3", "40"], (3, 40)])
def test_a_number_for_each_channel(value):
    config = SpikingNeurons.from_settings(NEURONS | {"threshold": value})
    assert config.threshold == (3, 40)
    assert config == SpikingNeurons(**NEURONS | {"threshold": [3, 40]})
    assert SpikingNeurons.from_settings(config.as_dict()) == config


@pytest.mark.parametrize(
    "value",
    ["3,", "[3", "[]", "3;40", "1,2,3", "3 40", "3,0", [], [3, 4.5], [[3, 4]], {}, [True, 2]],
)
def test_lists_that_are_refused(value):
    with pytest.raises(InputError, match="threshold") as refused:
        SpikingNeurons.from_settings(NEURONS | {"threshold": value})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", "", "\uff11", "0x10", "1,5"])
@pytest.mark.parametrize("key", ["base", "q_scale"])
def test_values_that_are_not_real_numbers(key, text):
    with pytest.raises(InputError):
        Spiked.from_settings({"tokens": 4, "head_dim": 4, key: text})


TOML = {
    "a byte-order mark": (b"\xef\xbb\xbftokens = 4", None),
    "UTF-16": ("tokens = 4".encode("utf-16"), "not UTF-8 text; save it as UTF-8"),
    "a table": (b"[ssa]\ntokens = 4", "ssa is a table; write keys above all tables"),
    "a dotted key": (b"ssa.tokens = 4", "ssa is a table"),
    "a key twice": (b"tokens = 4\ntokens = 5", "not valid TOML"),
    "a very long number": (b"tokens = " + b"9" * 5000, "not valid TOML"),
    "deep brackets": (b"tokens = " + b"[" * 5000, "not valid TOML"),
    "a number as text": (b'tokens = "4"', "tokens = '4' is text; write the number without quotes"),
    "a boolean": (b"tokens = true", "tokens = True is not allowed; tokens must be a whole number"),
    "a float": (b"tokens = 4.0", "tokens = 4.0 is not allowed; tokens must be a whole number"),
    "an array": (b"tokens = [4]", "tokens = [4] is not allowed"),
    "a date": (b"tokens = 1979-05-27", "tokens = datetime.date(1979, 5, 27) is not allowed"),
    "a long hexadecimal": (b"tokens = 0x" + b"f" * 5000, "a number of 20000 bits is not allowed"),
    "an unknown key": (b"token = 4", "unknown key 'token'; did you mean tokens?"),
    "NUL": (b"\0", "not valid TOML"),
    "a large file": (b"#" * 2**21, "larger than 1048576 bytes"),
}


@pytest.mark.parametrize("case", TOML)
def test_config_files(tmp_path, case):
    content, message = TOML[case]
    path = tmp_path / "core.toml"
    path.write_bytes(content)
    keys = {"tokens": 4, "head_dim": 1}
    if message is None:
        assert SSA.from_settings(keys | read_settings(path)).tokens == 4
        return
    with pytest.raises(InputError) as refused:
        SSA.from_settings(keys | read_settings(path))
    assert message in str(refused.value)
    assert str(refused.value).splitlines() == [str(refused.value)]


def test_numbers_of_a_prime_of_tokens():
    """A default of one cell would take as many times longer as there could be cells."""
    for tokens, cells in ((197, 16), (577, 16), (257, 16), (17, 9), (196, 14), (65, 13), (7, 7)):
        config = SSA(tokens=tokens, head_dim=8)
        assert (config.cells, config.key_groups) == (cells, -(-tokens // cells))


def test_unknown_names():
    assert "did you mean icebreaker?" in str(unknown("board", "iCEbraker", ["icebreaker", "x"]))
    assert str(unknown("family", "gowin", ["ice40", "ecp5"])) == (
        "unknown family 'gowin'; families: ice40, ecp5"
    )
    assert len(str(unknown("core", "x" * 5000, ["ssa"]))) < 200
