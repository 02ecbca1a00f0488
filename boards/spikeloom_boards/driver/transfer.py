"""Consecutive runs on a device: operands to it, outputs back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from spikeloom.backend import Run
from spikeloom.link.identity import input_ports
from spikeloom.link.protocol import (
    LAST,
    MAX_PAYLOAD,
    SEED_BYTES,
    Code,
    Command,
    State,
    chunks_of,
    read_status,
    status_bytes,
)
from spikeloom.link.slots import output_bytes, split_outputs

from .errors import LinkError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikeloom.backend import Progress
    from spikeloom.link.identity import Identity

    from .session import Session

STALL_SECONDS = 2  # time without output, beyond that of a run, after which a core has hung


class Transfer:
    """What is still to be sent to a device, and what it has sent.

    Parameters
    ----------
    session, identity : of the device.
    total : bytes to transfer in both directions.
    progress : called with the bytes transferred, and the total.
    """

    def __init__(
        self, session: Session, identity: Identity, total: int, progress: Progress
    ) -> None:
        self._session = session
        self._identity = identity
        self._ports = input_ports(identity.config)
        self._queues: list[deque[tuple[bytes, bool]]] = [deque() for _ in self._ports]
        self._total = total
        self._done = 0
        self._progress = progress
        self._patience = STALL_SECONDS + 8 * identity.config.cycles() / identity.hz
        self._active = session.now()

    def load(self) -> None:
        """Send the streams that are loaded once, and wait until the core has taken them."""
        loads = self._identity.config.loads
        self._add({name: tensor for name, (_, tensor) in loads.items()})
        while True:
            if self._write():
                continue
            self.status()
            if State.LOADED & self._session.state:
                break
            self._check_activity("took nothing of " + ", ".join(loads))

    def runs(self, batch: Iterable[tuple[Mapping[str, NDArray], int]]) -> Iterator[Run]:
        """Run operands and seeds one after the other. The operands of the next run are sent while
        the core computes, as far as it takes them."""
        waiting = iter(batch)
        upcoming = next(waiting, None)
        if upcoming is not None:
            self._add(upcoming[0])
        begun = self._session.now()
        while upcoming is not None:
            self._start(upcoming[1])
            upcoming = next(waiting, None)
            if upcoming is not None:
                self._add(upcoming[0])
            outputs = split_outputs(self._identity.config.outputs, self._receive())
            cycles, flags = self.status()
            ended = self._session.now()
            yield Run(outputs, cycles, flags, ended - begun)
            begun = ended

    def status(self) -> tuple[int, dict[str, int]]:
        """Cycles and flags of the core. Raises `LinkError` if `last` was misplaced."""
        cycles, flags = read_status(self._ask_status(), self._identity.flags)
        if flags.get("misframed"):
            raise LinkError(f"{self._session.name}: the core found `last` where no tensor ends")
        return cycles, flags

    def _ask_status(self) -> bytes:
        """The payload of STATUS."""
        size = status_bytes(self._identity.flags)
        return self._session.ask(Command.STATUS, answer=size)[1]

    def _add(self, tensors: Mapping[str, NDArray]) -> None:
        """Append tensors to what is to be sent."""
        for queue, (name, port) in zip(self._queues, self._ports.items(), strict=True):
            if name in tensors:
                queue.extend(chunks_of(port.pack(tensors[name]), port.bits))

    def _writable(self) -> list[int]:
        """Numbers of the streams that have room and something to send."""
        state = self._session.state
        return [n for n, queue in enumerate(self._queues) if queue and state.has_room(n)]

    def _write(self) -> bool:
        """Send a chunk to every stream with room; returns whether any was taken."""
        before = self._done
        for number, queue in enumerate(self._queues):
            if queue and self._session.state.has_room(number):
                data, last = queue[0]
                code, _ = self._session.ask(Command.WRITE, number | (LAST if last else 0), data)
                if code == Code.OK:
                    queue.popleft()
                    self._transferred(len(data))
        return self._done != before

    def _start(self, seed: int) -> None:
        """Fill the core's buffers, then start it."""
        while True:
            if self._write():
                continue
            # Buffers that were full in the last answer may have emptied since.
            self._ask_status()
            if not self._writable():
                break
            self._check_activity("took no operands")
        code, _ = self._session.ask(Command.START, payload=seed.to_bytes(SEED_BYTES, "little"))
        if code != Code.OK:
            raise LinkError(
                f"{self._session.name}: an earlier run is unfinished; open the device anew"
            )
        self._active = self._session.now()

    def _receive(self) -> bytes:
        """The output of the current run, while the rest of its operands and those of the next are
        sent."""
        size = output_bytes(self._identity.config.outputs)
        received = bytearray()
        while len(received) < size:
            self._write()
            count = min(MAX_PAYLOAD, size - len(received))
            _, data = self._session.ask(Command.READ, count - 1, answer=count)
            received += data
            self._transferred(len(data))
            self._check_activity("produced no output")
        return bytes(received)

    def _transferred(self, count: int) -> None:
        if count:
            self._done += count
            self._active = self._session.now()
            self._progress(self._done, self._total)

    def _check_activity(self, problem: str) -> None:
        """Raise `LinkError` if nothing was transferred for too long."""
        if self._session.now() - self._active > self._patience:
            self.status()
            raise LinkError(f"{self._session.name}: the core {problem} for {self._patience:.1f} s")
