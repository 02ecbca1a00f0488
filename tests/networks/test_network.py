"""A network as a core: streams, the Python API, and how it is found."""

import pickle
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

import spikeloom
from spikeloom.backend import Golden
from spikeloom.cores import find_core
from spikeloom.errors import InputError
from spikeloom.export.verilog import module_name
from spikeloom.networks import file, finding, golden
from spikeloom.networks.evaluation import check_images, check_labels, evaluate
from spikeloom.networks.image_port import ImagePort
from spikeloom.networks.network import network_core

from .random_network import random_images, random_network

SMALL = {"image": (4, 6, 2), "patch": (2, 3), "dims": 4, "hidden": 3, "classes": 3, "blocks": 1}
GRAPH = random_network(**SMALL, name="small-net")
GREY = random_network(**SMALL | {"image": (4, 6, 1)}, name="grey-net")


@pytest.fixture
def core(tmp_path):
    file.save(tmp_path / "net.safetensors", GRAPH)
    return spikeloom.load(tmp_path / "net.safetensors")


@pytest.fixture
def grey(tmp_path):
    file.save(tmp_path / "grey.safetensors", GREY)
    return spikeloom.load(tmp_path / "grey.safetensors")


def test_ports(core):
    port = core.inputs["image"]
    assert (port.axes, port.shape, port.bits) == ("YXC", (4, 6, 2), 16)
    assert port.beats == 4 * 8 * 1  # patches, planes, beats of 12 pixels
    logits, label = core.outputs["logits"], core.outputs["label"]
    assert (logits.shape, logits.beats, label.shape, label.beats) == ((3,), 3, (), 1)
    assert (logits.bits, label.bits) == (GRAPH.bounds["head"].current.bits, 2)
    assert label.unpack(label.pack(2)) == 2
    assert core.describe().startswith("network: 4 x 6 x 2 image, 4 tokens, T = 4, 11 layers, ")
    assert module_name(core) == "spikeloom_small_net"


@pytest.mark.parametrize("weights", ["initial", "loaded"])
def test_ports_are_the_streams_of_the_component(core, weights):
    core = replace(core, weights=weights)
    ports = core.inputs | core.outputs | {name: port for name, (port, _) in core.loads.items()}
    component = core.create()
    members = component.signature.members
    assert {name for name, member in members.items() if member.is_signature} == ports.keys()
    for name, port in ports.items():
        assert len(getattr(component, name).payload.data) == port.bits
    assert ("weights" in core.loads) == (weights == "loaded")
    for port, tensor in core.loads.values():
        assert np.array_equal(port.unpack(port.pack(tensor)), tensor)


@pytest.mark.parametrize(
    ("shape", "patch", "planes"),
    [
        ((4, 6, 2), (2, 3), 8),
        ((2, 2, 1), (1, 1), 1),
        ((6, 5, 3), (3, 5), 5),
        ((3, 2, 3), (1, 1), 8),
        ((2, 4, 1), (1, 2), 7),
    ],
)
def test_image_stream(shape, patch, planes):
    """Beat by beat: patches by rows, planes from the highest bit and as many as fit into a beat,
    pixels from the lowest bit."""
    port = ImagePort(shape=shape, patch=patch, planes=planes)
    image = np.random.default_rng(0).integers(0, 256, shape)
    expected = []
    for top in range(0, shape[0], patch[0]):
        for left in range(0, shape[1], patch[1]):
            pixels = image[top : top + patch[0], left : left + patch[1]].ravel().tolist()
            together = max(1, 16 // len(pixels))
            for first in range(0, planes, together):
                some = range(7 - first, 7 - min(planes, first + together), -1)
                bits = [pixel >> plane & 1 for plane in some for pixel in pixels]
                for n in range(0, len(bits), 16):
                    expected.append(sum(bit << i for i, bit in enumerate(bits[n : n + 16])))
    beats = port.pack(image)
    assert [data for data, _ in beats] == expected
    assert [last for _, last in beats] == [0] * (len(expected) - 1) + [1]
    kept = 256 - 2 ** (8 - planes)
    assert np.array_equal(port.unpack(beats), image & kept)


def test_run(core):
    images = random_images(GRAPH, 6)
    expected = golden.run(GRAPH, images)
    run = spikeloom.run(core, image=images)
    assert np.array_equal(run.outputs["logits"], expected.logits)
    assert np.array_equal(run.outputs["label"], expected.labels)
    one = spikeloom.run(core, image=images[2])
    assert one.outputs["logits"].shape == (3,)
    assert one.outputs["label"].shape == ()
    for axes, order in (("BYXC", (0, 1, 2, 3)), ("CBYX", (3, 0, 1, 2))):
        run = spikeloom.run(core, axes=axes, image=images.transpose(order))
        logits = run.outputs["logits"] if axes[0] == "B" else run.outputs["logits"].T
        assert np.array_equal(logits, expected.logits)
        assert np.array_equal(run.outputs["label"], expected.labels)
    assert core.compute(image=images[0])["label"] == expected.labels[0]


def test_images_without_the_axis_of_one_channel(grey):
    """Also if there are as many as an image has rows."""
    images = random_images(GREY, 4)
    expected = golden.run(GREY, images)
    assert np.array_equal(
        spikeloom.run(grey, image=images[..., 0]).outputs["label"], expected.labels
    )
    one = spikeloom.run(grey, image=images[0, :, :, 0])
    assert one.outputs["logits"].shape == (3,)
    assert np.array_equal(one.outputs["logits"], expected.logits[0])


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 6)), "image: shape (4, 6) is not (4, 6, 2) (Y, X, C)"),
        (np.zeros((4, 5, 2)), "image: shape (4, 5, 2) is not (4, 6, 2) (Y, X, C)"),
        (np.full((4, 6, 2), 256), "image: 256 at [0, 0, 0]; values must be whole numbers 0..255"),
        (np.full((4, 6, 2), 0.5), "image: 0.5 at [0, 0, 0]; values must be whole numbers 0..255"),
        (None, "small-net: operand image is missing; it takes image"),
    ],
)
def test_images_that_are_refused(core, image, message):
    with pytest.raises(InputError) as caught:
        spikeloom.run(core, **({} if image is None else {"image": image}))
    assert message in str(caught.value)


def test_a_long_batch_on_processes(core):
    """Networks cross to other processes, which make their class anew."""
    images = random_images(GRAPH, 7)
    batch = [{"image": image} for image in images]
    runs = [run.outputs["logits"] for run in Golden()._parallel(core, batch, 0)]
    assert np.array_equal(runs, golden.run(GRAPH, images).logits)
    assert pickle.loads(pickle.dumps(core)) == core


def test_found_by_path_or_name(core, tmp_path, monkeypatch):
    assert type(core) is find_core(str(tmp_path / "net.safetensors"))
    assert type(core) is find_core("small-net")  # which was loaded
    assert spikeloom.core("small-net", lanes=16).lanes == 16
    monkeypatch.chdir(tmp_path)
    assert find_core("net.safetensors") is type(core)
    again = Path(core.reference(tmp_path))
    assert find_core(str(again)) is type(core)
    for name, message in (
        ("small-nett", "unknown core 'small-nett'"),
        ("none.safetensors", "none.safetensors: cannot be read (No such file or directory)"),
        ("folder/none", "folder/none: cannot be read (No such file or directory)"),
    ):
        with pytest.raises(InputError) as caught:
            find_core(name)
        assert message in str(caught.value)


def test_networks_of_packages(tmp_path, monkeypatch):
    """A package of the entry-point group provides its files as networks."""
    package = tmp_path / "shipped_networks"
    package.mkdir()
    (package / "__init__.py").touch()
    file.save(package / "shipped-net.safetensors", replace(GREY, name="shipped-net"))
    monkeypatch.syspath_prepend(tmp_path)
    found = [EntryPoint("a", "shipped_networks", "g"), EntryPoint("b", "not_installed.at_all", "g")]
    monkeypatch.setattr(finding, "entry_points", lambda group: found)
    finding._provided.cache_clear()
    try:
        assert finding.network_names() == ["shipped-net"]
        assert spikeloom.core("shipped-net").NAME == "shipped-net"
        with pytest.raises(InputError, match="did you mean shipped-net"):
            find_core("shipped-ned")
    finally:
        finding._provided.cache_clear()


def test_keys(core):
    assert core.as_dict() == {
        "lanes": 8,
        "engines": 1,
        "weights": "initial",
        "content": file.digest(GRAPH)[:16],
    }
    with pytest.raises(InputError, match="small-net: lanes = 12 is not allowed; lanes must be one"):
        spikeloom.core("small-net", lanes=12)
    with pytest.raises(InputError, match="small-net: content = '0' is not allowed"):
        spikeloom.core("small-net", content="0")


def test_work_follows_the_image(core):
    dark, bright = (core.work(image=np.full((4, 6, 2), value)) for value in (0, 255))
    result = golden.run(GRAPH, np.full((1, 4, 6, 2), 255))
    layers = [row for row in bright.operations if not row.what.endswith(": neurons")]
    assert {row.what: row.count for row in layers} == {
        name: counts[0] for name, counts in result.additions.items() if counts[0]
    }
    assert dark.additions < core.work().additions


def test_evaluation(grey, monkeypatch):
    monkeypatch.setattr(type(grey), "cycles", lambda self, image: int(image.sum()))
    images = random_images(GREY, 12)
    labels = golden.run(GREY, images).labels
    wrong = labels.copy()
    wrong[:3] = (labels[:3] + 1) % 3
    result = evaluate(grey, check_images(grey, images[..., 0], "x"), wrong)
    assert (result.images, result.accuracy, result.mismatches) == (12, 9 / 12, None)
    assert np.sum(result.confusion) == 12
    assert np.trace(result.confusion) == 9
    assert result.confusion[wrong[0]][labels[0]] >= 1
    assert result.cycles == images[:10].sum() / 10
    assert result.images_per_second > 0


class Broken(Golden):
    """A backend whose first logit is wrong."""

    name = "broken"

    def run(self, core, batch, progress=lambda done, total: None):
        runs = super().run(core, batch, progress)
        runs[0].outputs["logits"] = runs[0].outputs["logits"] + [1, 0, 0]
        for run in runs:
            run.timing = 7
        return runs


def test_evaluation_on_a_backend(grey):
    images = random_images(GREY, 5)
    labels = golden.run(GREY, images).labels
    result = evaluate(grey, images, labels, Broken())
    assert (result.mismatches, result.accuracy, result.cycles) == (1, 1.0, 7.0)
    assert result.cycles_differ == 5
    assert result.as_dict()["backend"] == "broken"


def test_data_that_does_not_fit(grey):
    images = check_images(grey, np.zeros((3, 4, 6)), "x")
    assert (images.shape, images.dtype) == ((3, 4, 6, 1), np.uint8)
    for given, message in (
        (
            np.zeros((3, 4, 5)),
            r"x: shape \(3, 4, 5\) is not \(images, 4, 6, 1\), as",
        ),
        (np.zeros((0, 4, 6, 1)), r"x: shape \(0, 4, 6, 1\)"),
        (np.zeros((4, 6)), r"x: shape \(4, 6\) is not"),
        (np.full((3, 4, 6), -1), r"x: -1 at \[0, 0, 0, 0\]; values must be whole"),
    ):
        with pytest.raises(InputError, match=message):
            check_images(grey, given, "x")
    assert check_labels(grey, [0, 2, 1.0], 3, "y").tolist() == [0, 2, 1]
    for given, message in (
        ([0, 1], r"y: shape \(2,\) is not \(3,\), one for each image"),
        ([0, 3, 1], r"y: 3 at \[1\]; the classes of grey-net are 0..2"),
        ([0, -1, 1], r"y: -1 at \[1\]"),
        ([0, 0.5, 1], r"y: 0.5 at \[1\]"),
    ):
        with pytest.raises(InputError, match=message):
            check_labels(grey, given, 3, "y")


def test_position():
    """The last channel says where a patch is; users leave it out, and it is not sent."""
    sizes = SMALL | {"image": (8, 12, 2), "patch": (4, 4)}
    graph = random_network(**sizes, name="placed-net")
    embed = replace(graph.embedding, position=True)
    graph = replace(graph, layers=(embed, *graph.layers[1:]))
    core = network_core(graph)()
    images = random_images(graph, 3)
    for row, column in np.ndindex(2, 3):
        patch = [0] * 16
        patch[row] = patch[2 + column] = 128
        top, left = 4 * row, 4 * column
        images[:, top : top + 4, left : left + 4, 1] = np.reshape(patch, (4, 4))
    expected = golden.run(graph, images)
    for given in (images, images[..., :1], images[..., 0]):
        found = spikeloom.run(core, image=given)
        assert np.array_equal(found.outputs["logits"], expected.logits)
        assert np.array_equal(check_images(core, given, "x"), images[..., :1])
    assert spikeloom.run(core, image=images[0, :, :, 0]).outputs["label"] == expected.labels[0]
    assert_equal_files(graph)
    with pytest.raises(InputError, match=r"x: shape \(3, 8, 8\) is not \(images, 8, 12, 1\)"):
        check_images(core, images[:, :, :8, 0], "x")
    with pytest.raises(InputError, match=r"x: shape \(3, 8, 12, 2\) is not \(images, 8, 12, 1\)"):
        check_images(core, images[:, :, ::-1], "x")
    assert core.inputs["image"].beats == 6 * graph.pixel_bits


def assert_equal_files(graph):
    assert file.from_bytes(file.to_bytes(graph)).to_json() == graph.to_json()


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"image": (8, 8, 1)}, "layer embed: the image has one channel"),
        ({"image": (16, 16, 2), "patch": (2, 2)}, "layer embed: patches of 2 x 2 pixels have no"),
    ],
)
def test_positions_that_do_not_fit(sizes, message):
    graph = random_network(**SMALL | {"patch": (4, 4)} | sizes)
    embed = replace(graph.embedding, position=True)
    with pytest.raises(InputError, match=message):
        replace(graph, layers=(embed, *graph.layers[1:]))
    with pytest.raises(InputError, match="layer embed: position is 1; give true or false"):
        replace(embed, position=1)
