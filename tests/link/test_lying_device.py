"""The driver and a device that lies: whatever it sends, one line, in bounded time and memory.

Each case is a device that behaves until a certain request and then tells one kind of lie, in frames
whose CRC is right: what a broken, a foreign or a future device may send.
"""

import json
import random
import tracemalloc

import numpy as np
import pytest

from spikeloom.cores.ssa import SSA
from spikeloom.errors import InputError, JobError
from spikeloom.link.frames import FrameDecoder, encode_frame
from spikeloom.link.identity import Identity
from spikeloom.link.protocol import HEADER, Code
from spikeloom_boards.driver import Device
from spikeloom_boards.driver.golden_port import GoldenPort

SMALL = SSA(tokens=4, head_dim=8, steps=2)
SECONDS = 30  # of the port's time, that a session may take: eight for the run, and tries
MEMORY = 4_000_000  # bytes
DEEP = b'{"protocol":' + b"[" * 30_000


class LyingPort(GoldenPort):
    """From answer number `start` on, sends what `lie` makes of the contents of the answers."""

    def __init__(self, lie, start, rng):
        super().__init__(SMALL)
        self._lie, self._start, self._rng = lie, start, rng
        self._decoder_of_answers = FrameDecoder()
        self._count = 0

    def read(self):
        sent = b""
        for content in self._decoder_of_answers.feed(super().read()):
            honest = self._count < self._start
            sent += encode_frame(content) if honest else self._lie(content, self._rng)
            self._count += 1
        self._clock += self._hz // 50  # slow, so that patience ends after few requests
        return sent


def header(place, value):
    """Replace a byte of the header by `value`, or by a random one."""

    def lie(content, rng):
        changed = bytearray(content)
        changed[place] = rng.randrange(256) if value is None else value
        return encode_frame(bytes(changed))

    return lie


def payload(change):
    """Replace the payload."""
    return lambda content, rng: encode_frame(content[:HEADER] + change(content[HEADER:], rng))


def busy_with_payload(content, rng):
    return encode_frame(content[:1] + bytes([Code.BUSY]) + content[2:] + b"123")


LIES = {
    "sequence": header(0, None),
    "code": header(1, None),
    "code of the future": header(1, 77),
    "busy for ever": header(1, Code.BUSY),
    "sequence refused": header(1, Code.SEQUENCE),
    "busy with a payload": busy_with_payload,
    "state": header(2, None),
    "no room for ever": header(2, 0),
    "all bits of the state": header(2, 255),
    "no payload": payload(lambda old, rng: b""),
    "a byte less": payload(lambda old, rng: old[:-1]),
    "a byte more": payload(lambda old, rng: old + b"\0"),
    "a payload of any length": payload(lambda old, rng: rng.randbytes(rng.randrange(600))),
    "a large payload": payload(lambda old, rng: bytes(60_000)),
    "other bytes": payload(lambda old, rng: rng.randbytes(len(old))),
    "wrong CRC": lambda content, rng: encode_frame(content)[:-3] + rng.randbytes(2) + b"~",
    "no header": lambda content, rng: encode_frame(content[: rng.randrange(3)]),
    "frames without end": lambda content, rng: encode_frame(bytes(3)) * 500,
    "bytes without a flag": lambda content, rng: bytes(2000),
    "flags": lambda content, rng: b"~" * 2000,
    "escapes": lambda content, rng: b"~" + b"}" * 2000 + b"~",
    "the answer twice": lambda content, rng: encode_frame(content) * 2,
    "silence": lambda content, rng: b"",
}


def meet(port):
    """Open the device and run it; what is accepted has the right form, what is refused one line."""
    operands = SMALL.random_operands(np.random.default_rng(1))
    begun = port.now()
    try:
        with Device(port) as device:
            for run in device.runs([operands] * 2, [1, 2]):
                assert run.outputs["o"].shape == SMALL.outputs["o"].shape
                assert set(np.unique(run.outputs["o"])) <= {0, 1}
        message = ""
    except (JobError, InputError) as error:
        message = str(error)
    assert message.splitlines() in ([], [message])
    assert len(message) < 1000
    assert port.now() - begun < SECONDS
    return message


@pytest.mark.parametrize("name", LIES)
def test_lies(name):
    """From the first answer on, and from later ones."""
    for start in (0, 2, 7):
        meet(LyingPort(LIES[name], start, random.Random(start)))


@pytest.mark.parametrize(
    ("name", "start"),
    [("a byte less", 8), ("a byte more", 8), ("busy with a payload", 2), ("no payload", 5)],
)
def test_wrong_lengths_are_named(name, start):
    message = meet(LyingPort(LIES[name], start, random.Random(0)))
    assert "bytes, not" in message


def test_memory():
    """What a device sends without end is not kept."""
    for name in ("bytes without a flag", "frames without end", "a large payload"):
        tracemalloc.start()
        meet(LyingPort(LIES[name], 3, random.Random(0)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < MEMORY


IDENTITY = Identity.of(SMALL, 8_000_000)
FIELDS = json.loads(IDENTITY.to_bytes())
ODD = [
    *(None, True, 0, -1, 1.5, 10**400, float("nan"), float("inf"), "", "x", [], {}, [[1]]),
    *({"": 1}, {"q": "x"}, {"misframed": 10**12}, {"misframed": -1}, {"misframed": None}),
    *("a\nb", "\x1b[31m", "x" * 5000, "../" * 9, "spiked", "fashion-spikformer", ["q"], [None]),
]


def identities():
    """Answers to IDENTIFY in which one field is odd or absent, by what is odd."""
    for field in FIELDS:
        yield f"no {field}", {key: value for key, value in FIELDS.items() if key != field}
        for odd in ODD:
            yield f"{field} {str(odd)[:20]!r}", FIELDS | {field: odd}
    for key in FIELDS["config"]:
        for odd in ODD:
            config = FIELDS["config"] | {key: odd}
            yield f"config {key} {str(odd)[:20]!r}", FIELDS | {"config": config}
    yield "network", FIELDS | {"config": {"content": ["x"]}, "core": ["x"]}
    for content in ODD:
        yield "content", FIELDS | {"config": FIELDS["config"] | {"content": content}}


def refusal(data):
    """Why `Identity.from_bytes` refuses an answer, in one line; empty if it does not."""
    try:
        Identity.from_bytes(data)
        message = ""
    except JobError as error:
        message = str(error)
    assert message.splitlines() in ([], [message])
    assert len(message) < 1000
    return message


def test_identities():
    for name, fields in identities():
        answer = json.dumps(fields).encode()
        try:
            if not refusal(answer):  # such as another version: it must not disturb a session
                meet(LyingPort(payload(lambda old, rng, new=answer: new), 0, random))
        except Exception as error:
            raise AssertionError(name) from error


RAW = {
    "empty": b"",
    "not JSON": b"{",
    "not UTF-8": b"\xff\xfe{",
    "deep": DEEP,
    "a list": b"[1, 2]",
    "a number": b"1" * 5000,
    "null": b"null",
    "duplicate keys": IDENTITY.to_bytes()[:-1] + b',"protocol":9}',
    "the future": IDENTITY.to_bytes().replace(b'"protocol":3', b'"protocol":4,"new":[]'),
    "NUL": bytes(500),
}


@pytest.mark.parametrize("case", RAW)
def test_answers_that_are_no_identity(case):
    message = refusal(RAW[case])
    assert "is not understood" in message
    assert "build it anew" in message


@pytest.mark.long
@pytest.mark.parametrize("part", range(5))
def test_many_lies(part):
    """Any lie of the list at any time, and changes of single bytes of the identity."""
    rng = random.Random(part)
    for _ in range(400):
        name = rng.choice(list(LIES))
        meet(LyingPort(LIES[name], rng.randrange(20), rng))
        changed = bytearray(IDENTITY.to_bytes())
        for _ in range(rng.randint(1, 3)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        meet(LyingPort(payload(lambda old, r, new=bytes(changed): new), 0, rng))
