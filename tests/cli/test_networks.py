"""Networks on the command line: run, evaluate, list, and what is refused."""

import gzip
import json
import re

import numpy as np
import pytest

from spikeloom.backend import Golden
from spikeloom.networks import file, finding, golden
from spikeloom.networks.network import Network
from tests.networks.random_network import random_images, random_network

SMALL = {"image": (4, 6, 1), "patch": (2, 3), "dims": 4, "hidden": 3, "classes": 3, "blocks": 1}
GRAPH = random_network(**SMALL, name="small-net")
IMAGES = random_images(GRAPH, 12)
RESULT = golden.run(GRAPH, IMAGES)
LABELS = RESULT.labels


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A network, images and labels in the current folder; cycles are those of another test."""
    monkeypatch.setattr(Network, "cycles", lambda self, **operands: 1000)
    file.save(tmp_path / "net.safetensors", GRAPH)
    np.save(tmp_path / "x.npy", IMAGES)
    np.save(tmp_path / "y.npy", LABELS)
    return tmp_path


EVALUATE = ("evaluate", "net.safetensors", "--images", "x.npy", "--labels", "y.npy")


def test_run(spikeloom, files):
    ran = spikeloom("run", "net.safetensors", "--image", "x.npy", "-o", "logits.npy", "--json")
    assert (ran.code, ran.err) == (0, "")
    logits = np.load(files / "logits.npy")
    assert np.array_equal(logits, RESULT.logits)
    summary = json.loads(ran.out)
    assert summary["label"] == LABELS.tolist()
    assert (summary["core"], summary["shape"]) == ("small-net", [12, 3])
    np.save(files / "one.npy", IMAGES[0, :, :, 0])
    ran = spikeloom("run", "net.safetensors", "--image", "one.npy", "-o", "logits.npy")
    assert ran.out == f"logits.npy: int32 (3,)\nlabel: {LABELS[0]}\n"
    assert np.array_equal(np.load(files / "logits.npy"), RESULT.logits[0])


def test_evaluate(spikeloom, files):
    wrong = LABELS.copy()
    wrong[1] = (wrong[1] + 1) % 3
    np.save(files / "y.npy", wrong)
    found = json.loads(spikeloom(*EVALUATE, "--json").out)
    assert list(found) == [
        *("network", "backend", "images", "accuracy", "mismatches", "images_per_second"),
        *("cycles", "cycles_min", "cycles_max", "cycles_differ", "classes", "confusion"),
        *("layers", "additions", "differing", "energy"),
    ]
    assert (found["images"], found["accuracy"], found["mismatches"]) == (12, 11 / 12, None)
    assert (found["cycles"], found["classes"]) == (1000, ["0", "1", "2"])
    assert np.trace(found["confusion"]) == 11
    found = json.loads(spikeloom(*EVALUATE, "--json", "--limit", "1").out)
    assert (found["images"], found["accuracy"]) == (1, 1)
    ran = spikeloom(*EVALUATE)
    assert ran.code == 0
    assert ran.out.startswith("small-net on golden: 91.67 % of 12 images (11), ")
    assert " 1,000 cycles an image (1,000 to 1,000)\n" in ran.out
    assert "embed" in ran.out


def test_evaluate_against_a_reference(spikeloom, files):
    """Classes or logits of another network: the images that differ are listed."""
    other = LABELS.copy()
    other[[2, 5]] = (other[[2, 5]] + 1) % 3
    np.save(files / "r.npy", other)
    assert json.loads(spikeloom(*EVALUATE, "--reference", "r.npy", "--json").out)["differing"] == [
        2,
        5,
    ]
    assert (
        "2 of 12 classes differ from the reference: images 2, 5\n"
        in spikeloom(*EVALUATE, "--reference", "r.npy").out
    )
    np.save(files / "r.npy", np.eye(3)[other])
    ran = spikeloom(*EVALUATE, "--reference", "r.npy", "--limit", "3", "--json")
    assert json.loads(ran.out)["differing"] == [2]
    np.save(files / "r.npy", np.zeros((12, 4)))
    ran = spikeloom(*EVALUATE, "--reference", "r.npy")
    assert (ran.code, ran.err) == (
        2,
        "spikeloom: --reference: shape (12, 4) is not (12, 3), the logits of each image\n",
    )


def test_evaluate_draws(spikeloom, files):
    for name, head in (("c.png", b"\x89PNG"), ("c.svg", b"<?xml"), ("c.pdf", b"%PDF")):
        assert spikeloom(*EVALUATE, "--picture", name).code == 0
        assert (files / name).read_bytes().startswith(head)
    for name, message in (("c.bmp", "ends in one of .png, .svg, .pdf"), ("no/c.png", "folder no")):
        ran = spikeloom(*EVALUATE, "--picture", name)
        assert (ran.code, ran.err.count("\n"), message in ran.err) == (2, 1, True), ran.err


def test_evaluate_reads_idx(spikeloom, files):
    """The files of MNIST and Fashion-MNIST, compressed or not."""
    images, labels = IMAGES[..., 0], LABELS.astype(np.uint8)
    head = [bytes([0, 0, 8, x.ndim]) + np.array(x.shape, ">u4").tobytes() for x in (images, labels)]
    (files / "x.gz").write_bytes(gzip.compress(head[0] + images.tobytes()))
    (files / "labels-idx1-ubyte").write_bytes(head[1] + labels.tobytes())
    ran = spikeloom(
        *("evaluate", "net.safetensors", "--json"),
        *("--images", "x.gz", "--labels", "labels-idx1-ubyte"),
    )
    assert json.loads(ran.out)["accuracy"] == 1


def test_a_backend_that_differs_fails(spikeloom, files, monkeypatch):
    from spikeloom_cli import evaluate
    from tests.networks.test_network import Broken

    monkeypatch.setattr(evaluate, "find_backend", lambda name, **options: Broken())
    ran = spikeloom(*EVALUATE, "--backend", "rtl", "--json")
    assert ran.code == 1
    assert ran.err == "spikeloom: net.safetensors: 1 outputs differ from the golden model\n"
    assert '"mismatches": 1' in ran.out


def test_list(spikeloom, files, monkeypatch):
    monkeypatch.setattr(finding, "_provided", lambda: {"small-net": files / "net.safetensors"})
    listed = json.loads(spikeloom("list", "--json").out)["networks"]
    assert list(listed) == ["small-net"]
    assert listed["small-net"]["summary"].startswith("network: 4 x 6 x 1 image, 4 tokens")
    assert {"lanes", "weights"} <= listed["small-net"]["keys"].keys()
    assert "small-net  network: 4 x 6 x 1 image" in spikeloom("list").out


def write(name, data):
    return lambda folder: (folder / name).write_bytes(data)


def save(name, array):
    return lambda folder: np.save(folder / name, array)


BAD = {
    "no network": (lambda folder: None, ("evaluate", "ssa"), "ssa is a core, not a network"),
    "unknown": (lambda folder: None, ("evaluate", "fashon"), "unknown core 'fashon'"),
    "no file": (
        lambda folder: None,
        ("evaluate", "none.safetensors"),
        "none.safetensors: cannot be read (No such file or directory)",
    ),
    "damaged": (
        write("net.safetensors", b"PK\x03\x04" + bytes(20)),
        EVALUATE[:2],
        "net.safetensors: is a PyTorch checkpoint or a zip archive, not a .safetensors file",
    ),
    "shape": (
        save("x.npy", IMAGES[:, :3]),
        EVALUATE[:2],
        "--images: shape (12, 3, 6, 1) is not (images, 4, 6, 1)",
    ),
    "floats": (save("x.npy", IMAGES / 255), EVALUATE[:2], "--images: "),
    "too few labels": (
        save("y.npy", LABELS[:5]),
        EVALUATE[:2],
        "--labels: shape (5,) is not",
    ),
    "label": (save("y.npy", LABELS + 1), EVALUATE[:2], "--labels: 3 at ["),
    "no array": (write("x.npy", b"hello"), EVALUATE[:2], "x.npy is not a .npy file"),
    "IDX": (write("x.npy", b""), EVALUATE[:2], "x.npy is empty"),
    "backend": (lambda folder: None, (*EVALUATE[:2], "--backend", "rlt"), "did you mean rtl?"),
    "port": (lambda folder: None, (*EVALUATE[:2], "--port", "sim"), "must be given together"),
    "limit": (lambda folder: None, (*EVALUATE[:2], "--limit", "0"), "--limit"),
    "lanes": (lambda folder: None, (*EVALUATE[:2], "--set", "lanes=3"), "lanes = 3 is not allowed"),
}


@pytest.mark.parametrize("case", BAD)
def test_refused(spikeloom, files, case):
    prepare, arguments, message = BAD[case]
    prepare(files)
    ran = spikeloom(*arguments, *EVALUATE[2:])
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--image", "none.npy", "-o", "o.npy"), "image: none.npy cannot be read"),
        (("-o", "o.npy"), "small-net: operand image is missing; it takes image"),
        (("--q", "x.npy", "-o", "o.npy"), "small-net: no operand q; it takes image"),
        (
            ("--image", "x.npy", "-o", "net.safetensors"),
            "-o net.safetensors is the file of the network as well; name another",
        ),
        (("--image", "x.npy", "-o", "o.npy", "--rate"), "--rate does not apply to small-net"),
    ],
)
def test_run_refuses(spikeloom, files, arguments, message):
    before = (files / "net.safetensors").read_bytes()
    ran = spikeloom("run", "net.safetensors", *arguments)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert message in ran.err
    assert (files / "net.safetensors").read_bytes() == before
    assert not (files / "o.npy").exists()


ON_GOLDEN = ("--backend", "board", "--port", "golden")
LOADED = ("--set", "weights=loaded", "--set", "lanes=4")


def test_run_on_a_board(spikeloom, files):
    """Weights over the link, then each image; in words and as JSON."""
    run = ("run", "net.safetensors", "--image", "x.npy", "-o", "logits.npy", *LOADED, *ON_GOLDEN)
    ran = spikeloom(*run, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert np.array_equal(np.load(files / "logits.npy"), RESULT.logits)
    summary = json.loads(ran.out)
    assert (summary["heads"], summary["mismatches"]) == (12, 0)
    assert summary["label"] == LABELS.tolist()
    text = spikeloom(*run).out
    assert "cycles an image (" in text
    assert re.search(r"with the line: [\d.]+ us an image, [\d,.]+ a second", text)


def test_evaluate_on_a_board(spikeloom, files):
    found = json.loads(spikeloom(*EVALUATE, *LOADED, *ON_GOLDEN, "--json").out)
    assert (found["backend"], found["mismatches"], found["accuracy"]) == ("board", 0, 1)
    assert (found["cycles"], found["images"]) == (1000, 12)


@pytest.mark.long
@pytest.mark.parametrize("place", [("rtl",), ("board", "--port", "sim")], ids=lambda one: one[0])
def test_evaluate_in_a_simulator(spikeloom, tmp_path, place):
    """All images in one simulation; in Verilog each takes the cycles of the formula."""
    file.save(tmp_path / "net.safetensors", GRAPH)
    np.save(tmp_path / "x.npy", IMAGES)
    np.save(tmp_path / "y.npy", LABELS)
    found = json.loads(spikeloom(*EVALUATE, "--backend", *place, "--json").out)
    assert (found["backend"], found["images"], found["accuracy"]) == (place[0], 12, 1)
    assert found["mismatches"] == 0
    assert found["cycles_differ"] == (0 if place == ("rtl",) else None)
    assert found["cycles_min"] < found["cycles"] < found["cycles_max"]


def test_other_cycles_fail(spikeloom, files, monkeypatch):
    from spikeloom_cli import evaluate

    class Slow(Golden):
        name = "slow"

        def run(self, core, batch, progress=lambda done, total: None):
            runs = super().run(core, batch, progress)
            runs[3].timing = 1001
            return runs

    monkeypatch.setattr(evaluate, "find_backend", lambda name, **options: Slow())
    ran = spikeloom(*EVALUATE, "--backend", "rtl")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "cycles of 1 images are not the formula's" in ran.err
    assert "of 12 images, 1 took other cycles than the formula gives" in ran.out


def test_selftest(spikeloom, files):
    ran = spikeloom("selftest", "net.safetensors", "--port", "golden", *LOADED)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("small-net at 8 MHz")
    assert ran.out.count(" images/s") == 5


@pytest.mark.parametrize(
    "command",
    [
        ("build", "net.safetensors", "--board", "icestick", "-o", "out"),
        ("build", "net.safetensors", "--board", "ulx3s-25f", "--top", "self-test", "-o", "out"),
        ("generate", "net.safetensors", "--board", "icebreaker", "-o", "out"),
    ],
)
def test_no_self_test(spikeloom, files, command):
    ran = spikeloom(*command)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "self-test" in ran.err or "no preset" in ran.err
    assert not (files / "out").exists()
