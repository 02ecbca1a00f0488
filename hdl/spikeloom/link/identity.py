"""What a device says of itself: its core with every key, its clock, who made it."""

import hashlib
import json
from dataclasses import dataclass

from .. import __version__
from ..catalog import find_core
from ..config import CoreConfig
from ..errors import InputError, JobError
from .protocol import PROTOCOL


def config_hash(config):
    """16 hexadecimal digits that stand for the hardware `config` makes; its seed has no part in it."""
    keys = {key: value for key, value in config.as_dict().items() if key != "seed"}
    return hashlib.sha256(_json({"core": config.core} | keys).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Identity:
    """A device's core and configuration, its clock in Hz, and the Spikeloom that made it."""

    config: CoreConfig
    hz: int
    version: str = __version__

    def to_bytes(self):
        """The answer to IDENTIFY: JSON."""
        told = {
            "protocol": PROTOCOL,
            "version": self.version,
            "hz": self.hz,
            "core": self.config.core,
            "hash": config_hash(self.config),
            "config": self.config.as_dict(),
        }
        return _json(told).encode()

    @classmethod
    def from_bytes(cls, data):
        """Parse an answer to IDENTIFY.

        Raises `JobError` where this version of Spikeloom does not understand the device.
        """
        try:
            told = json.loads(data)
            if told["protocol"] != PROTOCOL:
                raise ValueError(f"it speaks protocol {told['protocol']}, not {PROTOCOL}")
            config = find_core(told["core"]).config.from_settings(told["config"])
            if config_hash(config) != told["hash"]:
                raise ValueError("its configuration means something else here")
            return cls(config, int(told["hz"]), told["version"])
        except (ValueError, KeyError, TypeError, InputError) as error:
            raise JobError(
                f"the device's bitstream is not understood ({error}); build it anew with this "
                "version of Spikeloom"
            ) from None


def _json(value):
    return json.dumps(value, separators=(",", ":"))
