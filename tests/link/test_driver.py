"""The driver with the golden port: results, line faults, error messages."""

import numpy as np
import pytest

from spikeloom.cores.a2os2a import A2OS2A
from spikeloom.cores.a2os2a_block import A2OS2ABlock
from spikeloom.cores.spiked import Spiked
from spikeloom.cores.ssa import SSA
from spikeloom.errors import InputError, JobError
from spikeloom.link.frames import encode_frame
from spikeloom.link.identity import Identity
from spikeloom.link.protocol import Code
from spikeloom_boards.driver import (
    Device,
    LinkError,
    NoAnswerError,
    SessionLostError,
    WrongBitstreamError,
    line,
)
from spikeloom_boards.driver.backend import run_batch
from spikeloom_boards.driver.golden_port import GoldenPort
from spikeloom_boards.driver.jobs import self_test
from spikeloom_boards.driver.line import LineLoad

from .bad_requests import BAD_REQUESTS, answers
from .ports import FaultyPort

SMALL = SSA(tokens=4, head_dim=8, steps=2)
CONFIGS = [
    SMALL,
    SSA(tokens=9, head_dim=5, value_dim=12, steps=7, mask="causal"),
    SSA(tokens=3, head_dim=6, steps=4, input_kind="values"),
    SSA(tokens=40, head_dim=64, steps=3),  # tensors of more than one frame
    SSA(tokens=6, head_dim=8, steps=5, engine="sampled", lanes=4, steps_at_once=2),
    SSA(tokens=6, head_dim=8, steps=5, engine="sampled", feed="diagonals"),
    A2OS2A(tokens=5, head_dim=6, value_dim=9, k_bits=3),
    A2OS2A(tokens=3, head_dim=4, k_bits=16, steps=2, acc_bits=64),
    A2OS2ABlock(tokens=3, head_dim=4, value_dim=6, steps=2),
    Spiked(tokens=4, head_dim=3, value_dim=5, heads=2),
]


def check(device, seed):
    """One run of random operands equals the golden model."""
    operands = device.config.random_operands(np.random.default_rng(seed))
    run = device.run(**operands, seed=seed)
    expected = device.config.with_seed(seed).compute(**operands)["o"]
    assert run.outputs["o"].dtype == expected.dtype
    assert np.array_equal(run.outputs["o"], expected)
    return run


@pytest.mark.parametrize("config", CONFIGS, ids=repr)
def test_runs_every_core(config):
    with Device("golden", config) as device:
        for seed in (1, 2**64 - 1):
            check(device, seed)
        assert device.config == config.settled()
        assert len(self_test(device)) == 5


def test_heads_take_following_seeds():
    rng = np.random.default_rng(0)
    heads = [SMALL.random_operands(rng) for _ in range(3)]
    seen = []
    with Device("golden", SMALL) as device:
        runs = run_batch(device, SMALL, heads, lambda *done: seen.append(done))
    for n, head in enumerate(heads):
        assert np.array_equal(runs[n].outputs["o"], SMALL.with_seed(1 + n).compute(**head)["o"])
    assert len(runs) == 3
    assert seen == sorted(seen)
    assert seen[-1] == (3 * 32, 3 * 32)  # 24 bytes in and 8 out for each head


@pytest.mark.parametrize("kind", FaultyPort.EITHER_WAY)
def test_faults_on_the_line_change_nothing(kind):
    port = FaultyPort(GoldenPort(SMALL), rate=0.15, seed=len(kind), kinds=[kind])
    with Device(port) as device:
        for seed in range(1, 21):
            check(device, seed)
    assert port.damaged[kind] > 30


class LatePort(GoldenPort):
    """Delays every third answer until the host repeats its request."""

    count = 0

    def read(self):
        self.count += 1
        return b"" if self.count % 3 == 0 else super().read()


def test_late_answers_are_told_apart():
    with Device(LatePort(SMALL)) as device:
        for seed in range(1, 8):
            check(device, seed)


class SilentPort(GoldenPort):
    """Accepts all bytes and never answers."""

    def read(self):
        return b""


class NoisyPort(GoldenPort):
    """Sends random bytes without end."""

    def read(self):
        return bytes(range(256)) * 4


@pytest.mark.parametrize("port", [SilentPort, NoisyPort])
def test_no_answer(port):
    with pytest.raises(NoAnswerError, match="no answer to 8 requests; is a bitstream"):
        Device(port(SMALL))


def test_wrong_bitstream_names_both():
    wanted = SSA(tokens=4, head_dim=8, steps=3)
    message = r"bitstream is ssa [0-9a-f]{16}, expected [0-9a-f]{16}: steps = 2, not 3;"
    with pytest.raises(WrongBitstreamError, match=message):
        Device(GoldenPort(SMALL), wanted)
    with pytest.raises(WrongBitstreamError, match=r"bitstream is ssa [0-9a-f]{16}, expected spike"):
        Device(GoldenPort(SMALL), Spiked(tokens=4, head_dim=8))


def test_the_seed_is_no_part_of_the_bitstream():
    with Device(GoldenPort(SMALL), SMALL.with_seed(99)):
        pass


def test_tensors_of_another_shape():
    rng = np.random.default_rng(0)
    operands = SSA(tokens=4, head_dim=8, steps=3).random_operands(rng)
    with Device("golden", SMALL) as device:
        with pytest.raises(InputError, match=r"q: shape \(3, 4, 8\) is not \(2, 4, 8\)"):
            device.run(**operands)
        check(device, 1)


def test_session_lost():
    port = GoldenPort(SMALL)
    with Device(port) as device:
        port.write(encode_frame(bytes([200, 5, 0])))  # another host
        with pytest.raises(SessionLostError, match="golden: the device was reset, or another prog"):
            check(device, 1)


def test_misplaced_last_is_an_error():
    port = GoldenPort(SMALL)
    with Device(port) as device:
        port._flags["misframed"] = 1
        with pytest.raises(LinkError, match="found `last` where no tensor ends"):
            check(device, 1)


class StuckPort(GoldenPort):
    """A core that, once started, never ends."""

    def _running(self, clock):
        self._clock += self._hz // 10
        return self._cycles > 0


def test_a_core_that_hangs():
    with Device(StuckPort(SMALL)) as device:
        for message in (
            r"no output for 2\.0 s",
            "an earlier run is unfinished; open the device anew",
        ):
            with pytest.raises(LinkError, match=message):
                check(device, 1)


def test_device_of_another_version():
    data = Identity.of(SMALL, 8_000_000).to_bytes()
    assert Identity.from_bytes(data).config == SMALL
    for damaged in (
        data.replace(b'"protocol":3', b'"protocol":2'),
        data.replace(b'"protocol":3', b'"protocol":9'),
        data.replace(b',"flags":{"misframed":1}', b""),
        data.replace(b'"tokens":4', b'"tokens":5'),
        data.replace(b'"steps"', b'"stops"'),
        data[:-5],
    ):
        with pytest.raises(JobError, match=r"not understood .*; build it anew"):
            Identity.from_bytes(damaged)


def test_a_simulated_device_needs_a_configuration():
    with pytest.raises(
        InputError, match="--port golden simulates a device: name its core and keys"
    ):
        Device("golden")


def test_codes_of_bad_requests():
    """Answers of the golden device to invalid requests; the RTL must give the same."""
    codes = [answer[1] for answer in answers(GoldenPort(SMALL))]
    assert codes == [code for _, code in BAD_REQUESTS]
    assert set(codes) == set(Code)


@pytest.mark.parametrize(
    "config",
    [
        SSA(tokens=8, head_dim=5, steps=23),
        SSA(tokens=8, head_dim=5, steps=23, engine="sampled", steps_at_once=5),
        SSA(tokens=8, head_dim=5, steps=23, input_kind="values"),
        A2OS2A(tokens=5, head_dim=6, steps=9),
        A2OS2ABlock(tokens=5, head_dim=6, steps=9),
    ],
    ids=repr,
)
def test_line_load_of_many_steps_is_that_of_each(config, monkeypatch):
    direct = LineLoad.of(config, 1_000_000)
    monkeypatch.setattr(line, "MANY", 0)
    assert LineLoad.of(config, 1_000_000) == direct


def test_line_load_of_very_many_steps():
    """The bytes are computed without allocating the spikes."""
    load = LineLoad.of(SSA(tokens=64, head_dim=64, steps=10**7), 1_000_000)
    assert load.bytes == pytest.approx(10**7 * 2200, rel=0.01)
