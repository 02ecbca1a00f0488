"""Invalid requests for a device with three input streams, and the codes of their answers."""

from spikeloom.link.frames import FrameDecoder, encode_frame
from spikeloom.link.protocol import LAST, MAX_PAYLOAD, SEED_BYTES, Code, Command

# (content after the sequence's step, code). Steps: 1 next, 0 again, others out of order.
BAD_REQUESTS = [
    ((1, Command.STATUS, 0, b""), Code.SEQUENCE),  # before any IDENTIFY
    ((1, Command.IDENTIFY, 0, b""), Code.OK),
    ((1, Command.IDENTIFY, 0, b"?"), Code.LENGTH),
    ((1, Command.RESET, 0, b"?"), Code.LENGTH),
    ((1, Command.STATUS, 0, bytes(300)), Code.LENGTH),
    ((1, 0, 0, b""), Code.UNKNOWN),
    ((1, 7, 0, b""), Code.UNKNOWN),
    ((1, 0x13, 0, b"\0"), Code.UNKNOWN),
    ((1, Command.WRITE, 3, b"\0"), Code.UNKNOWN),
    ((1, Command.WRITE, 4, b"\0"), Code.UNKNOWN),
    ((1, Command.WRITE, 0x40, b"\0"), Code.UNKNOWN),
    ((1, Command.WRITE, 0, b""), Code.LENGTH),
    ((1, Command.WRITE, 0, bytes(MAX_PAYLOAD + 1)), Code.LENGTH),
    ((1, Command.WRITE, 0, bytes(1000)), Code.LENGTH),
    ((1, Command.START, 0, bytes(SEED_BYTES - 1)), Code.LENGTH),
    ((1, Command.START, 0, bytes(SEED_BYTES + 1)), Code.LENGTH),
    ((1, Command.READ, 0, b""), Code.BUSY),
    ((0, Command.READ, 0, b""), Code.BUSY),
    ((1, Command.READ, 0, b"?"), Code.LENGTH),
    ((1, Command.WRITE, 0 | LAST, bytes(4)), Code.OK),
    ((0, Command.WRITE, 0 | LAST, bytes(4)), Code.OK),
    ((1, Command.START, 0, bytes(SEED_BYTES)), Code.OK),
    ((0, Command.START, 0, bytes(SEED_BYTES)), Code.OK),
    ((1, Command.START, 0, bytes(SEED_BYTES)), Code.BUSY),
    ((1, Command.RESET, 0, b""), Code.OK),
    ((0, Command.STATUS, 0, b""), Code.SEQUENCE),  # another command with the latest number
    ((1, Command.STATUS, 0, b""), Code.SEQUENCE),  # no session any more
    ((1, Command.IDENTIFY, 0, b""), Code.OK),
    ((2, Command.STATUS, 0, b""), Code.SEQUENCE),
]


def answers(port):
    """Contents of the answers to `BAD_REQUESTS`, each asked once."""
    decoder = FrameDecoder()
    sequence = 0xFA  # to pass 0 on the way
    found = []
    for (step, *request), _ in BAD_REQUESTS:
        sequence = (sequence + step) % 256
        found.append(ask(port, decoder, sequence, *request))
    return found


def ask(port, decoder, sequence, command, argument=0, payload=b""):
    """Content of the answer to one request."""
    port.write(encode_frame(bytes([sequence, command, argument]) + payload))
    content = []
    while not content:
        data = port.read()
        assert data, f"no answer to request {sequence}"
        content = decoder.feed(data)
    assert len(content) == 1
    assert content[0][0] == sequence
    return content[0]
