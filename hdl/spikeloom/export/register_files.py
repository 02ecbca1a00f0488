"""Documents of the registers of a shell: Markdown, JSON, C header, CMSIS-SVD."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..shell.registers import ADDRESS_BITS, WORD, Access, Register, core_registers
from .instances import design_words, environment

if TYPE_CHECKING:
    from ..contract import Core

SCHEMA = "spikeloom/registers/1"

# What CMSIS-SVD says of fields: access, and what a write of 1 does.
SVD = {
    Access.FIXED: ("read-only", None),
    Access.READ: ("read-only", None),
    Access.STORE: ("read-write", None),
    Access.PULSE: ("write-only", None),
    Access.EVENT: ("read-write", "oneToClear"),
    Access.PUSH: ("write-only", None),
}


def register_files(core: Core, manifest: Mapping[str, Any]) -> dict[str, str]:
    """The documents of the registers of `core`, whose design `manifest` describes: path to text."""
    registers = core_registers(core)
    module = manifest["module"]
    words = design_words(manifest) | {
        "registers": registers,
        "region": 1 << ADDRESS_BITS,
        "word": WORD,
        "svd": SVD,
        "access_of": _access,
    }
    files = {
        f"registers/{module}.{suffix}": environment.get_template(f"registers.{suffix}.j2").render(
            words
        )
        for suffix in ("md", "h", "svd")
    }
    return files | {f"registers/{module}.json": _json(module, manifest["shell"], registers)}


def _access(register: Register) -> str:
    """Access to a whole register, as CMSIS-SVD calls it."""
    readable = not register.accesses <= {Access.PULSE, Access.PUSH}
    if not readable:
        return "write-only"
    return "read-write" if register.writable else "read-only"


def _json(module: str, bus: str, registers: list[Register]) -> str:
    """The registers for machines."""
    described = {
        "schema": SCHEMA,
        "module": module,
        "bus": bus,
        "region_bytes": 1 << ADDRESS_BITS,
        "word_bits": WORD,
        "registers": [
            {
                "name": register.name,
                "offset": register.offset,
                "access": _access(register),
                "reset": register.reset,
                "meaning": register.meaning,
                "fields": [
                    {
                        "name": field.name,
                        "low": field.low,
                        "bits": field.bits,
                        "access": field.access.value,
                        "reset": field.reset,
                        "meaning": field.meaning,
                    }
                    for field in register.fields
                ],
            }
            for register in registers
        ],
    }
    return json.dumps(described, indent=2) + "\n"
