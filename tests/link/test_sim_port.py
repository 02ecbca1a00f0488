"""The driver against the RTL of link and core, over the UART pins."""

import subprocess
from contextlib import suppress

import numpy as np
import pytest

from spikeloom.cores.ssa import SSA
from spikeloom.link.frames import FrameDecoder, encode_frame
from spikeloom.link.identity import Identity
from spikeloom.link.protocol import CRC_BYTES, LAST, Code, Command, State, chunks_of
from spikeloom_boards.driver import Device, PortError
from spikeloom_boards.driver.golden_port import GoldenPort
from spikeloom_boards.driver.line import LineLoad
from spikeloom_boards.driver.sim_port import SimPort

from .bad_requests import BAD_REQUESTS, answers, ask
from .fuzz import fuzz
from .ports import KeptPort, RecordingPort

# 4 KB of each operand: sixteen steps, of which the core takes two before it starts.
CONFIG = SSA(tokens=32, head_dim=64, steps=16, cells=4)
SMALL = SSA(tokens=4, head_dim=8, steps=2)


@pytest.fixture(scope="module")
def large():
    """A simulated device of `CONFIG`."""
    port = SimPort(CONFIG)
    yield KeptPort(port)
    port.close()


@pytest.fixture(scope="module")
def small():
    """A simulated device of `SMALL`."""
    port = SimPort(SMALL, silence=20)
    yield KeptPort(port)
    port.close()


def session(port, seeds):
    """Runs of random operands, each compared with the golden model."""
    with Device(port) as device:
        for seed in seeds:
            operands = device.config.random_operands(np.random.default_rng(seed))
            run = device.run(**operands, seed=seed)
            expected = device.config.with_seed(seed).compute(**operands)["o"]
            assert np.array_equal(run.outputs["o"], expected)
    return run


def test_same_bytes_as_the_golden_device(small):
    small.reset()
    transcripts = []
    for port in (RecordingPort(small), RecordingPort(GoldenPort(SMALL))):
        session(port, (1, 2, 2**64 - 1))
        transcripts.append(port.transcript)
    assert len(transcripts[0]) > 50
    assert transcripts[0] == transcripts[1]


def test_same_answers_to_bad_requests(small):
    small.reset()
    found = answers(small)
    assert [answer[1] for answer in found] == [code for _, code in BAD_REQUESTS]


@pytest.mark.long
def test_more_than_fits_on_chip(large):
    session(large, (1, 2))


def test_a_repeated_request_is_not_acted_on_twice(small):
    """Every request of a run is sent twice: answers are equal, operands and run are used once."""
    small.reset()
    operands = SMALL.random_operands(np.random.default_rng(0))
    output = SMALL.outputs["o"].to_bytes(SMALL.compute(**operands)["o"])
    requests = [(Command.IDENTIFY,), (Command.RESET,)]
    for number, (name, port) in enumerate(SMALL.inputs.items()):
        for data, last in chunks_of(port.pack(operands[name]), 8):
            requests.append((Command.WRITE, number | LAST * last, data))
    requests += [(Command.START, 0, (1).to_bytes(8, "little")), (Command.READ, len(output) - 1)]
    requests += [(Command.STATUS,), (Command.READ, 0)]

    decoder = FrameDecoder()
    answered = []
    for sequence, request in enumerate(requests):
        answered.append(ask(small, decoder, sequence, *request))
        assert ask(small, decoder, sequence, *request) == answered[-1]
    read, status, nothing = answered[-3:]
    assert read[3:] == output
    assert int.from_bytes(status[3:], "little") == SMALL.cycles()
    assert nothing[1] == Code.BUSY


def test_a_chunk_without_room_is_refused_without_side_effects(large):
    """Before the core starts, with all its memories and the link's buffers full."""
    refused = []

    def push(done, total):
        device._session.ask(Command.STATUS, answer=None)
        if not refused and not device._session.state & (State.ROOM | State.RUNNING):
            for stream in range(3):
                code, _ = device._session.ask(Command.WRITE, stream | LAST, bytes([0xFF] * 256))
                refused.append(code)

    operands = CONFIG.random_operands(np.random.default_rng(4))
    with Device(large) as device:
        run = device.run(**operands, progress=push)
    assert refused == [Code.BUSY] * 3
    assert np.array_equal(run.outputs["o"], CONFIG.compute(**operands)["o"])


def test_payload_efficiency(large):
    """At least 90 % of the line's time is payload, with every answer waited for: three tensors of
    4 KB go in and one comes out. The whole run takes what `LineLoad` says, escapes and BUSY
    answers aside."""
    large.reset()
    port = RecordingPort(large)
    begun = None

    def progress(done, total):
        nonlocal begun
        begun = begun or (done, large.clock)

    operands = CONFIG.random_operands(np.random.default_rng(0))
    with Device(port) as device:
        port.transcript.clear()
        opened = large.clock
        device.run(**operands, progress=progress)
    clocks = large.clock - opened
    load = LineLoad.of(CONFIG, device.hz // large.divisor)
    assert useful_bytes(port.transcript) == load.bytes
    print(f"{clocks / device.hz * 1e6:.0f} us simulated, {load.us:.0f} us by formula")
    assert load.us <= clocks / device.hz * 1e6 < 1.05 * load.us
    payload = (4 * 4096 - begun[0]) * 10 * large.divisor
    efficiency = payload / (large.clock - begun[1])
    print(f"payload efficiency {100 * efficiency:.1f} %")
    assert efficiency >= 0.9


def useful_bytes(transcript):
    """Bytes of a recorded session without escapes and requests answered BUSY."""
    total, request = 0, 0
    decoders = {">": FrameDecoder(), "<": FrameDecoder()}
    for way, data in transcript:
        for content in decoders[way].feed(data):
            size = len(content) + CRC_BYTES + 2
            if way == ">":
                request = size
            elif content[1] == Code.OK:
                total += request + size
    return total


def test_a_request_during_an_answer_is_dropped(small):
    """It does not affect the answer, although it is valid and next in sequence."""
    small.reset()
    requests = (1, Command.IDENTIFY), (2, Command.STATUS)
    small.write(b"".join(encode_frame(bytes([*request, 0])) for request in requests))
    decoder = FrameDecoder()
    found = []
    while data := small.read():
        found += decoder.feed(data)
    assert [answer[0] for answer in found] == [1]
    assert Identity.from_bytes(found[0][3:]).config == SMALL
    assert ask(small, decoder, 2, Command.STATUS)[1] == Code.OK


def test_round_trip(small):
    """Only the bytes on the line count: 9 of a STATUS, 15 of its answer."""
    small.reset()
    decoder = FrameDecoder()
    ask(small, decoder, 1, Command.IDENTIFY)
    begun = small.clock
    ask(small, decoder, 2, Command.STATUS)
    took = small.clock - begun
    print(f"a STATUS takes {took} clocks, its bytes {24 * 10 * small.divisor}")
    assert took <= 24 * 10 * small.divisor + 10


@pytest.mark.parametrize("cut", [1, 2, 4, 9])
def test_reset_in_the_middle_of_a_frame(small, cut):
    """The rest of the frame arrives after the reset; the frame after the next is answered."""
    frame = encode_frame(bytes([1, Command.WRITE, 0]) + bytes(range(20)))
    identify = encode_frame(bytes([9, Command.IDENTIFY, 0]))
    small.write(frame)
    small.let_pass(cut * 10 * small.divisor + 3 * small.divisor)
    small.reset()
    small.write(identify + identify)
    decoder = FrameDecoder()
    found = []
    while data := small.read():
        found += decoder.feed(data)
    assert found
    assert found[0][:2] == bytes([9, 0])


def test_fuzz_slice(small):
    """A short version of `test_soak`."""
    small.reset()
    outcome = fuzz(small, damaged=500, seed=1)
    assert sum(outcome.damaged.values()) >= 500
    assert outcome.runs > 10
    assert min(outcome.damaged.values()) > 2


def test_a_simulation_that_dies(small, monkeypatch):
    process = subprocess.Popen(["true"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    monkeypatch.setattr(small._port, "_process", process)
    with pytest.raises(PortError, match=r"sim: the simulation died \(exit code 0\)"):
        Device(small)
    process.stdout.close()
    with suppress(BrokenPipeError):
        process.stdin.close()
