"""The self-test of `spiked`: passes on the golden CRC, fails on any other."""

import pytest

from spikeloom.cores.spiked import Spiked
from spikeloom_boards.self_test import make_self_test

from .test_self_test import run

CONFIGS = [
    {"tokens": 4, "head_dim": 3, "steps": 16, "base": 1.4},
    {"tokens": 5, "head_dim": 3, "value_dim": 2, "lanes": 4, "encoders": 2, "mask": "causal"},
    {"tokens": 3, "head_dim": 2, "heads": 2},
]


@pytest.mark.parametrize("keys", CONFIGS, ids=str)
def test_passes(keys):
    assert run(make_self_test(Spiked(**keys)))[:2] == (1, 0)


def test_fails_on_another_crc():
    test = make_self_test(Spiked(**CONFIGS[0]))
    test._expected ^= 1
    assert run(test)[:2] == (0, 1)


def test_fails_on_a_flipped_operand_bit():
    test = make_self_test(Spiked(**CONFIGS[0]))
    data, last = test._operands["v"][0]
    lane = next(n for n in range(3) if data >> 6 * n & 1 << 4)  # the first value that spikes
    test._operands["v"][0] = (data ^ 1 << 6 * lane + 5, last)  # its sign
    assert run(test)[:2] == (0, 1)
