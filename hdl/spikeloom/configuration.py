"""What every core's configuration has in common: keys that describe and validate themselves."""

import tomllib
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path

from .errors import InputError


def integer(help, *, low, high, default=MISSING):
    """A whole-number key in ``low..high``; a default of None means: derived from other keys."""
    return field(default=default, metadata={"help": help, "low": low, "high": high})


def choice(help, *, choices, default, key=None):
    """A key that takes one of a few words; `key` where it is called otherwise than the field."""
    metadata = {"help": help, "choices": tuple(choices)}
    return field(default=default, metadata=metadata | ({"key": key} if key else {}))


def number(help, *, low, high, default=MISSING, low_open=False, why=""):
    """A real-number key in ``low..high`` (``low`` itself left out where `low_open`), and why so."""
    metadata = {"help": help, "low": float(low), "high": float(high), "low_open": low_open}
    metadata["why"] = why
    return field(default=default, metadata=metadata)


def largest_divisor(of, up_to):
    """The largest divisor of `of` that is at most `up_to`."""
    return max(n for n in range(1, min(of, up_to) + 1) if of % n == 0)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Keys that describe and check themselves.

    A subclass is a frozen, keyword-only dataclass whose keys are made by `integer`, `number` and
    `choice`. Those keys are the command line's ``--set`` names and the TOML keys too.
    """

    NAME = ""  # as the command line spells it

    @classmethod
    def keys(cls):
        """The field of each key, by the key's name."""
        return {_key_name(key): key for key in fields(cls)}

    def __post_init__(self):
        for key in fields(self):
            self._check(key, getattr(self, key.name))

    def _check(self, key, value):
        if value is None and key.default is None:
            return
        meta = key.metadata
        if "choices" in meta:
            if value not in meta["choices"]:
                raise self.error(_key_name(key), value, "one of " + ", ".join(meta["choices"]))
            return
        allowed = f"{meta['low']}..{meta['high']}"
        if isinstance(meta["low"], float):
            allowed = (
                f"a number in {'(' if meta['low_open'] else '['}{meta['low']}, {meta['high']}]"
                + (f" ({meta['why']})" if meta["why"] else "")
            )
            wrong_kind = isinstance(value, bool) or not isinstance(value, (int, float))
        else:
            wrong_kind = isinstance(value, bool) or not isinstance(value, int)
        too_low = not wrong_kind and (
            value <= meta["low"] if meta.get("low_open") else value < meta["low"]
        )
        if wrong_kind or too_low or not value <= meta["high"]:
            raise self.error(_key_name(key), value, allowed)

    def error(self, key, value, allowed):
        """An `InputError` that names a key, the value it was given and what it may be."""
        return InputError(f"{self.NAME}: {key} = {value!r} is not allowed; {key} must be {allowed}")

    def derive(self, **values):
        """Fill in keys left at None (for subclasses' ``__post_init__`` only)."""
        for name, value in values.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)

    def as_dict(self):
        """Every key with its value, in the order of declaration."""
        return {name: getattr(self, key.name) for name, key in self.keys().items()}

    @classmethod
    def from_settings(cls, settings):
        """Build from a mapping of key to value; values may be strings, as typed by a user.

        Raises `InputError` for an unknown key, a value of the wrong kind or one out of range.
        """
        keys = cls.keys()
        values = {}
        for name, value in settings.items():
            if name not in keys:
                near = get_close_matches(name, keys, n=1)
                hint = f"did you mean {near[0]}?" if near else "keys: " + ", ".join(keys)
                raise InputError(f"{cls.NAME}: unknown key {name!r}; {hint}")
            values[keys[name].name] = cls._parse(keys[name], value)
        for name, key in keys.items():
            if key.default is MISSING and name not in settings:
                raise InputError(f"{cls.NAME}: key {name} is missing; add --set {name}=VALUE")
        return cls(**values)

    @classmethod
    def _parse(cls, key, value):
        if not isinstance(value, str) or "choices" in key.metadata:
            return value
        kind = float if isinstance(key.metadata["low"], float) else int
        try:
            return kind(value, 0) if kind is int else kind(value)
        except ValueError:
            what = "a whole number" if kind is int else "a number"
            raise InputError(f"{cls.NAME}: {key.name} = {value!r} is not {what}") from None


def _key_name(key):
    return key.metadata.get("key", key.name)


def read_settings(path=None, assignments=()):
    """Settings from a TOML file, then from ``KEY=VALUE`` strings; later ones win.

    Parameters
    ----------
    path : path to a TOML file of ``key = value`` lines, or None.
    assignments : iterable of ``"KEY=VALUE"``.

    Returns a dict of key to value. Raises `InputError` for a file or a string that does not parse.
    """
    settings = {}
    if path is not None:
        try:
            settings.update(tomllib.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"config file {path}: cannot be read ({error})") from None
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"config file {path}: not valid TOML ({error})") from None
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set {assignment!r} is not of the form KEY=VALUE")
        settings[key.strip()] = value.strip()
    return settings
