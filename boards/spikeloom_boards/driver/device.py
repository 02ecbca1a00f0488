"""The driver: run a core on a device, with NumPy arrays as operands and results."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from spikeloom.backend import Run
from spikeloom.errors import InputError
from spikeloom.link.frames import FrameDecoder, encode_frame
from spikeloom.link.identity import Identity, config_hash, hardware_keys
from spikeloom.link.protocol import (
    HEADER,
    LAST,
    MAX_PAYLOAD,
    SEED_BYTES,
    Code,
    Command,
    State,
    chunks_of,
    read_status,
)

from .errors import LinkError, NoAnswerError, SessionLostError, WrongBitstreamError
from .open_port import open_port

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikeloom.backend import Progress
    from spikeloom.contract import Core

TRIES = 8  # number of times a request is sent before giving up
STALL_SECONDS = 2  # time without output, beyond that of a run, after which a core has hung
JUNK = 65536  # bytes without a valid answer after which the input is treated as noise


class Device:
    """A core that is connected to a port.

    Opening it identifies the device, compares its configuration with `config`, if given, and
    resets the core. Use it as a context manager, or call `close`.

    Parameters
    ----------
    port : a serial port ("/dev/ttyUSB1"); "sim" for the RTL in simulation or "golden" for the
        golden model behind the same protocol, which need `config`; or an object like `SimPort`.
    config : configuration that the device must have, except for the seed; None: any.
    baud, timeout : of a serial port; the timeout is the time in seconds to wait for an answer.

    Members
    -------
    config : the device's configuration. hz : its clock. version : Spikeloom version of the build.

    Raises
    ------
    PortError, NoAnswerError, WrongBitstreamError, SessionLostError : subclasses of `LinkError`,
    which is a `JobError`.
    """

    def __init__(self, port: Any, config: Core | None = None, **options: Any) -> None:
        self._port = open_port(port, config, **options) if isinstance(port, str) else port
        self._decoder = FrameDecoder()
        self._sequence = 0
        self._state = State(0)
        try:
            self._identity = Identity.from_bytes(self._ask(Command.IDENTIFY)[1])
            if config is not None:
                self.check(config)
            self._ask(Command.RESET)
        except BaseException:
            self._port.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def check(self, wanted: Core) -> None:
        """Raise `WrongBitstreamError` if the device's hardware differs from that of `wanted`."""
        self.check_core(wanted.NAME)
        actual, expected = config_hash(self.config), config_hash(wanted)
        if actual != expected:
            has, wants = hardware_keys(self.config), hardware_keys(wanted)
            differing = ", ".join(
                f"{key} = {has[key]}, not {wants[key]}" for key in has if has[key] != wants[key]
            )
            raise WrongBitstreamError(
                f"{self._port.name}: the bitstream is {wanted.NAME} {actual}, expected {expected}: "
                f"{differing}; load another (spikeloom build, spikeloom flash), or do not set "
                "these keys"
            )

    def check_core(self, core: str) -> None:
        """Raise `WrongBitstreamError` if the device has another core than `core`."""
        if core != self.config.NAME:
            raise WrongBitstreamError(
                f"{self._port.name}: the bitstream is {self.config.NAME} "
                f"{config_hash(self.config)}, expected {core}; load another (spikeloom build, "
                "spikeloom flash)"
            )

    @property
    def config(self) -> Core:
        return self._identity.config

    @property
    def hz(self) -> int:
        return self._identity.hz

    @property
    def flags(self) -> dict[str, int]:
        """Number of bits of each flag of the core, by name."""
        return self._identity.flags

    def now(self) -> float:
        """Time in seconds, in the port's own time: simulated for a simulated device."""
        return self._port.now()

    @property
    def version(self) -> str:
        return self._identity.version

    def run(
        self,
        *operands: NDArray,
        seed: int = 1,
        progress: Progress = lambda done, total: None,
        **named: NDArray,
    ) -> Run:
        """Run the core once.

        Parameters
        ----------
        operands, named : tensors of the core's input streams, in order or by name.
        seed : of the core's LFSRs.
        progress : called with the bytes transferred in both directions, and the total.

        Returns a `Run`. Raises `InputError` if a tensor does not have the device's shape,
        `LinkError` if the line or the core fails; then open the device again.
        """
        core = self.config.with_seed(seed)
        if len(operands) > len(core.inputs):
            raise InputError(
                f"{core.NAME} takes {len(core.inputs)} operands: {', '.join(core.inputs)}"
            )
        checked = core.check(dict(zip(core.inputs, operands, strict=False)) | named)
        chunks = [
            deque(chunks_of(port.pack(checked[name]), port.bits))
            for name, port in core.inputs.items()
        ]
        ((name, port),) = core.outputs.items()
        begun = self._port.now()
        data = self._transfer(chunks, port.beat_bytes * port.beats, seed, progress)
        cycles, flags = self._status()
        return Run({name: port.from_bytes(data)}, cycles, flags, self._port.now() - begun)

    def _status(self):
        """Cycles and flags of the core. Raises `LinkError` if `last` was misplaced."""
        cycles, flags = read_status(self._ask(Command.STATUS)[1], self._identity.flags)
        if flags.get("misframed"):
            raise LinkError(f"{self._port.name}: the core found `last` where no tensor ends")
        return cycles, flags

    def _transfer(self, chunks, size, seed, progress):
        """Fill the core's buffers, start it, then write the rest while reading `size` bytes."""
        total = size + sum(len(data) for queue in chunks for data, _ in queue)
        left = total
        received = bytearray()
        started = False
        patience = STALL_SECONDS + 8 * self.config.cycles() / self.hz
        active = self._port.now()
        while len(received) < size:
            before = left
            for number, queue in enumerate(chunks):
                if queue and self._state.has_room(number):
                    data, last = queue[0]
                    code, _ = self._ask(Command.WRITE, number | (LAST if last else 0), data)
                    if code == Code.OK:
                        queue.popleft()
                        left -= len(data)
            if started:
                count = min(MAX_PAYLOAD, size - len(received))
                code, data = self._ask(Command.READ, count - 1)
                received += data
                left -= len(data)
            elif left == before:
                # Buffers that were full in the last answer may have emptied since.
                self._ask(Command.STATUS)
                if not any(queue and self._state.has_room(n) for n, queue in enumerate(chunks)):
                    code, _ = self._ask(Command.START, payload=seed.to_bytes(SEED_BYTES, "little"))
                    if code != Code.OK:
                        raise LinkError(
                            f"{self._port.name}: an earlier run is unfinished; open the device anew"
                        )
                    started = True
            if left != before:
                active = self._port.now()
                progress(total - left, total)
            elif self._port.now() - active > patience:
                self._status()
                raise LinkError(
                    f"{self._port.name}: the core produced no output for {patience:.1f} s"
                )
        return bytes(received)

    def _ask(self, command, argument=0, payload=b""):
        """Send a request until it is answered; returns the code, OK or BUSY, and the payload."""
        self._sequence = (self._sequence + 1) % 256
        frame = encode_frame(bytes([self._sequence, command, argument]) + payload)
        for _ in range(TRIES):
            self._port.write(frame)
            answer = self._answer()
            if answer is not None:
                break
        else:
            raise NoAnswerError(
                f"{self._port.name}: no answer to {TRIES} requests; is a bitstream with the host "
                "link loaded (spikeloom build, spikeloom flash), and is the baud rate the same as "
                "in its build?"
            )
        code, self._state = answer[1], State(answer[2])
        if code == Code.SEQUENCE:
            raise SessionLostError(
                f"{self._port.name}: the device was reset, or another program uses it; run again"
            )
        if code not in (Code.OK, Code.BUSY):
            raise LinkError(f"{self._port.name}: {command.name} was refused (code {code})")
        return code, answer[HEADER:]

    def _answer(self):
        """The answer to the latest request, or None on a timeout."""
        junk = 0
        while junk < JUNK:
            data = self._port.read()
            if not data:
                return None
            junk += len(data)
            for content in self._decoder.feed(data):
                if content[0] == self._sequence:
                    return content
        return None
