"""``spikeloom run spiked`` and ``generate spiked``."""

import json

import numpy as np
import pytest

from spikeloom.cores.spiked import golden as spiked


@pytest.fixture
def tensors(tmp_path):
    """Files with real numbers: Q and K (8, 4), V (8, 5); returns their options, and V."""
    rng = np.random.default_rng(0)
    shapes = {"q": (8, 4), "k": (8, 4), "v": (8, 5)}
    found = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    for name, tensor in found.items():
        np.save(tmp_path / f"{name}.npy", tensor)
    return ["--q", "q.npy", "--k", "k.npy", "--v", "v.npy"], found


def test_run_writes_decoded_values_or_codes(spikeloom, tensors, tmp_path):
    files, found = tensors
    assert spikeloom("run", "spiked", *files, "-o", "o.npy", "--set", "base=1.15").code == 0
    values = np.load(tmp_path / "o.npy")
    assert values.dtype == np.float64
    assert values.shape == (8, 5)
    softmax = spiked.softmax_attention(*found.values())
    assert np.corrcoef(values.ravel(), softmax.ravel())[0, 1] > 0.97

    ran = spikeloom("run", "spiked", *files, "-o", "c.npy", "--codes", "--json")
    codes = np.load(tmp_path / "c.npy")
    assert codes.dtype == np.int16
    assert abs(codes).max() <= 40
    config = json.loads(ran.out)["config"]
    decoded = np.sign(codes) * config["output_scale"] * 1.15 ** (1.0 - abs(codes))
    np.testing.assert_allclose(values, decoded)


def test_zero_tensors_run(spikeloom, tensors, tmp_path):
    files, _ = tensors
    for name in "qkv":
        np.save(tmp_path / f"{name}.npy", np.zeros((8, 4)))
    assert spikeloom("run", "spiked", *files, "-o", "o.npy").code == 0
    assert not np.load(tmp_path / "o.npy").any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rate"], "--rate does not apply to spiked; leave it out"),
        (["--set", "base=1"], "base = 1.0 is not allowed; base must be a number in [1.001, 2.0]"),
        (["--set", "score_scale=9000"], "score_scale = 9000.0 makes every score vanish"),
        (["--set", "lanes=9"], "lanes = 9 is not allowed; lanes must be 1..tokens (8)"),
    ],
)
def test_bad_options_get_one_line(spikeloom, tensors, tmp_path, options, message):
    files, _ = tensors
    ran = spikeloom("run", "spiked", *files, "-o", "o.npy", *options)
    assert ran.code == 2
    assert message in ran.err
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "o.npy").exists()


def test_codes_are_not_for_ssa(spikeloom, tensors):
    files, _ = tensors
    ran = spikeloom("run", "ssa", *files, "-o", "o.npy", "--codes")
    assert ran.code == 2
    assert "--codes does not apply to ssa" in ran.err


def test_generate_without_data(spikeloom, tmp_path):
    ran = spikeloom(
        "generate", "spiked", "-o", "out", "--set", "tokens=4", "--set", "head_dim=2", "--json"
    )
    assert ran.code == 0
    text = (tmp_path / "out" / "spikeloom_spiked.v").read_text()
    assert "s_axis_q_tdata" in text
    assert "m_axis_o_tlast" in text
    config = json.loads((tmp_path / "out" / "manifest.json").read_text())["config"]
    assert all(config[f"{name}_scale"] > 0 for name in ("q", "k", "v", "score", "output"))
