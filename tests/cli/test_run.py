"""`spikeloom run`: backends agree, waveforms, and one-line errors."""

import json

import numpy as np
import pytest

from spikeloom.cores.ssa import SSA
from spikeloom.cores.ssa import golden as ssa


def test_golden_is_the_golden_model(spikeloom, values, tmp_path):
    ran = spikeloom("run", "ssa", *values, "-o", "o.npy", "--set", "steps=7", "--set", "seed=5")
    assert (ran.code, ran.err) == (0, "")
    config = SSA(tokens=6, head_dim=4, value_dim=5, steps=7, seed=5, input_kind="values")
    operands = [np.load(tmp_path / f"{name}.npy") for name in "qkv"]
    found = np.load(tmp_path / "o.npy")
    assert found.dtype == np.uint8
    assert np.array_equal(found, ssa.run(config, *operands))


@pytest.mark.long
def test_rtl_equals_golden_with_waveform(spikeloom, values, tmp_path):
    assert spikeloom("run", "ssa", *values, "-o", "golden.npy").code == 0
    ran = spikeloom(
        *("run", "ssa", *values, "-o", "rtl.npy"),
        *("--backend", "rtl", "--wave", "w.vcd", "--json"),
    )
    assert ran.code == 0, ran.err
    summary = json.loads(ran.out)
    assert summary["mismatches"] == 0
    assert summary["shape"] == [10, 6, 5]
    assert np.array_equal(np.load(tmp_path / "rtl.npy"), np.load(tmp_path / "golden.npy"))
    wave = (tmp_path / "w.vcd").read_text()
    assert "m_axis_o_tdata" in wave
    assert wave.count("\n#") > 100


def test_spikes_heads_and_rate(spikeloom, tmp_path):
    rng = np.random.default_rng(0)
    for name in "qkv":
        np.save(tmp_path / f"{name}.npy", rng.integers(0, 2, (3, 8, 4, 4)))
    files = ["--q", "q.npy", "--k", "k.npy", "--v", "v.npy"]
    assert spikeloom("run", "ssa", *files, "-o", "o.npy").code == 0
    assert spikeloom("run", "ssa", *files, "-o", "rate.npy", "--rate").code == 0
    spikes, rates = np.load(tmp_path / "o.npy"), np.load(tmp_path / "rate.npy")
    assert spikes.shape == (3, 8, 4, 4)
    assert rates.dtype == np.float64
    assert np.array_equal(rates, spikes.mean(axis=1))


def test_keys_from_file_and_options(spikeloom, values, tmp_path):
    (tmp_path / "core.toml").write_text('steps = 3\nmask = "self"\n')
    ran = spikeloom(
        *("run", "ssa", *values, "-o", "o.npy", "--json"),
        *("--config", "core.toml", "--set", "steps=4"),
    )
    config = json.loads(ran.out)["config"]
    assert (config["steps"], config["mask"]) == (4, "self")


def _save(name, array, **options):
    return lambda folder: np.save(folder / name, array, **options)


def _text(name, text):
    return lambda folder: (folder / name).write_text(text)


ONES = np.ones((6, 4))
BAD = {
    "shapes of Q and K": (_save("k.npy", np.ones((6, 3))), [], "k: shape (6, 3) differs from q's"),
    "tokens of V": (_save("v.npy", np.ones((7, 5))), [], "v: shape (7, 5) does not go with q's"),
    "axes": (_save("q.npy", np.ones(6)), [], "q: shape (6,) is not (N, D)"),
    "over one": (_save("q.npy", ONES * 1.5), [], "q: 1.5 at [0, 0]; values must be in [0, 1]"),
    "negative": (_save("v.npy", -np.ones((6, 5))), [], "v: -1.0 at [0, 0]"),
    "NaN": (_save("q.npy", ONES * np.nan), [], "q: NaN or infinity at (0, 0)"),
    "no spikes": (_save("q.npy", 2 * ONES[None]), ["inputs=spikes"], "inputs = spikes"),
    "strings": (_save("q.npy", np.array(["a"])), [], "holds <U1, not real numbers"),
    "complex": (_save("q.npy", ONES * 1j), [], "holds complex128, not real numbers"),
    "nothing in it": (_save("q.npy", np.ones((0, 4))), [], "shape (0, 4) holds no numbers"),
    "pickle": (
        _save("q.npy", np.array([{}], object), allow_pickle=True),
        [],
        "q: q.npy holds pickled objects",
    ),
    "no npy": (_text("q.npy", "1 2 3"), [], "q: q.npy is not a .npy file"),
    "cut off": (
        lambda folder: (folder / "q.npy").write_bytes((folder / "q.npy").read_bytes()[:-9]),
        [],
        "q: q.npy is damaged",
    ),
    "missing": (lambda folder: (folder / "q.npy").unlink(), [], "q: q.npy cannot be read"),
    "folder": (
        lambda folder: ((folder / "q.npy").unlink(), (folder / "q.npy").mkdir()),
        [],
        "q: q.npy is a folder",
    ),
    "tokens key": (lambda folder: None, ["tokens=9"], "tokens = 9, but the tensors have 6"),
    "unknown key": (lambda folder: None, ["stepz=9"], "unknown key 'stepz'; did you mean steps?"),
    "range": (lambda folder: None, ["steps=0"], "steps must be 1..16777216"),
    "seed": (lambda folder: None, ["seed=0"], "seed must be 1..18446744073709551615"),
    "unroll": (lambda folder: None, ["cells=8"], "cells must be at most tokens (6)"),
    "form": (lambda folder: None, ["steps"], "not of the form KEY=VALUE"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(spikeloom, values, tmp_path, case):
    """Exit code 2, one line, nothing written."""
    spoil, keys, message = BAD[case]
    spoil(tmp_path)
    before = sorted(tmp_path.iterdir())
    options = [word for key in keys for word in ("--set", key)]
    ran = spikeloom("run", "ssa", *values, "-o", "o.npy", *options)
    assert ran.code == 2
    assert message in ran.err
    assert ran.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_time_steps_must_agree(spikeloom, tmp_path):
    for name, steps in (("q", 3), ("k", 4), ("v", 3)):
        np.save(tmp_path / f"{name}.npy", np.ones((steps, 4, 4), np.uint8))
    ran = spikeloom("run", "ssa", "--q", "q.npy", "--k", "k.npy", "--v", "v.npy", "-o", "o.npy")
    assert (ran.code, "k: shape (4, 4, 4) differs" in ran.err) == (2, True)


def test_spikes_other_than_0_and_1(spikeloom, tmp_path):
    for name in "qkv":
        np.save(tmp_path / f"{name}.npy", np.full((2, 4, 4), 3, np.uint8))
    ran = spikeloom("run", "ssa", "--q", "q.npy", "--k", "k.npy", "--v", "v.npy", "-o", "o.npy")
    assert (ran.code, "q: 3 at [0, 0, 0]; spikes are 0 or 1" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "sssa"], "unknown core 'sssa'; did you mean ssa?"),
        (["run", "ssa", "--backend", "magic"], "unknown backend 'magic'; backends: golden"),
        (["run", "ssa", "--wave", "w.vcd"], "--wave needs --backend rtl"),
        (["run", "ssa", "--backend", "rtl", "--wave", "w.png"], "name a .vcd or .fst file"),
        (["run", "ssa", "--sim", "questa"], "unknown simulator 'questa'; simulators: verilator"),
        (["run", "ssa", "--family", "spartan"], "families: ice40, gowin, ecp5"),
        (["run", "ssa", "-o", "no/such/o.npy"], "folder no/such does not exist"),
        (["run", "ssa", "--frobnicate"], "No such option"),
    ],
)
def test_wrong_usage(spikeloom, values, arguments, message):
    ran = spikeloom(*arguments[:2], *values, "-o", "o.npy", *arguments[2:])
    assert (ran.code, message in ran.err) == (2, True), ran.err


def test_error_as_json(spikeloom):
    ran = spikeloom("build", "ssa", "--board", "toaster", "-o", "out", "--json")
    refusal = json.loads(ran.out)
    assert (ran.code, refusal["exit_code"]) == (2, 2)
    assert "unknown board 'toaster'; boards: icebreaker" in refusal["error"]


def test_missing_tool(spikeloom, values, monkeypatch, tmp_path):
    monkeypatch.setenv("YOSYS", "/no/such/yosys")
    ran = spikeloom("run", "ssa", *values, "-o", "o.npy", "--backend", "rtl")
    assert (ran.code, "YOSYS names '/no/such/yosys', which is no program" in ran.err) == (1, True)
    monkeypatch.delenv("YOSYS")
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = spikeloom("run", "ssa", *values, "-o", "o.npy", "--backend", "rtl")
    assert ran.code == 1
    assert "is missing; install it with: apt-get install " in ran.err
    assert not (tmp_path / "o.npy").exists()


def test_interrupt_leaves_nothing(spikeloom, values, monkeypatch, tmp_path):
    import spikeloom_sim.tensors as tensors

    def interrupt(file, tensor):
        file.write(b"half")
        raise KeyboardInterrupt

    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(tensors.np, "save", interrupt)
    ran = spikeloom("run", "ssa", *values, "-o", "o.npy")
    assert (ran.code, "interrupted" in ran.err) == (130, True)
    assert sorted(tmp_path.iterdir()) == before
