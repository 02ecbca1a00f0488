"""Identity of a device: its core with every key, its clock frequency and its version."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

from .. import __version__
from ..contract import Core
from ..cores import find_core
from ..errors import JobError
from ..port import Port
from .protocol import PROTOCOL


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
            fields = json.loads(data)
            if fields["protocol"] != PROTOCOL:
                raise ValueError(f"it speaks protocol {fields['protocol']}, not {PROTOCOL}")
            config = _core(fields["core"], fields["config"]).from_settings(fields["config"])
            if config_hash(config) != fields["hash"]:
                raise ValueError("its configuration means something else here")
            return cls(
                config,
                int(fields["hz"]),
                dict(fields["inputs"]),
                dict(fields["outputs"]),
                list(fields["loads"]),
                dict(fields["flags"]),
                fields["version"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise JobError(
                f"the device's bitstream is not understood ({error}); build it anew with this "
                "version of Spikeloom"
            ) from None


def _core(name: str, config: dict[str, Any]) -> type[Core]:
    """The class of a device's core: a core by name, a network by name and contents."""
    if "content" not in config:
        return find_core(name)
    from ..networks.finding import network_with

    found = network_with(name, config["content"])
    if found is None:
        raise JobError(
            f"the device's bitstream is of network {name} with content {config['content']}, which "
            "is not known here; name the file from which it was built (it is also in the folder of "
            "the build)"
        )
    return found


def _json(value):
    return json.dumps(value, separators=(",", ":"))
