"""The registers of a core: the one description from which hardware and documents are made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from .. import __version__
from ..errors import InputError
from ..link.identity import config_hash

if TYPE_CHECKING:
    from ..contract import Core

WORD = 32  # bits of a register
ADDRESS_BITS = 12  # of a byte address: 4 KiB, the smallest region of an AXI interconnect
ID = int.from_bytes(b"SPKL", "little")
MAP_VERSION = 1


class Access(Enum):
    """How software uses a field, as its documents say it."""

    FIXED = "read-only, constant"
    READ = "read-only"
    STORE = "read-write"
    PULSE = "write 1, reads as 0"
    EVENT = "read, write 1 to clear"
    PUSH = "write-only, reads as 0"


@dataclass(frozen=True)
class Field:
    """Bits of a register from bit `low` upwards; `reset` is the value of a `FIXED` field and the
    initial one of the others."""

    name: str
    meaning: str
    access: Access
    low: int = 0
    bits: int = 1
    reset: int = 0

    @property
    def mask(self) -> int:
        """The bits of the field in its register."""
        return (1 << self.bits) - 1 << self.low


@dataclass(frozen=True)
class Register:
    """A word at byte address `offset`."""

    name: str
    meaning: str
    offset: int
    fields: tuple[Field, ...]

    @property
    def reset(self) -> int:
        """The word after reset."""
        return sum(field.reset << field.low for field in self.fields)

    @property
    def accesses(self) -> set[Access]:
        """Of its fields."""
        return {field.access for field in self.fields}

    @property
    def writable(self) -> bool:
        """Whether a write is allowed; of the others, the bus answers with an error."""
        return not self.accesses <= {Access.FIXED, Access.READ}


def core_registers(core: Core) -> list[Register]:
    """The registers of the shell of `core`, in the order of their addresses.

    Up to ``SEED_HIGH`` their addresses are those of every core. Flags of several bits follow, then
    a register for each stream that is loaded once and fits a word.

    Raises `InputError` if the core has more flags than a word has bits, or one with the name of an
    interrupt.
    """
    registers = [*_identity(core), *_control(core), *_interrupts(core)]
    if core.takes_seed:
        seed = getattr(core, "seed", 0) or 0
        meaning = "of every LFSR; taken with start"
        registers += _words("SEED", 0x28, "seed", seed, 64, f"seed {meaning}", Access.STORE)
    offset = 0x30
    for name, flag in core.flags.items():
        if flag.bits > 1:
            words = _words(
                f"FLAG_{name.upper()}", offset, name, 0, flag.bits, flag.meaning, Access.READ
            )
            registers += words
            offset += 4 * len(words)
    for name in register_loads(core):
        port, _ = core.loads[name]
        meaning = f"the next beat of the stream {name}, sent once before the first run"
        field = Field(name, meaning, Access.PUSH, bits=port.bits)
        text = (
            f"Loads {name}: {port.beats:,} beats, one a write, in the order of the stream. A write "
            "that the core does not take, as while it is busy, is answered with an error."
        )
        registers.append(Register(f"LOAD_{name.upper()}", text, offset, (field,)))
        offset += 4
    return registers


def register_loads(core: Core) -> list[str]:
    """Names of the streams of `core` that registers can load: those of at most a word a beat."""
    return [name for name, (port, _) in core.loads.items() if port.bits <= WORD]


def one_bit_flags(core: Core) -> dict[str, str]:
    """The flags of `core` that are one bit: name to meaning."""
    return {name: flag.meaning for name, flag in core.flags.items() if flag.bits == 1}


def _identity(core: Core) -> list[Register]:
    major, minor, patch = (int(part) for part in __version__.split(".")[:3])
    version = (
        Field("patch", "patch number", Access.FIXED, 0, 8, patch),
        Field("minor", "minor number", Access.FIXED, 8, 8, minor),
        Field("major", "major number", Access.FIXED, 16, 8, major),
        Field("map", "version of this map", Access.FIXED, 24, 8, MAP_VERSION),
    )
    meaning = "hash of the core and its keys, except the seed, as in manifest.json"
    return [
        Register(
            "ID",
            "The letters SPKL, the first in the lowest byte.",
            0x00,
            (Field("id", "marks a core of Spikeloom", Access.FIXED, bits=WORD, reset=ID),),
        ),
        Register("VERSION", "Version of Spikeloom and of this map.", 0x04, version),
        *_words("CONFIG", 0x08, "hash", int(config_hash(core), 16), 64, meaning, Access.FIXED),
    ]


def _control(core: Core) -> list[Register]:
    loaded = (
        [Field("loaded", "what is loaded once is complete; a run can start", Access.READ, 2)]
        if core.loads
        else []
    )
    when = " or not loaded" if core.loads else ""
    flags = [
        Field(name, meaning, Access.READ, place)
        for place, (name, meaning) in enumerate(one_bit_flags(core).items())
    ]
    registers = [
        Register(
            "CONTROL",
            "Starts and stops runs.",
            0x10,
            (
                Field(
                    "start",
                    f"begins a run; refused while busy{when}, and together with reset",
                    Access.PULSE,
                ),
                Field(
                    "reset",
                    "resets the core: drops a run, its operands and its flags, and clears done and "
                    "CYCLES; seed and interrupts stay, and so does what was loaded",
                    Access.PULSE,
                    1,
                ),
            ),
        ),
        Register(
            "STATUS",
            "State of the core.",
            0x14,
            (
                Field("busy", "from start to the last output beat", Access.READ),
                Field("done", "the last run is complete; cleared by start", Access.READ, 1),
                *loaded,
            ),
        ),
        Register(
            "CYCLES",
            "Duration of the current run, or of the last one.",
            0x18,
            (
                Field(
                    "cycles",
                    "cycles from start to the last output beat; stays at the largest value",
                    Access.READ,
                    bits=WORD,
                ),
            ),
        ),
    ]
    if flags:
        registers.append(Register("FLAGS", "Flags of the core.", 0x1C, tuple(flags)))
    return registers


def _interrupts(core: Core) -> list[Register]:
    events = {"done": "a run is complete", "refused": "a start was refused"}
    for name in one_bit_flags(core):
        if name in events:
            raise InputError(
                f"{core.NAME}: flag {name} has the name of an interrupt of the register shell; "
                "rename the flag"
            )
        events[name] = f"flag {name} rose"
    if len(events) > WORD:
        raise InputError(
            f"{core.NAME}: {len(events) - 2} flags of one bit; a register shell has room for "
            f"{WORD - 2}"
        )

    def fields(access):
        return tuple(
            Field(name, meaning, access, place)
            for place, (name, meaning) in enumerate(events.items())
        )

    return [
        Register(
            "IRQ_ENABLE", "Interrupts that raise irq while pending.", 0x20, fields(Access.STORE)
        ),
        Register("IRQ_PENDING", "Interrupts since they were cleared.", 0x24, fields(Access.EVENT)),
    ]


def _words(
    name: str, offset: int, field: str, value: int, bits: int, meaning: str, access: Access
) -> list[Register]:
    """A value in as few words as hold it, the lowest first: NAME, or NAME_LOW and NAME_HIGH, or
    NAME_0 and so on."""
    count = -(-bits // WORD)
    ends = {1: [""], 2: ["_LOW", "_HIGH"]}.get(count) or [f"_{n}" for n in range(count)]
    registers = []
    for number, end in enumerate(ends):
        low = number * WORD
        wide = min(WORD, bits - low)
        part = value >> low & (1 << wide) - 1
        what = meaning if count == 1 else f"{meaning}: bits {low + wide - 1}..{low}"
        registers.append(
            Register(
                f"{name}{end}",
                f"{what[0].upper()}{what[1:]}.",
                offset + 4 * number,
                (Field(field, what, access, bits=wide, reset=part),),
            )
        )
    return registers
