"""Base of every core's configuration: keys that describe and validate themselves."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Self

from .errors import InputError, echo, unknown

MAX_HELD = 2**12  # tokens of operands that a core stores on chip
HELD_WHY = "the core holds Q, K and V of all tokens on chip"
MAX_DIM = 2**10
DIM_WHY = "a token of more outgrows a stream beat"
MAX_LANES = 2**8
LANES_WHY = "more outgrow any device"

CONFIG_BYTES = 2**20  # the largest config file that is read
LONGEST_NUMBER = 100  # characters of a number as text


class Quoted(str):
    """A string of a config file: a word, never a number."""


def integer(help: str, *, low: int, high: int, default: Any = MISSING, why: str = "") -> Any:
    """An integer key in ``low..high``; `why` explains the range. A default of None means that the
    value is derived from other keys. Its type is `Any`, as for `dataclasses.field`."""
    return field(default=default, metadata={"help": help, "low": low, "high": high, "why": why})


def integers(help: str, *, low: int, high: int, default: Any = MISSING, why: str = "") -> Any:
    """A key that takes an integer in ``low..high`` or a list of them, which is kept as a tuple."""
    metadata = {"help": help, "low": low, "high": high, "why": why, "list": True}
    return field(default=default, metadata=metadata)


def choice(
    help: str, *, choices: Iterable[str], default: str | None, key: str | None = None
) -> Any:
    """A key that takes one of a few words; `key` is its name if different from the field's."""
    metadata: dict[str, Any] = {"help": help, "choices": tuple(choices)}
    return field(default=default, metadata=metadata | ({"key": key} if key else {}))


def number(
    help: str,
    *,
    low: float,
    high: float,
    default: Any = MISSING,
    low_open: bool = False,
    why: str = "",
) -> Any:
    """A real-number key in ``low..high``, without ``low`` if `low_open`; `why` explains the
    range."""
    metadata = {
        "help": help,
        "low": float(low),
        "high": float(high),
        "low_open": low_open,
        "why": why,
    }
    return field(default=default, metadata=metadata)


def largest_divisor(of: int, up_to: int) -> int:
    """The largest divisor of `of` that is at most `up_to`."""
    return max(n for n in range(1, min(of, up_to) + 1) if of % n == 0)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Keys that describe and check themselves.

    A subclass is a frozen, keyword-only dataclass whose keys are made by `integer`, `integers`,
    `number` and `choice`. Those keys are the command line's ``--set`` names and the TOML keys too.
    """

    NAME: ClassVar[str] = ""  # as the command line spells it

    @classmethod
    def keys(cls) -> dict[str, Field[Any]]:
        """The field of each key, by the key's name."""
        return {_key_name(key): key for key in fields(cls)}

    def __post_init__(self) -> None:
        for key in fields(self):
            value = getattr(self, key.name)
            if key.metadata.get("list") and isinstance(value, list):
                object.__setattr__(self, key.name, value := tuple(value))
            self._check(key, value)

    def _check(self, key: Field[Any], value: Any) -> None:
        if value is None and key.default is None:
            return
        meta = key.metadata
        if meta.get("list") and isinstance(value, tuple):
            if not value:
                raise self.error(_key_name(key), [], "a whole number, or a list of them")
            for number in value:
                self._check(key, number)
            return
        if "choices" in meta:
            if value not in meta["choices"]:
                raise self.error(_key_name(key), value, "one of " + ", ".join(meta["choices"]))
            return
        allowed = f"{meta['low']}..{meta['high']}"
        if isinstance(meta["low"], float):
            allowed = (
                f"a number in {'(' if meta['low_open'] else '['}{meta['low']}, {meta['high']}]"
            )
            wrong_kind = isinstance(value, bool) or not isinstance(value, (int, float))
        else:
            wrong_kind = isinstance(value, bool) or not isinstance(value, int)
            allowed = f"a whole number in {allowed}" if wrong_kind else allowed
        if meta["why"] and not wrong_kind:
            allowed += f" ({meta['why']})"
        if wrong_kind or not _in_range(meta, value):
            raise self.error(_key_name(key), value, allowed)

    def error(self, key: str, value: Any, allowed: str) -> InputError:
        """An `InputError` naming a key, its value and the allowed values."""
        return InputError(
            f"{self.NAME}: {key} = {echo(value)} is not allowed; {key} must be {allowed}"
        )

    def derive(self, **values: Any) -> None:
        """Fill in keys left at None (for subclasses' ``__post_init__`` only)."""
        for name, value in values.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """Every key with its value, in the order of declaration."""
        return {name: getattr(self, key.name) for name, key in self.keys().items()}

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """Build from a mapping of key to value; numbers may be strings, as typed by a user.

        Raises `InputError` for an unknown key, a value of the wrong kind or one out of range.
        """
        keys = cls.keys()
        values = {}
        for name, value in settings.items():
            if name not in keys:
                raise InputError(f"{cls.NAME}: {unknown('key', name, keys)}")
            values[keys[name].name] = cls.parse(keys[name], value)
        for name, key in keys.items():
            if key.default is MISSING and name not in settings:
                raise InputError(f"{cls.NAME}: key {name} is missing; add --set {name}=VALUE")
        return cls(**values)

    @classmethod
    def parse(cls, key: Field[Any], value: Any) -> Any:
        """`value` converted to the type of `key`, a dataclass field.

        Integers are digits, optionally separated by underscores, or 0x, 0o, 0b and digits.
        """
        if "choices" in key.metadata or (isinstance(value, str) and value == key.default):
            return str(value) if isinstance(value, str) else value
        if key.metadata.get("list"):
            if isinstance(value, str) and not isinstance(value, Quoted):
                value = _listed(value)
            if isinstance(value, (list, tuple)):
                return tuple(cls._number(key, number) for number in value)
        return cls._number(key, value)

    @classmethod
    def _number(cls, key: Field[Any], value: Any) -> Any:
        """`value`, a number or its text, converted to the type of `key`."""
        whole = isinstance(key.metadata["low"], int)
        if not isinstance(value, str):
            small = type(value) is int and value.bit_length() < 1000
            return float(value) if small and not whole else value
        if isinstance(value, Quoted):
            raise InputError(
                f"{cls.NAME}: {key.name} = {echo(str(value))} is text; write the number without "
                "quotes"
            )
        try:
            if len(value) > LONGEST_NUMBER or not re.fullmatch(r"[-+.\w]+", value, re.ASCII):
                raise ValueError
            return int(value, 0) if whole else float(value)
        except ValueError:
            what = "a whole number, as in 64 or 0x40" if whole else "a number"
            what += f", nor {key.default!r}" if isinstance(key.default, str) else ""
            raise InputError(f"{cls.NAME}: {key.name} = {echo(value)} is not {what}") from None


def _listed(text: str) -> Any:
    """The parts of a text with commas, in brackets or not; any other text itself."""
    inner = text.strip()
    if inner.startswith("[") and inner.endswith("]"):
        inner = inner[1:-1]
    return [part.strip() for part in inner.split(",")] if inner != text or "," in text else text


def _in_range(meta: Mapping[str, Any], value: Any) -> bool:
    above = value > meta["low"] if meta.get("low_open") else value >= meta["low"]
    return above and value <= meta["high"]


def _key_name(key: Field[Any]) -> str:
    return key.metadata.get("key", key.name)


def read_settings(
    path: str | PathLike[str] | None = None, assignments: Iterable[str] = ()
) -> dict[str, Any]:
    """Settings from a TOML file, then from ``KEY=VALUE`` strings; later ones win.

    Parameters
    ----------
    path : path to a TOML file of ``key = value`` lines, or None.
    assignments : iterable of ``"KEY=VALUE"``.

    Returns a dict of key to value; strings of the file are `Quoted`. Raises `InputError` for a file
    or a string that does not parse.
    """
    settings = _read_toml(Path(path)) if path is not None else {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set {echo(assignment)} is not of the form KEY=VALUE")
        settings[key.strip()] = value.strip()
    return settings


def _read_toml(path: Path) -> dict[str, Any]:
    """The keys of a TOML file, with or without a byte-order mark."""
    try:
        with path.open("rb") as file:
            content = file.read(CONFIG_BYTES + 1)
    except OSError as error:
        raise InputError(f"config file {path}: cannot be read ({error.strerror})") from None
    if len(content) > CONFIG_BYTES:
        raise InputError(f"config file {path}: larger than {CONFIG_BYTES} bytes; give key = value")
    try:
        settings = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError(f"config file {path}: not UTF-8 text; save it as UTF-8") from None
    except (ValueError, RecursionError) as error:  # ValueError: or too many digits
        why = " ".join(str(error).split())
        raise InputError(f"config file {path}: not valid TOML ({why})") from None
    for key, value in settings.items():
        if isinstance(value, dict):
            raise InputError(
                f"config file {path}: {key} is a table; write keys above all tables, as in "
                "tokens = 64"
            )
    return {k: Quoted(v) if isinstance(v, str) else v for k, v in settings.items()}
