"""Random configurations of every core and of small networks: valid ones work, others are refused.

`pytest -m slow tests/random --configurations 2000 --first 0` runs that many, in blocks that each
have the number of their first one in their name; to go on after an interruption, repeat the
command with `--lf`, or `--first` set to the first that is missing. Each block is a run of
hypothesis with the block's number as its seed, so the same block draws the same configurations.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from spikeloom.cores import all_cores
from spikeloom.errors import InputError
from spikeloom_cli.main import main
from tests.networks.test_engine_rtl import check as check_images
from tests.random.design import check_design
from tests.random.strategies import CYCLES, OPTIONS, cores, mistaken_settings, networks

NETLISTS = st.sampled_from([None] * 36 + ["ice40", "ecp5", "gowin", "gatemate"])
LANE_CYCLES = 150_000  # of a network, an image, whose netlist takes Icarus minutes


def quietly(examples):
    """Settings of hypothesis for `examples` that take long."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )


def test_valid(block):
    """Linters are silent; Verilog, and some netlists, equal the golden model, cycles exactly."""
    kind, number, size = block
    drawn = networks() if kind == "network" else cores(all_cores()[kind])
    passed, refused = set(), set()

    @seed(number)
    @quietly(size)
    @given(drawn, OPTIONS, NETLISTS)
    def check(core, options, netlist):
        if getattr(core, "refusal", ""):
            assert "\n" not in core.refusal
            refused.add(core.refusal)
            return
        if kind == "network" and core.engines * core.lanes * core.cycles() > LANE_CYCLES:
            netlist = None
        with tempfile.TemporaryDirectory() as folder:
            check_design(core, options, netlist, Path(folder))
        passed.add((repr(core), options, netlist))

    begun = time.monotonic()
    check()
    netlists = sum(netlist is not None for *_, netlist in passed)
    print(f"{len(passed)} of {kind}, {netlists} netlists, {time.monotonic() - begun:.0f} s")
    print(*sorted(refused), sep="\n")


def test_networks_differ():
    """Each draw is another network, with a core of its own."""
    drawn = []

    @seed(1)
    @quietly(40)
    @given(networks())
    def draw(core):
        drawn.append(core)

    draw()
    assert len({core.DIGEST for core in drawn}) > 30
    assert len({core.GRAPH.tokens for core in drawn}) > 3


@pytest.mark.slow
@pytest.mark.parametrize("number", range(20))
def test_many_images(number):
    """Some faults of an engine show in one image of a hundred: 40 images each of ten networks."""

    @seed(number)
    @quietly(10)
    @given(networks(20 * CYCLES))
    def check(core):
        if not core.refusal:
            rng = np.random.default_rng(number)
            shares = (0.5, 0.3) * 20
            images = [core.random_operands(rng, share)["image"] for share in shares]
            keys = {key: getattr(core, key) for key in ("lanes", "engines", "weights")}
            check_images(core.GRAPH, images, **keys)

    check()


QUICK = ("ssa", "spiking_neurons")  # of whose mistakes a few are drawn by default
MISTAKES = [
    *(pytest.param(name, 10, id=f"{name}-few") for name in QUICK),
    *(pytest.param(name, 200, id=name, marks=pytest.mark.long) for name in all_cores()),
]


def line_of(kind, given_):
    """The refusal of `given_`, one short line; empty if it is valid."""
    try:
        core = kind.from_settings(given_)
    except InputError as error:
        text = str(error)
        assert text.splitlines() == [text]
        assert len(text) < 1000
        assert text.startswith(f"{kind.NAME}: ") or kind.NAME in text
        return text
    assert kind.from_settings(core.as_dict()) == core
    return ""


def text_of(value):
    """The value on the command line; Python has no decimal text for the largest numbers."""
    return hex(value) if isinstance(value, int) and abs(value) > 2**9999 else str(value)


@pytest.mark.parametrize(("name", "count"), MISTAKES)
def test_mistaken(name, count, capsys, tmp_path):
    """One line says what is wrong, in Python and on the command line, and nothing is written."""
    kind = all_cores()[name]
    refused = set()

    @seed(count)
    @quietly(count)
    @given(mistaken_settings(kind), st.integers(0, 9))
    def check(given_, chance):
        if not line_of(kind, given_):
            return
        texts = {key: text_of(value) for key, value in given_.items()}
        refused.add(str(texts))
        if chance or not line_of(kind, texts):  # the command line is slow
            return
        words = [word for key, value in texts.items() for word in ("--set", f"{key}={value}")]
        code = main(["generate", name, "-o", str(tmp_path / "out"), *words])
        assert (code, capsys.readouterr().err.count("\n")) == (2, 1)

    check()
    assert list(tmp_path.iterdir()) == []
    print(f"{len(refused)} of {name} refused")
    assert len(refused) > count // 4
