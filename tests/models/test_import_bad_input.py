"""What `spikeloom import` refuses: one line that says what, where and what to do, and no file."""

# pyright: reportMissingImports=false

from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spikeloom.errors import InputError
from spikeloom_cli.main import main

from .needs_torch import NEEDS_TORCH

pytestmark = NEEDS_TORCH
SETTINGS = {"heads": "2", "image": "8"}
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@cache
def state():
    """A small Spikformer whose layers all spike."""
    import torch

    from .spikformer_reference import Spikformer, lively

    torch.manual_seed(5)
    model = Spikformer(dims=16, heads=2, hidden=24, blocks=1, classes=3, steps=2)
    return lively(model, torch.rand(8, 1, 8, 8)).state_dict()


@pytest.fixture
def refused(tmp_path, capfd):
    """Import a state dict; it must be refused with a message."""
    import torch

    def run(content, message, *options, arch="spikformer", given=SETTINGS):
        torch.save(content, tmp_path / "net.pth")
        output = tmp_path / "net.safetensors"
        command = ["import", str(tmp_path / "net.pth"), "--arch", arch, "-o", str(output)]
        command += [f"--set={key}={value}" for key, value in given.items()]
        code = main([*command, *options])
        err = capfd.readouterr().err
        assert (code, err.count("\n")) == (2, 1), err
        assert message in err, err
        assert len(err) < 400
        assert not output.exists()

    return run


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("heads", "0", "give an integer above 0"),
        ("heads", "2,2", "give an integer above 0, one alone"),
        ("heads", "9" * 3000, "16 channels are no multiple of so many heads"),
        ("image", "8,8,8", "--set image=8,8,8: give height,width"),
        ("image", "0", "give an integer above 0 to 1024"),
        ("steps", "0", "give an integer above 0 to 64"),
        ("steps", "65", "give an integer above 0 to 64"),
        ("steps", "2.5", "give an integer above 0 to 64"),
        ("pools", "0,0,2,1", "give an integer from 0 to 1"),
        ("pools", "0,0", "give 4 of 0 and 1"),
        ("tau", "0", "give a number above 0"),
        ("tau", "nan", "give a number above 0"),
        ("tau", "3", "layer stem0: tau = 3; the hardware keeps a half"),
        ("threshold", "0", "give a number above 0"),
        ("threshold", "inf", "give a number above 0"),
        ("threshold", "1e30", "so small that the threshold would be"),
        ("attention_threshold", "1e-9,1", "one alone"),
        ("scale", "1e-300", "layer block0.attention: its weights are so small"),
        ("std", "0", "give a number above 0"),
        ("std", "1,1", "--set std: 2 values for 1 channels"),
        ("mean", "inf", "give a number from 0"),
        ("head", "2", "unknown setting 'head'; did you mean heads?"),
    ],
)
def test_settings(key, value, message, refused):
    refused(state(), message, given=SETTINGS | {key: value})


def test_an_unknown_architecture_lists_all(refused):
    known = "nir, snntorch, spike-driven, spikformer, spikingjelly-spikformer, vit, xpikeformer"
    refused(state(), f"architectures: {known}", arch="convnet")


def test_layer_norm_is_named(refused):
    """In addition, or in the place of a batch normalisation."""
    import torch

    ones, hint = torch.ones(16), "train with BatchNorm1d in its place"
    added = state() | {"block.0.attn.norm.weight": ones, "block.0.attn.norm.bias": ones}
    refused(added, "'block.0.attn.norm' is a LayerNorm")
    refused(added, hint)
    name = "block.0.attn.q_bn"
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    instead = {key: value for key, value in state().items() if not key.startswith(name)}
    instead |= {f"{name}.weight": ones, f"{name}.bias": ones}
    assert not any(f"{name}.{part}" in instead for part in statistics)
    refused(instead, f"lacks {name}.running_mean: '{name}' is a LayerNorm")


def test_xpikeformer_says_why(refused):
    """Keys of the published code."""
    import torch

    block = "_backbone.h.0"
    keys = {
        f"{block}.attn.c_attn.weight": (48, 16),
        f"{block}.attn.c_bn.weight": (48,),
        f"{block}.attn.c_bn.running_var": (48,),
        f"{block}.ff.ln.weight": (16,),
        f"{block}.ff.ln.bias": (16,),
    }
    content = {key: torch.ones(shape) for key, shape in keys.items()}
    refused(content, f"'{block}.ff.ln' is a LayerNorm", arch="xpikeformer", given={})
    plain = {key: value for key, value in content.items() if ".ln." not in key}
    refused(plain, "c_attn reads the sums of the residual", arch="xpikeformer", given={})
    refused(state(), f"lacks {block}.attn.c_attn.weight", arch="xpikeformer", given={})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda w: w.to_sparse(), "is a tensor of layout torch.sparse_coo"),
        (lambda w: w.bool(), "head.weight holds torch.bool; give floating-point weights"),
        (lambda w: w + 1j, "head.weight holds torch.complex64"),
        (lambda w: w[:0], "head.weight has the shape (0, 16): it holds no values"),
        (lambda w: w * float("inf"), "head.weight holds NaN or infinity"),
        (lambda w: [3], "'head.weight' is no tensor"),
    ],
)
def test_tensors_that_hold_no_weights(make, message, refused):
    refused(state() | {"head.weight": make(state()["head.weight"])}, message)


def test_weights_that_overflow_or_vanish(refused):
    import torch

    name = "block.0.mlp.fc1_bn"
    negative = {f"{name}.running_var": -torch.ones(24)}
    refused(state() | negative, f"{name}.running_var has values below 0")
    large = {f"{name}.running_var": torch.zeros(24), f"{name}.weight": torch.full((24,), 3e38)}
    refused(state() | large, "layer block0.fc1: its sums reach")
    small = {f"{name}.weight": torch.full((24,), 1e-40), f"{name}.bias": torch.zeros(24)}
    refused(state() | small, "layer block0.fc1: its weights are so small")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 3, 1, 1]), "--labels: 3 at [1]; the classes are 0..2"),
        (np.array([0, -1, 1, 1]), "--labels: -1 at [1]; the classes are 0..2"),
        (np.array([0.0, 1, 2, 1]), "--labels: float64; give integers"),
        (np.array([0, 1]), "shape (2,) is not (4,), one an image"),
    ],
)
def test_labels(labels, message, refused, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((4, 8, 8), np.uint8))
    np.save(tmp_path / "y.npy", labels)
    options = ("--calibrate", str(tmp_path / "x.npy"), "--labels", str(tmp_path / "y.npy"))
    refused(state(), message, *options)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((4, 9, 8), np.uint8), "do not fit a network for (8, 8, 1)"),
        (np.zeros((4, 8, 8, 3), np.uint8), "do not fit a network for (8, 8, 1)"),
        (np.zeros((4, 8, 8), np.float32), "float32 of shape (4, 8, 8); give bytes"),
        (np.full((4, 8, 8), 256), "int64 of shape (4, 8, 8); give bytes"),
        (np.zeros((8, 8), np.uint8), "give bytes (B, Y, X, C)"),
        (np.zeros((0, 8, 8), np.uint8), "holds no numbers"),
    ],
)
def test_images(images, message, refused, tmp_path):
    np.save(tmp_path / "x.npy", images)
    refused(state(), message, "--calibrate", str(tmp_path / "x.npy"))


def imported_or_refused(path, arch="spikformer", given=SETTINGS):
    """Import a file: it works, or one line says why not and nothing is written."""
    from spikeloom_models.importers.jobs import import_checkpoint

    output = path.with_name("fuzzed.safetensors")
    output.unlink(missing_ok=True)
    images = np.arange(128, dtype=np.uint8).reshape(2, 8, 8, 1)
    message = None
    try:
        import_checkpoint(path, arch, output, given, images=images)
    except InputError as error:
        message = str(error)
    assert output.exists() == (message is None)
    assert message is None or ("\n" not in message and len(message) < 600)


def odd_values():
    """What may stand in the place of a tensor."""
    import torch

    dtypes = (torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.bool)
    numbers = (0.0, -1.0, 1e-45, 1e38, -1e38, 1e-3, float("nan"))
    return st.one_of(
        st.sampled_from([None, 3, "text", [], {}, {"weight": 1}, torch.tensor(1.0)]).map(
            lambda value: lambda tensor: value
        ),
        st.sampled_from(dtypes).map(lambda dtype: lambda tensor: tensor.to(dtype)),
        st.sampled_from(numbers).map(
            lambda number: lambda tensor: torch.full(tensor.shape, number)
        ),
        st.lists(st.integers(0, 33), max_size=5).map(
            lambda shape: lambda tensor: torch.full(shape, 0.5)
        ),
        st.just(lambda tensor: tensor.t() if tensor.ndim == 2 else tensor[None]),
        st.just(lambda tensor: tensor.to_sparse()),
    )


def test_fuzzed_contents(tmp_path):
    import torch

    keys = sorted(state())

    @FUZZ
    @given(
        st.lists(st.tuples(st.sampled_from(keys), odd_values()), min_size=1, max_size=3),
        st.lists(st.sampled_from(keys), max_size=1),
        st.dictionaries(st.text(max_size=8), odd_values(), max_size=1),
    )
    def fuzz(changes, removed, added):
        content = dict(state())
        for key, change in changes:
            content[key] = change(state()[key])
        content |= {key: change(state()["head.weight"]) for key, change in added.items()}
        for key in removed:
            del content[key]
        torch.save(content, tmp_path / "fuzz.pth")
        imported_or_refused(tmp_path / "fuzz.pth")

    fuzz()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_fuzzed_bytes(suffix, tmp_path):
    import torch
    from safetensors.torch import save_file

    path = tmp_path / f"fuzz{suffix}"
    torch.save(state(), path) if suffix == ".pth" else save_file(state(), path)
    data = path.read_bytes()

    @FUZZ
    @given(
        st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=4),
        st.integers(0, len(data)),
        st.booleans(),
    )
    def fuzz(changes, cut, cuts):
        changed = bytearray(data)
        for at, value in changes:
            changed[at] = value
        path.write_bytes(changed[:cut] if cuts else changed)
        imported_or_refused(path)

    fuzz()
