"""The driver: run a core on a device, with NumPy arrays as operands and results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spikeloom.backend import Run, silent
from spikeloom.errors import InputError
from spikeloom.link.identity import Identity, config_hash, hardware_keys
from spikeloom.link.protocol import Command, State
from spikeloom.link.slots import output_bytes

from .errors import WrongBitstreamError
from .open_port import open_port
from .session import Session
from .transfer import Transfer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikeloom.backend import Progress
    from spikeloom.contract import Core


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
        self._session = Session(
            open_port(port, config, **options) if isinstance(port, str) else port
        )
        try:
            _, answer = self._session.ask(Command.IDENTIFY, answer=None)
            self._identity = Identity.from_bytes(answer)
            if config is not None:
                self.check(config)
            self._session.ask(Command.RESET)
        except BaseException:
            self._session.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        """Close the port."""
        self._session.close()

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
                f"{self._session.name}: the bitstream is {wanted.NAME} {actual}, expected "
                f"{expected}: {differing}; load another (spikeloom build, spikeloom flash), or do "
                "not set these keys"
            )

    def check_core(self, core: str) -> None:
        """Raise `WrongBitstreamError` if the device has another core than `core`."""
        if core != self.config.NAME:
            raise WrongBitstreamError(
                f"{self._session.name}: the bitstream is {self.config.NAME} "
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
        return self._session.now()

    @property
    def version(self) -> str:
        return self._identity.version

    def load(self, progress: Progress = silent) -> None:
        """Send the streams that are loaded once (`Core.loads`), unless the device has them since
        its last configuration.

        `progress` is called with the bytes transferred, and the total. `run` and `runs` do this
        first, without progress.
        """
        loads = self.config.loads
        if loads and not State.LOADED & self._session.state:
            total = sum(port.beats * port.beat_bytes for port, _ in loads.values())
            Transfer(self._session, self._identity, total, progress).load()

    def run(
        self,
        *operands: NDArray,
        seed: int = 1,
        progress: Progress = silent,
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
        ports = self.config.inputs
        if len(operands) > len(ports):
            raise InputError(f"{self.config.NAME} takes {len(ports)} operands: {', '.join(ports)}")
        given = dict(zip(ports, operands, strict=False)) | named
        (run,) = self.runs([given], [seed], progress=progress)
        return run

    def runs(
        self,
        batch: Sequence[Mapping[str, NDArray]],
        seeds: Iterable[int],
        *,
        progress: Progress = silent,
    ) -> Iterator[Run]:
        """Run several operands, each with its seed, one after the other.

        The operands of a run are sent while the core computes the one before. The `seconds` of a
        `Run` are those since the end of the one before. Otherwise like `run`.
        """
        checked = [self.config.check(operands) for operands in batch]
        total = sum(port.beats * port.beat_bytes for port in self.config.inputs.values())
        total += output_bytes(self.config.outputs)
        self.load()
        transfer = Transfer(self._session, self._identity, len(checked) * total, progress)
        yield from transfer.runs(zip(checked, seeds, strict=True))
