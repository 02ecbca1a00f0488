"""Identity of a device: its core with every key, its clock frequency and its version."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

from .. import __version__
from ..contract import Core
from ..cores import find_core
from ..errors import InputError, JobError
from .protocol import PROTOCOL


def config_hash(config: Core) -> str:
    """Hash of the hardware that `config` describes, as 16 hexadecimal digits."""
    keys = {"core": config.NAME} | hardware_keys(config)
    return hashlib.sha256(_json(keys).encode()).hexdigest()[:16]


def hardware_keys(config: Core) -> dict[str, Any]:
    """The keys of `config` that determine the hardware: all except the seed, each with a value."""
    return {key: value for key, value in config.settled().as_dict().items() if key != "seed"}


@dataclass(frozen=True)
class Identity:
    """The answer of a device to IDENTIFY.

    config : its core and configuration.
    hz : its clock frequency.
    inputs : data bits of a beat of each input stream by name, in the order of stream numbers.
    output : data bits of a beat of the output stream.
    flags : bits of each flag of the core by name, in the order of STATUS.
    version : the version of Spikeloom that generated it.
    """

    config: Core
    hz: int
    inputs: dict
    output: int
    flags: dict
    version: str = __version__

    @classmethod
    def of(cls, core: Core, hz: int) -> Self:
        """The identity of `core`, at a clock frequency of `hz`.

        Raises `InputError` if it has more than one output, or streams that are loaded after reset:
        the link does not carry them.
        """
        if len(core.outputs) > 1 or core.loads:
            streams = ", ".join((*core.loads, *core.outputs))
            raise InputError(
                f"{core.NAME}: the host link does not carry its streams {streams}; use generate, "
                "or backend golden or rtl"
            )
        inputs = {name: port.bits for name, port in core.inputs.items()}
        (output,) = core.outputs.values()
        flags = {name: flag.bits for name, flag in core.flags.items()}
        return cls(core, hz, inputs, output.bits, flags)

    def to_bytes(self) -> bytes:
        """The answer to IDENTIFY: JSON."""
        fields = {
            "protocol": PROTOCOL,
            "version": self.version,
            "hz": self.hz,
            "inputs": self.inputs,
            "output": self.output,
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
            config = find_core(fields["core"]).from_settings(fields["config"])
            if config_hash(config) != fields["hash"]:
                raise ValueError("its configuration means something else here")
            return cls(
                config,
                int(fields["hz"]),
                dict(fields["inputs"]),
                int(fields["output"]),
                dict(fields["flags"]),
                fields["version"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise JobError(
                f"the device's bitstream is not understood ({error}); build it anew with this "
                "version of Spikeloom"
            ) from None


def _json(value):
    return json.dumps(value, separators=(",", ":"))
