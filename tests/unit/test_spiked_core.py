"""Tensors of `spiked`: accepted and refused operands, and conversion to and from beats."""

import numpy as np
import pytest

from spikeloom.cores.spiked import Spiked, golden
from spikeloom.errors import InputError

RNG = np.random.default_rng(0)
Q, K, V = RNG.standard_normal((3, 6, 4))


def prepare(settings, q, k, v):
    """The core, and (q, k, v) codes of each head."""
    core, batch = Spiked.prepare(settings, q=q, k=k, v=v)
    return core, [tuple(head[name] for name in "qkv") for head in batch]


def run(core, q, k, v):
    return core.compute(q=q, k=k, v=v)["o"]


def test_scales_are_fitted_to_the_data():
    config, heads = prepare({}, Q, K, V)
    assert config.q_scale == abs(Q).max()
    assert config.v_scale == abs(V).max()
    assert (len(heads) == 1 and abs(heads[0][0]).min() >= 1) or (heads[0][0] == 0).any()
    # the largest score and the largest output spike at step 0
    trace = golden.trace(config, *heads[0])
    assert abs(trace.scores[trace.scores != 0]).min() == 1
    assert abs(trace.output[trace.output != 0]).min() == 1


def test_scales_hold_for_every_head():
    q, k, v = RNG.standard_normal((3, 3, 6, 4)) * [[[1]], [[5]], [[0.1]]]
    config, heads = prepare({"k_scale": "2.5"}, q, k, v)
    assert config.q_scale == abs(q).max()
    assert config.k_scale == 2.5
    assert len(heads) == 3
    assert (abs(heads[0][0])[heads[0][0] != 0]).min() > 1  # a small head spikes late


@pytest.mark.parametrize("unit", [1e-20, 1e-6, 1e20])
def test_units_of_the_data_do_not_matter(unit):
    """Q and K in units whose product is one, V in any unit: the same codes."""
    config, heads = prepare({}, Q * unit, K / unit, V * unit)
    _, expected = prepare({}, Q, K, V)
    assert (run(config, *heads[0]) == run(config, *expected[0])).all()


def test_small_operands_score_about_alike():
    """Scores of next to nothing: the output is the mean of V."""
    config, heads = prepare({}, Q * 1e-9, K * 1e-9, V)
    values = config.views()["values"](run(config, *heads[0]))
    np.testing.assert_allclose(values, np.tile(V.mean(0), (6, 1)), rtol=0.1)


def test_all_zero_operands_are_valid():
    config, ((q, k, v),) = prepare({}, 0 * Q, 0 * K, 0 * V)
    assert config.scales["score"] == 1.0
    assert not run(config, q, k, v).any()


@pytest.mark.parametrize(
    ("operands", "settings", "message"),
    [
        ((Q[0], K, V), {}, "q: shape (4,) is not (N, D)"),
        ((Q, K[:, :3], V), {}, "k: shape (6, 3) differs from q's (6, 4)"),
        ((Q, K, V[:5]), {}, "v: shape (5, 4) does not go with q's (6, 4)"),
        ((Q, np.where(K > 1, np.nan, K), V), {}, "k: NaN or infinity at ["),
        ((Q * np.inf, K, V), {}, "q: NaN or infinity at [0, 0]"),
        ((Q, K, V), {"tokens": "5"}, "tokens = 5, but the tensors have 6"),
        ((Q, K, V), {"base": "2.5"}, "base = 2.5 is not allowed"),
        ((Q, K, V), {"steps": "80"}, "steps = 80 is not allowed; steps must be 1..64"),
        ((Q, K, V), {"score_scale": "0"}, "score_scale = 0.0 is not allowed"),
        ((Q, K, V), {"score_scale": "2000"}, "score_scale = 2000.0 makes every score vanish"),
        ((Q, K, V), {"q_scale": "1e6"}, "q_scale = 1000000.0 makes every value of q vanish"),
        ((Q, K, V), {"output_scale": "1e6"}, "makes every value of output vanish; the largest is"),
        ((Q * 1e-40, K, V), {}, "q_scale must be a number in [1e-30, 1e+30]"),
        ((Q * 1e9, K * 1e9, V), {}, "score_scale must be a number in [1e-30, 1000000.0]"),
        ((Q, K, V), {"base": "1.0001"}, "tables outgrow any device"),
        ((Q, K, V), {"q_scale": "3", "steps": "4"}, None),
        ((Q, K, V), {"heads": "2"}, "heads = 2: heads come from the tensors' leading axis"),
        ((Q, K, V), {"lane": "2"}, "unknown key 'lane'; did you mean lanes?"),
    ],
)
def test_bad_input_gets_one_clear_line(operands, settings, message):
    if message is None:
        prepare(settings, *operands)
        return
    with pytest.raises(InputError) as caught:
        prepare(settings, *operands)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("steps", [1, 2, 33, 64])
def test_beats_there_and_back(steps):
    config = Spiked(tokens=5, head_dim=3, steps=steps, heads=2)
    operands = config.random_operands(np.random.default_rng(1), 0.7)
    for name, port in config.inputs.items():
        beats = port.pack(operands[name])
        assert (port.unpack(beats) == operands[name]).all()
        with pytest.raises(InputError):
            port.unpack(beats[:-1])


def test_bytes_are_those_of_the_stream():
    config = Spiked(tokens=2, head_dim=3, steps=4)
    output = np.array([[1, 0, -4], [2, 2, 2]], np.int16)
    # 4 bits a code: step, spike, sign
    assert config.outputs["o"].to_bytes(output) == bytes([0x04, 0x0F, 0x55, 0x05])
