"""A design space: the configurations that `--over` spans on devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from spikeloom.cores import find_core
from spikeloom.errors import InputError, echo
from spikeloom.families import find_part

from ..presets import preset_config
from .point import Point

MAX_POINTS = 10_000


@dataclass(frozen=True)
class Refused:
    """A combination that the core does not take, and why."""

    settings: Mapping[str, Any]
    device: str
    why: str


def read_over(texts: Iterable[str]) -> dict[str, list[str]]:
    """Values by key from ``KEY=A,B,...`` texts. Raises `InputError`."""
    found: dict[str, list[str]] = {}
    for text in texts:
        key, equals, values = text.partition("=")
        key, listed = key.strip(), [value.strip() for value in values.split(",")]
        if not equals or not key or not all(listed):
            raise InputError(f"--over {echo(text)} is not of the form KEY=VALUE,VALUE,...")
        if key in found:
            raise InputError(f"--over {key} is given twice; list all of its values once")
        if len({*listed}) < len(listed):
            raise InputError(f"--over {echo(text)} lists a value twice")
        found[key] = listed
    return found


def space(
    core: str,
    devices: Sequence[str],
    settings: Mapping[str, Any],
    over: Mapping[str, Sequence[str]],
    **options: Any,
) -> tuple[list[Point], list[Refused]]:
    """The points of all combinations, and the combinations that the core refuses.

    A preset of the core for the device's class applies, as on a board. `options` are those of
    `Point`. Raises `InputError` if a key or a single value of `over` is wrong by itself, for an
    unknown device, or if no combination is allowed.
    """
    known = find_core(core)
    keys = known.keys()
    for key, values in over.items():
        if key not in keys:
            raise InputError(f"--over {key}: {known.NAME} has no such key; keys: {', '.join(keys)}")
        if key in settings:
            raise InputError(f"{key} is given by --set and by --over; choose one")
        for value in values:
            _check_value(known, key, value)
    parts = {device: find_part(device) for device in devices}
    count = len(parts)
    for values in over.values():
        count *= len(values)
    if count > MAX_POINTS:
        raise InputError(f"--over spans {count:,} points; at most {MAX_POINTS:,} are allowed")
    points, refused = {}, []
    for device, part in parts.items():
        for chosen in product(*over.values()):
            given = dict(zip(over, chosen, strict=True))
            try:
                config = preset_config(core, part, {**settings, **given})
            except InputError as error:
                refused.append(Refused(given, device, str(error)))
                continue
            point = Point(config, device, **options)
            points.setdefault(point.key, point)  # values may be equal: 8 and 0x8
    if not points:
        raise InputError(f"no combination is allowed: {refused[0].why}")
    return list(points.values()), refused


def _check_value(core: Any, key: str, value: str) -> None:
    """Raise `InputError` if `value` is of the wrong kind, or no choice of the key."""
    field = core.keys()[key]
    try:
        core.parse(field, value)
    except InputError as error:
        raise InputError(f"--over {key}: {error}") from None
    choices = field.metadata.get("choices")
    if choices and value not in choices:
        raise InputError(f"--over {key}: {echo(value)} is not one of {', '.join(choices)}")
