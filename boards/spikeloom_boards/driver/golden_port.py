"""A device in software: the link protocol around a golden model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spikeloom.link.frames import FrameDecoder, encode_frame
from spikeloom.link.identity import Identity, input_ports
from spikeloom.link.protocol import (
    CYCLE_BYTES,
    DEFAULT_BAUD,
    HEADER,
    LAST,
    MAX_PAYLOAD,
    SEED_BYTES,
    Code,
    Command,
    State,
    bytes_of,
)
from spikeloom.link.slots import join_outputs

if TYPE_CHECKING:
    from spikeloom.contract import Core

DIVISOR = 8  # clocks per bit, as in the simulated device
BYTE = 10 * DIVISOR  # clocks


class GoldenPort:
    """Replaces a serial port; time is counted in bytes on the line.

    Its buffers never fill. A run ends the core's number of cycles after the start, or after the
    last operand arrived.

    Parameters
    ----------
    config : the core's configuration.
    """

    name = "golden"

    def __init__(self, config: Core) -> None:
        self._config = config.settled()
        self._hz = DIVISOR * DEFAULT_BAUD
        self._identity = Identity.of(self._config, self._hz)
        self._decoder = FrameDecoder()
        self._line = b""
        self._clock = 0
        self._session = False
        self._sequence = 0
        self._command: int | None = None
        self._last_answer = (Code.OK, b"")
        self._loaded: set[str] = set()  # streams that are loaded once and complete
        self._reset()

    def write(self, data: bytes) -> None:
        """Receive bytes from the host."""
        for byte in data:
            self._clock += BYTE
            for content in self._decoder.feed(bytes([byte])):
                sequence, command, argument = content[:HEADER]
                answer = encode_frame(self._answer(sequence, command, argument, content[HEADER:]))
                self._line += answer
                self._clock += BYTE * len(answer)

    def read(self) -> bytes:
        """Bytes waiting for the host; empty if there are none."""
        data, self._line = self._line, b""
        return data

    def now(self) -> float:
        """Seconds."""
        return self._clock / self._hz

    def close(self) -> None:
        """Nothing to close."""

    def _answer(self, sequence, command, argument, payload):
        """Content of the answer to a request."""
        if command == Command.IDENTIFY or (
            self._session and sequence == (self._sequence + 1) % 256
        ):
            self._session, self._command = True, command
            self._last_answer = self._act(command, argument, payload)
        elif not (self._session and (sequence, command) == (self._sequence, self._command)):
            self._session, self._last_answer = False, (Code.SEQUENCE, b"")
        self._sequence = sequence
        code, data = self._last_answer
        return bytes([sequence, code, self._state()]) + data

    def _act(self, command, argument, payload):
        """Execute a request; returns the code and payload of the answer."""
        number, last = argument & ~LAST, bool(argument & LAST)
        lengths = {Command.WRITE: range(1, MAX_PAYLOAD + 1), Command.START: [SEED_BYTES]}
        if command not in list(Command) or (
            command == Command.WRITE and number >= len(self._written)
        ):
            return Code.UNKNOWN, b""
        if len(payload) not in lengths.get(command, [0]):
            return Code.LENGTH, b""
        if command == Command.IDENTIFY:
            return Code.OK, self._identity.to_bytes()
        if command == Command.STATUS:
            return Code.OK, self._status()
        if command == Command.RESET:
            self._reset()
        if command == Command.WRITE:
            self._written[number] += payload
            self._ends[number] += [len(self._written[number])] * last
            self._compute()
        if command == Command.START:
            if self._running(self._clock) or self._loaded != set(self._config.loads):
                return Code.BUSY, b""
            self._seed = int.from_bytes(payload, "little")
            self._compute()
        if command == Command.READ:
            if self._running(self._clock) or len(self._output) <= argument:
                return Code.BUSY, b""
            data, self._output = self._output[: argument + 1], self._output[argument + 1 :]
            return Code.OK, data
        return Code.OK, b""

    def _reset(self):
        """Discard operands, run and output."""
        self._written = [b""] * len(self._identity.inputs)
        self._ends = [[] for _ in self._written]
        self._seed: int | None = None
        self._output = b""
        self._flags = dict.fromkeys(self._identity.flags, 0)
        self._cycles = self._finish = 0

    def _compute(self):
        """Run the golden model when the seed and all operands have arrived."""
        ports = input_ports(self._config)
        for number, (name, port) in enumerate(ports.items()):
            frame = port.frame_beats * port.beat_bytes
            written = min(len(self._written[number]), self._size(port))
            ends = [end for end in self._ends[number] if end <= self._size(port)]
            if ends != list(range(frame, written + 1, frame)):  # the next run's are not checked
                self._flags["misframed"] = 1
            if name in self._config.loads and written:
                self._loaded.discard(name)
                if written == self._size(port):
                    self._take(number, port)
                    self._loaded.add(name)
        if self._flags.get("misframed"):
            self._loaded.clear()
        numbers = {name: n for n, name in enumerate(ports)}
        needed = self._config.inputs
        if self._seed is None or any(
            len(self._written[numbers[name]]) < self._size(port) for name, port in needed.items()
        ):
            return
        operands = {
            name: port.from_bytes(self._take(numbers[name], port)) for name, port in needed.items()
        }
        core = self._config.with_seed(self._seed)
        results = core.compute(**operands)
        self._output += join_outputs(core.outputs, results)
        for name in results.keys() & core.flags.keys():
            limit = 2 ** core.flags[name].bits - 1
            self._flags[name] = min(self._flags[name] + int(results[name]), limit)
        self._cycles = core.cycles(**operands)
        self._finish = self._clock + self._cycles
        self._seed = None

    def _size(self, port):
        """Bytes of a tensor."""
        return port.beats * port.beat_bytes

    def _take(self, number, port):
        """The bytes of the first tensor that was written to a stream."""
        size = self._size(port)
        data, self._written[number] = self._written[number][:size], self._written[number][size:]
        self._ends[number] = [end - size for end in self._ends[number] if end > size]
        return data

    def _status(self):
        """Cycles and flags in the format of a STATUS answer."""
        flags = (
            self._flags[name].to_bytes(bytes_of(bits), "little")
            for name, bits in self._identity.flags.items()
        )
        return self._cycles.to_bytes(CYCLE_BYTES, "little") + b"".join(flags)

    def _running(self, clock):
        return self._seed is not None or clock < self._finish

    def _state(self):
        """The state byte, for the time at which two bytes of the answer have been sent."""
        room = (1 << len(self._written)) - 1
        running = self._running(self._clock + 2 * BYTE)
        loaded = bool(self._loaded) and self._loaded == set(self._config.loads)
        return room | State.RUNNING * running | State.LOADED * loaded
