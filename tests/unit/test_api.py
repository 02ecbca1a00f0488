"""The Python API: the calls in its documentation, with NumPy and PyTorch arrays."""

import subprocess
import sys
from itertools import permutations

import numpy as np
import pytest

import spikeloom
from spikeloom import InputError
from spikeloom.backend import Golden

RNG = np.random.default_rng(0)
SHAPE = {"T": 2, "B": 3, "H": 2, "N": 5, "D": 4}


def attention_operands(letters):
    shape = tuple(SHAPE[letter] for letter in letters)
    return {
        "q": RNG.integers(0, 2, shape),
        "k": RNG.integers(0, 8, shape),
        "v": RNG.integers(-1, 2, shape),
    }


def test_importing_is_cheap_and_names_are_there():
    script = (
        "import sys, spikeloom\n"
        "assert not {'numpy', 'amaranth'} & set(sys.modules)\n"
        "assert all(hasattr(spikeloom, name) for name in spikeloom.__all__)\n"
        "assert 'amaranth' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("letters", ["TBHND", "NDTBH", "BTHND", "DNHBT", "HNBDT"])
def test_axes_in_any_order(letters):
    """The paper's equation, with the axes where the operands have them."""
    core = spikeloom.core("a2os2a", tokens=5, head_dim=4, k_bits=3, steps=2)
    operands = attention_operands(letters)
    run = spikeloom.run(core, axes=letters, **operands)
    low = letters.lower()
    j_for_n, e_for_d = low.replace("n", "j"), low.replace("d", "e")
    scores = np.einsum(f"{low},{j_for_n}->tbhnj", operands["q"], operands["k"])
    expected = np.einsum(f"tbhnj,{e_for_d.replace('n', 'j')}->{e_for_d}", scores, operands["v"])
    assert np.array_equal(run.outputs["o"], expected)
    lead = tuple(SHAPE[letter] for letter in letters if letter in "BH")
    assert run.cycles.shape == lead


def test_runs_are_those_of_single_heads_with_following_seeds():
    core = spikeloom.core("ssa", tokens=5, head_dim=4, steps=2, seed=7)
    spikes = {name: RNG.integers(0, 2, (2, 3, 2, 5, 4)) for name in "qkv"}
    run = spikeloom.run(core, axes="TBHND", **spikes)
    assert run.outputs["o"].shape == (2, 3, 2, 5, 4)
    for n, (b, h) in enumerate(np.ndindex(3, 2)):
        head = {name: x[:, b, h] for name, x in spikes.items()}
        one = spikeloom.run(
            spikeloom.core(**core.as_dict() | {"name": "ssa", "seed": 7 + n}), **head
        )
        assert np.array_equal(run.outputs["o"][:, b, h], one.outputs["o"])
        assert one.cycles == run.cycles[b, h]


def test_outputs_with_steps_that_the_operands_lack():
    core = spikeloom.core("ssa", tokens=5, head_dim=4, steps=6, inputs="values")
    values = {name: RNG.random((3, 5, 2, 4)) for name in "qkv"}
    run = spikeloom.run(core, axes="BNHD", **values)
    assert run.outputs["o"].shape == (6, 3, 5, 2, 4)
    rate = spikeloom.run(core, axes="BNHD", view="rate", **values)
    assert np.array_equal(rate.outputs["o"], run.outputs["o"].mean(axis=0))


def test_views_of_phase_codes():
    core = spikeloom.core("spiked", tokens=5, head_dim=4)
    reals = {name: RNG.standard_normal((5, 4)) for name in "qkv"}
    values = spikeloom.run(core, **reals).outputs["o"]
    codes = spikeloom.run(core, view="codes", **reals).outputs["o"]
    assert values.dtype == np.float64
    assert codes.dtype == np.int16
    assert np.array_equal(np.sign(values), np.sign(codes))


@pytest.mark.long
def test_backends_agree():
    core = spikeloom.core("a2os2a", tokens=3, head_dim=2, k_bits=3)
    operands = {name: x[0, 0, 0, :3, :2] for name, x in attention_operands("TBHND").items()}
    golden = spikeloom.run(core, **operands)
    rtl = spikeloom.run(core, backend="rtl", **operands)
    board = spikeloom.run(core, backend="board", options={"port": "golden"}, **operands)
    for run in (rtl, board):
        assert np.array_equal(run.outputs["o"], golden.outputs["o"])
        assert run.mismatches == 0
        assert run.cycles == golden.cycles
        assert not any(run.flags.values())
    assert golden.mismatches is None


def test_a_core_without_inputs():
    """One run, whose output has the axes in the order asked for."""
    core = spikeloom.core("lfsr", width=4, steps=20, seed=3)
    run = spikeloom.run(core)
    assert run.outputs["o"].shape == (20, 4)
    assert run.cycles == core.cycles()
    for axes, shape in {"TD": (20, 4), "DT": (4, 20), "BTD": (20, 4)}.items():
        other = spikeloom.run(core, axes=axes).outputs["o"]
        assert other.shape == shape
        assert np.array_equal(other.reshape(shape) if axes[0] != "D" else other.T, run.outputs["o"])
    numbers = spikeloom.run(core, axes="TD", view="numbers").outputs["o"]
    assert np.array_equal(numbers, run.outputs["o"] @ [1, 2, 4, 8])
    assert core.split_runs({}) == [{}]
    with pytest.raises(InputError, match="lfsr: no operand i; it takes none"):
        spikeloom.run(core, i=[1])


class Tensor:
    """A fake PyTorch tensor: one that records gradients has no `numpy` before `detach`."""

    def __init__(self, array, attached=True):
        self._array, self._attached = array, attached

    def detach(self):
        return Tensor(self._array, attached=False)

    def cpu(self):
        return self

    def numpy(self):
        assert not self._attached
        return self._array


def test_pytorch_tensors():
    core = spikeloom.core("a2os2a", tokens=5, head_dim=4, k_bits=3, steps=2)
    operands = attention_operands("TND")
    tensors = {name: Tensor(x.astype(np.float32)) for name, x in operands.items()}
    run = spikeloom.run(core, **tensors)
    assert np.array_equal(run.outputs["o"], spikeloom.run(core, **operands).outputs["o"])


class BFloat16(Tensor):
    """A fake tensor of a type that NumPy lacks."""

    def detach(self):
        return self

    def numpy(self):
        raise TypeError("Got unsupported ScalarType BFloat16")

    def float(self):
        return Tensor(self._array.astype(np.float32), attached=False)


def test_bfloat16_tensors():
    core = spikeloom.core("a2os2a", tokens=5, head_dim=4, k_bits=3, steps=2)
    operands = attention_operands("TND")
    run = spikeloom.run(core, **{name: BFloat16(x) for name, x in operands.items()})
    assert np.array_equal(run.outputs["o"], spikeloom.run(core, **operands).outputs["o"])


class Sparse(BFloat16):
    def float(self):
        raise RuntimeError("sparse tensors have no elements in order\nat line 1 of a kernel")


def test_tensors_that_are_no_arrays():
    core = spikeloom.core("a2os2a", tokens=5, head_dim=4)
    with pytest.raises(InputError, match=r"^q: not an array of numbers \(sparse .* in order\)$"):
        spikeloom.run(core, **(GOOD | {"q": Sparse(GOOD["q"])}))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float64, bool, ">i4"])
def test_any_dtype_that_holds_the_values(dtype):
    core = spikeloom.core("ssa", tokens=5, head_dim=4, steps=2)
    spikes = {name: RNG.integers(0, 2, (2, 5, 4)) for name in "qkv"}
    expected = spikeloom.run(core, **spikes).outputs["o"]
    run = spikeloom.run(core, **{name: x.astype(dtype) for name, x in spikes.items()})
    assert np.array_equal(run.outputs["o"], expected)


GOOD = {name: np.zeros((5, 4), int) for name in "qkv"}


@pytest.mark.parametrize(
    ("change", "keywords", "message"),
    [
        ({"q": None}, {}, "a2os2a: operand q is missing; it takes q, k, v"),
        ({"x": GOOD["q"]}, {}, "a2os2a: no operand x; it takes q, k, v"),
        ({"q": None, "i": GOOD["q"]}, {}, "a2os2a: no operand i; it takes q, k, v"),
        ({"q": 1}, {}, "q: shape () is not (N, D), nor heads of that"),
        ({"q": GOOD["q"][:4]}, {}, "k: shape (5, 4) differs from q's (4, 4)"),
        ({name: GOOD[name][:4] for name in "qkv"}, {}, "tokens = 5, but the tensors have 4"),
        ({"q": GOOD["q"] + 0.5}, {}, "q: holds float64; a2os2a takes integers, round them first"),
        ({"q": GOOD["q"] + 2}, {}, "q: 2 at [0, 0]; spikes are 0 or 1"),
        ({"v": GOOD["v"] - 2}, {}, "v: -2 at [0, 0]; ternary spikes are -1, 0 or 1"),
        ({"k": [["a"]]}, {}, "k: holds <U1, not real numbers"),
        ({"k": GOOD["k"] * np.nan}, {}, "k: NaN or infinity at [0, 0]"),
        ({}, {"axes": "NZ"}, "axes 'NZ': each must be one of"),
        ({}, {"axes": "NN"}, "axes 'NN': each must be one of"),
        ({}, {"axes": "BND"}, "q: shape (5, 4) has 2 axes, axes 'BND' 3"),
        ({}, {"axes": "BN"}, "axes 'BN': q needs D (dims)"),
        ({}, {"axes": "TN"}, "axes 'TN': q needs D (dims)"),
        ({}, {"view": "codes"}, "unknown view 'codes'"),
        ({}, {"backend": "rlt"}, "unknown backend 'rlt'; did you mean rtl?"),
    ],
)
def test_what_is_refused(change, keywords, message):
    core = spikeloom.core("a2os2a", tokens=5, head_dim=4)
    operands = {name: x for name, x in (GOOD | change).items() if x is not None}
    with pytest.raises(InputError) as caught:
        spikeloom.run(core, **keywords, **operands)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_steps_that_a_core_does_not_take_are_refused():
    core = spikeloom.core("a2os2a", tokens=5, head_dim=4, k_bits=3)
    with pytest.raises(InputError, match="2 steps \\(axis T\\), but the core takes one"):
        spikeloom.run(core, axes="TBHND", **attention_operands("TBHND"))


def test_golden_model_of_a_core_checks_its_operands():
    core = spikeloom.core("ssa", tokens=2, head_dim=2, steps=1)
    good = np.zeros((1, 2, 2))
    with pytest.raises(InputError, match=r"q: 0\.5 at \[0, 0, 0\]; spikes are 0 or 1"):
        core.compute(q=good + 0.5, k=good, v=good)
    with pytest.raises(InputError, match=r"k: shape \(2, 2\) is not \(1, 2, 2\)"):
        core.compute(q=good, k=good[0], v=good)
    with pytest.raises(InputError, match="operand v is missing"):
        core.compute(q=good, k=good)


def test_long_batches_run_on_all_processors_with_progress():
    """The same outputs in the same order as on one processor."""
    core = spikeloom.core("ssa", tokens=4, head_dim=4, steps=2, engine="sampled")
    batch = [core.random_operands(np.random.default_rng(n)) for n in range(40)]
    seen = []
    few = Golden(jobs=1).run(core, batch)
    many = list(Golden(jobs=2)._parallel(core, batch, 0))
    Golden().run(core, batch[:3], lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    for one, other in zip(few, many, strict=True):
        assert np.array_equal(one.outputs["o"], other.outputs["o"])


@pytest.mark.parametrize("order", list(permutations("BH")))
def test_batch_and_heads_come_in_the_order_of_the_axes(order):
    core = spikeloom.core("a2os2a", tokens=5, head_dim=4, k_bits=3)
    letters = "".join(order) + "ND"
    operands = attention_operands(letters)
    run = spikeloom.run(core, axes=letters, **operands)
    first = {name: x[0, 1] for name, x in operands.items()}
    assert np.array_equal(run.outputs["o"][0, 1], spikeloom.run(core, **first).outputs["o"])
