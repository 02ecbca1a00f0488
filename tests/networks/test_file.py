"""Network files: what is written is read, and anything else is refused in one line."""

import json
import os
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save as serialise

from spikeloom.errors import InputError
from spikeloom.networks import file, golden

from .random_network import random_images, random_network

SMALL = {"image": (2, 4, 1), "patch": (2, 2), "dims": 4, "hidden": 3, "classes": 3, "blocks": 1}
GRAPH = random_network(**SMALL)
BYTES = file.to_bytes(GRAPH)


def with_description(change, data=BYTES):
    """A file whose description was changed by a function."""
    header, length = file._header(data)
    description = json.loads(header["__metadata__"]["network"])
    changed = change(description)
    description = description if changed is None else changed
    text = description if isinstance(description, str) else json.dumps(description)
    header["__metadata__"]["network"] = text
    return with_header(json.dumps(header), data[8 + length :])


def with_header(header, tensors=b""):
    text = header.encode()
    return len(text).to_bytes(8, "little") + text + tensors


def with_tensors(change, metadata=None):
    """A file whose tensors were changed by a function."""
    tensors = dict(GRAPH.tensors())
    change(tensors)
    metadata = metadata or {"spikeloom": "network/1", "network": json.dumps(GRAPH.to_json())}
    return serialise(tensors, metadata)


def assert_equal(one, other):
    assert one.to_json() == other.to_json()
    for name, tensor in one.tensors().items():
        assert np.array_equal(tensor, other.tensors()[name])
        assert tensor.dtype == other.tensors()[name].dtype


@pytest.mark.parametrize(
    "keys", [{}, {"residual": "add", "reset": "soft", "weight_bits": 4}, {"attention": False}]
)
def test_what_is_saved_is_loaded(tmp_path, keys):
    graph = random_network(**SMALL | keys)
    file.save(tmp_path / "net.safetensors", graph)
    loaded = file.load(tmp_path / "net.safetensors")
    assert_equal(loaded, graph)
    images = random_images(graph, 3)
    assert np.array_equal(golden.run(loaded, images).logits, golden.run(graph, images).logits)
    assert os.listdir(tmp_path) == ["net.safetensors"]


def test_the_same_network_has_the_same_bytes(tmp_path):
    """In every process, and after loading."""
    assert file.to_bytes(file.from_bytes(BYTES)) == BYTES
    script = (
        "from tests.networks.test_file import GRAPH, file\n"
        f"file.save({str(tmp_path / 'net.safetensors')!r}, GRAPH)"
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    subprocess.run([sys.executable, "-c", script], cwd=root, check=True)
    assert (tmp_path / "net.safetensors").read_bytes() == BYTES
    assert len(file.digest(GRAPH)) == 64


def test_layers_may_share_a_tensor():
    data = with_description(lambda d: d["layers"][1].update(weight="block0.k.weight"))
    with pytest.raises(InputError, match=r"tensor 'block0.q.weight' is not used by any layer"):
        file.from_bytes(data)
    header, _ = file._header(data)
    tensors = {name: x for name, x in GRAPH.tensors().items() if name != "block0.q.weight"}
    shared = file.from_bytes(serialise(tensors, header["__metadata__"]))
    q, k = shared.layer("block0.q"), shared.layer("block0.k")
    assert np.shares_memory(q.weight, k.weight)
    assert_equal(file.from_bytes(file.to_bytes(shared)), shared)


def nested(depth):
    return "[" * depth + "]" * depth


TENSOR = {"x": {"dtype": "I8", "shape": [2**40, 2**40], "data_offsets": [0, 4]}}
BAD = {
    "empty": (b"", "is something else, not a .safetensors file"),
    "short": (BYTES[:7], "is something else"),
    "only a length": (BYTES[:8], "is something else"),
    "truncated header": (BYTES[:100], "is damaged: its header has"),
    "truncated data": (BYTES[:-3], "is damaged: Error while deserializing"),
    "trailing data": (BYTES + b"xx", "is damaged: "),
    "huge header": (b"\xff" * 7 + b"\x00{" + bytes(100), "at most 4194304"),
    "header of 5 MB": ((5_000_000).to_bytes(8, "little") + b"{" * 5_000_000, "at most 4194304"),
    "header is no text": (with_header("{}")[:9] + b"\xff" * 20, "is damaged: its header"),
    "header is no JSON": (with_header("{]"), "is damaged: its header is not JSON"),
    "nested header": (with_header('{"a":' + nested(100_000) + "}"), "is nested too deeply"),
    "header with a key twice": (with_header('{"a": 1, "a": 2}'), "key 'a' comes twice"),
    "header with NaN": (with_header('{"a": NaN}'), "NaN is not a number of JSON"),
    "header with a long number": (with_header('{"a": ' + "9" * 9999 + "}"), "is not JSON"),
    "no metadata": (serialise(GRAPH.tensors()), "its metadata has no key 'spikeloom'"),
    "metadata is a list": (with_header('{"__metadata__": []}'), "has no key 'spikeloom'"),
    "version": (
        with_tensors(lambda t: None, {"spikeloom": "network/2", "network": "{}"}),
        "has format 'network/2', and this version of Spikeloom reads network/1",
    ),
    "no network": (
        with_tensors(lambda t: None, {"spikeloom": "network/1"}),
        "its metadata has no key 'network'",
    ),
    "huge shape": (
        with_header(
            json.dumps(TENSOR | {"__metadata__": {"spikeloom": "network/1", "network": "{}"}}),
            b"1234",
        ),
        "is damaged: ",
    ),
    "floats": (
        with_tensors(lambda t: t.update({"head.weight": t["head.weight"].astype(np.float32)})),
        "tensor 'head.weight' holds F32; a network holds I8, I16, I32",
    ),
    "NaN": (
        with_tensors(lambda t: t.update({"head.bias": np.full(3, np.nan)})),
        "tensor 'head.bias' holds F64",
    ),
    "bias as int8": (
        with_tensors(lambda t: t.update({"head.bias": np.zeros(3, np.int8)})),
        "layer head: tensor 'head.bias' holds int8; bias must be int32",
    ),
    "weight as int32": (
        with_tensors(lambda t: t.update({"head.weight": np.zeros((4, 3), np.int32)})),
        "layer head: tensor 'head.weight' holds int32; weight must be int8",
    ),
    "no elements": (
        with_tensors(lambda t: t.update({"head.weight": np.zeros((4, 0), np.int8)})),
        "layer head: weight has shape (4, 0)",
    ),
    "unused tensor": (
        with_tensors(lambda t: t.update({"more": np.zeros(3, np.int8)})),
        "tensor 'more' is not used by any layer; remove it",
    ),
    "missing tensor": (
        with_tensors(lambda t: t.pop("block0.q.bias")),
        "layer block0.q: bias is tensor 'block0.q.bias', which the file does not have",
    ),
    "rows": (
        with_tensors(lambda t: t.update({"head.weight": np.zeros((5, 3), np.int8)})),
        "layer head: weight has 5 rows and input block0.x2 has 4 values; make them equal",
    ),
    "description is no JSON": (with_description(lambda d: "{"), "the network in its metadata"),
    "description is nested": (with_description(lambda d: nested(100_000)), "nested too deeply"),
    "description is a list": (with_description(lambda d: []), "the network is [], not an object"),
    "key twice": (with_description(lambda d: '{"name": 1, "name": 2}'), "key 'name' comes twice"),
    "zip": (b"PK\x03\x04" + bytes(50), "is a PyTorch checkpoint or a zip archive"),
    "pickle": (pickle.dumps(GRAPH.tensors()), "is a pickle, not a .safetensors file"),
    "npy": (b"\x93NUMPY\x01\x00v\x00" + bytes(90), "is an .npy array"),
}


@pytest.mark.parametrize("case", BAD)
def test_refused(case, tmp_path):
    data, message = BAD[case]
    path = tmp_path / "net.safetensors"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        file.load(path)
    text = str(caught.value)
    assert message in text
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    assert len(text) < 500 + len(str(path))


def test_paths_that_are_no_files(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.safetensors")
    (tmp_path / "loop.safetensors").symlink_to(tmp_path / "loop.safetensors")
    for path, message in (
        (tmp_path, "is a folder; give a .safetensors file"),
        (tmp_path / "pipe.safetensors", "is a pipe or a device"),
        ("/dev/zero", "is a pipe or a device"),
        (tmp_path / "none.safetensors", r"cannot be read \(No such file or directory\)"),
        (tmp_path / "loop.safetensors", r"cannot be read \(Too many levels"),
    ):
        with pytest.raises(InputError, match=message):
            file.load(path)
    big = tmp_path / "big.safetensors"
    with big.open("wb") as sparse:
        sparse.truncate(2**40)
    with pytest.raises(InputError, match=r"has 1099511627776 bytes; a network file has at most"):
        file.load(big)
    with zipfile.ZipFile(tmp_path / "zip.safetensors", "w") as archive:
        archive.writestr("data.pkl", "x")
    with pytest.raises(InputError, match="is a PyTorch checkpoint"):
        file.load(tmp_path / "zip.safetensors")


def test_saving_is_refused_before_a_file_is_written(tmp_path):
    with pytest.raises(InputError, match=r"ends in \.safetensors; rename it"):
        file.save(tmp_path / "net.pt", GRAPH)
    (tmp_path / "net.safetensors").mkdir()
    with pytest.raises(InputError):
        file.save(tmp_path / "net.safetensors", GRAPH)
    assert os.listdir(tmp_path) == ["net.safetensors"]


def refused_or_valid(data):
    """Whatever the bytes, they are a network or one line."""
    try:
        graph, message = file.from_bytes(data), ""
    except InputError as error:
        graph, message = None, str(error)
    assert "\n" not in message
    assert len(message) < 1000
    assert graph is None or assert_equal(file.from_bytes(file.to_bytes(graph)), graph) is None


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FUZZ
@given(st.lists(st.tuples(st.integers(0, len(BYTES) - 1), st.integers(0, 255)), max_size=4))
def test_changed_bytes(changes):
    data = bytearray(BYTES)
    for at, value in changes:
        data[at] = value
    refused_or_valid(bytes(data))


@FUZZ
@given(st.binary(max_size=200), st.integers(0, len(BYTES)))
def test_any_bytes(data, cut):
    refused_or_valid(data)
    refused_or_valid(with_header(data.decode("latin1")))
    refused_or_valid(BYTES[:cut] + data)


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["image", "head", "linear", "attention", "embed.weight", "lif", "add"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


def places(value, path=()):
    """The path of every value in a JSON document."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


PLACES = [path for path in places(GRAPH.to_json()) if path]


@FUZZ
@given(st.lists(st.tuples(st.sampled_from(PLACES), ODD), min_size=1, max_size=3))
def test_any_description(changes):
    def change(description):
        for path, value in changes:
            at = description
            try:
                for key in path[:-1]:
                    at = at[key]
                at[path[-1]] = value
            except (KeyError, IndexError, TypeError):
                continue  # an earlier change removed the place

    refused_or_valid(with_description(change))
