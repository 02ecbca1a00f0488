"""The exceptions that end a Spikeloom job; the message of each is one line for the user."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class InputError(ValueError):
    """Bad input or wrong usage: the message says what is wrong, where, and how to fix it.

    The command line exits with code 2 and writes nothing.
    """


class JobError(RuntimeError):
    """The job itself failed: a mismatch, missed timing, a missing or failing tool (exit code 1)."""


class InterruptionError(JobError):
    """The user stopped a job that keeps what it has done so far (exit code 130)."""


def unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """The `InputError` for a `name` that is not among the `known` names of a `kind` of thing.

    It suggests the most similar name, or lists all of them.
    """
    spellings = {spelling.lower(): spelling for spelling in known}
    near = get_close_matches(str(name).lower(), spellings, n=1)
    plural = f"{kind[:-1]}ies" if kind.endswith("y") and not kind.endswith("ey") else f"{kind}s"
    hint = f"did you mean {spellings[near[0]]}?" if near else f"{plural}: " + ", ".join(known)
    return InputError(f"unknown {kind} {echo(name)}; {hint}")


def echo(value: Any) -> str:
    """A short representation of any value for a message."""
    if isinstance(value, int) and value.bit_length() > 200:
        return f"a number of {value.bit_length()} bits"
    try:
        text = repr(value)
    except ValueError:  # contains an integer that Python refuses to print
        text = f"a {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:60]}... ({len(text)} characters)"
