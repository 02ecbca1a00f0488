"""Identity of a device: its core with every key, its clock frequency and its version."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any, Self

from .. import __version__
from ..contract import Core
from ..cores import all_cores
from ..errors import JobError, echo, unknown
from ..port import Port
from .protocol import PROTOCOL

CLOCKS = range(10**4, 10**11)  # Hz that a device may tell
MAX_FLAG_BITS = 1024
LONGEST_REASON = 300  # characters of what a device sent, in a message


def config_hash(config: Core) -> str:
    """Hash of the hardware that `config` describes, as 16 hexadecimal digits."""
    keys = {"core": config.NAME} | hardware_keys(config)
    return hashlib.sha256(_json(keys).encode()).hexdigest()[:16]


def hardware_keys(config: Core) -> dict[str, Any]:
    """The keys of `config` that determine the hardware: all except the seed, each with a value."""
    return {key: value for key, value in config.settled().as_dict().items() if key != "seed"}


def input_ports(core: Core) -> dict[str, Port]:
    """The input streams of `core` in the order of their numbers: operands, then those that are
    loaded once."""
    return core.inputs | {name: port for name, (port, _) in core.loads.items()}


@dataclass(frozen=True)
class Identity:
    """The answer of a device to IDENTIFY.

    config : its core and configuration.
    hz : its clock frequency.
    inputs : data bits of a beat of each input stream by name, in the order of stream numbers.
    outputs : data bits of a beat of each output stream by name, in the order of their numbers.
    loads : names of the input streams that are loaded once, see `Core.loads`.
    flags : bits of each flag of the core by name, in the order of STATUS.
    version : the version of Spikeloom that generated it.
    """

    config: Core
    hz: int
    inputs: dict
    outputs: dict
    loads: list
    flags: dict
    version: str = __version__

    @classmethod
    def of(cls, core: Core, hz: int) -> Self:
        """The identity of `core` at a clock frequency of `hz`."""
        inputs = {name: port.bits for name, port in input_ports(core).items()}
        outputs = {name: port.bits for name, port in core.outputs.items()}
        flags = {name: flag.bits for name, flag in core.flags.items()}
        return cls(core, hz, inputs, outputs, list(core.loads), flags)

    def to_bytes(self) -> bytes:
        """The answer to IDENTIFY: JSON."""
        fields = {
            "protocol": PROTOCOL,
            "version": self.version,
            "hz": self.hz,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "loads": self.loads,
            "flags": self.flags,
            "core": self.config.NAME,
            "hash": config_hash(self.config),
            "config": hardware_keys(self.config),
        }
        return _json(fields).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Parse an answer to IDENTIFY.

        Raises `JobError` if this version of Spikeloom does not understand the device.
        """
        try:
            return cls._of_fields(json.loads(data))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            why = " ".join(str(error).split())
            raise JobError(
                f"the device's bitstream is not understood ({why[:LONGEST_REASON]}); build it anew "
                "with this version of Spikeloom"
            ) from None

    @classmethod
    def _of_fields(cls, fields: dict[str, Any]) -> Self:
        """The identity of its fields, each of which may be of any kind."""
        if not isinstance(fields, dict) or not isinstance(fields["config"], dict):
            raise TypeError("it tells no keys")
        if fields["protocol"] != PROTOCOL:
            raise ValueError(f"it speaks protocol {echo(fields['protocol'])}, not {PROTOCOL}")
        config = _core(fields["core"], fields["config"]).from_settings(fields["config"])
        if config_hash(config) != fields["hash"]:
            raise ValueError("its configuration means something else here")
        hz, flags, version = fields["hz"], fields["flags"], fields["version"]
        if type(hz) is not int or hz not in CLOCKS:
            raise ValueError(f"hz = {echo(hz)} is no clock frequency")
        if not isinstance(version, str) or not version.isprintable():
            raise ValueError(f"version = {echo(version)} is none")
        own = cls.of(config, hz)
        for key in ("inputs", "outputs", "loads"):
            if fields[key] != getattr(own, key):
                raise ValueError(f"its {key} are not those of {config.NAME} here")
        sizes = flags.values() if isinstance(flags, dict) else [None]
        if not all(type(bits) is int and 1 <= bits <= MAX_FLAG_BITS for bits in sizes):
            raise ValueError(f"flags = {echo(flags)} are none")
        return replace(own, flags=flags, version=version)


def _core(name: str, config: dict[str, Any]) -> type[Core]:
    """The class of a device's core: a core by name, a network by name and contents."""
    if "content" not in config:
        if name not in all_cores():  # nor is it a file's name, which `find_core` would read
            raise unknown("core", name, all_cores())
        return all_cores()[name]
    from ..networks.finding import network_with

    content = config["content"]
    found = network_with(name, content)
    if found is None:
        raise JobError(
            f"the device's bitstream is of network {echo(name)} with content {echo(content)}, "
            "which is not known here; name the file from which it was built (it is also in the "
            "folder of the build)"
        )
    return found


def _json(value):
    return json.dumps(value, separators=(",", ":"))
