"""Atomic writing of output files and folders, without loss of the user's files.

There are two kinds of output, each written completely or not at all:

* a folder (`output_folder`): it holds a record of the files a command wrote, with the hash of each.
  A later run of the same command replaces or removes only those, and only if they are unchanged.
  Files that the user added are kept. A changed file, or a folder without a record, is an error
  before any work begins.
* a file (`output_file`): new, or a regular file that is replaced in one step. Output to a device or
  pipe is written to it; it is never replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import InputError

RECORD = ".spikeloom.json"
"""File of an output folder: the command that wrote it, and the SHA-256 of each of its files."""


@contextmanager
def output_folder(folder: str | PathLike[str], command: str) -> Iterator[Path]:
    """Yield an empty folder; its files are moved to `folder` if the block ends without error.

    `folder` must be new, empty or written by `command`. Otherwise `check_folder` raises
    `InputError` before the block begins.
    """
    folder = Path(folder)
    check_folder(folder, command)
    existing = folder.is_dir()
    target = folder.resolve()
    made = [] if existing else _make_parents(target)
    staging = _beside(target / "new" if existing else target)
    try:
        staging.mkdir()
        try:
            yield staging
            _write_record(staging, command)
            with _undisturbed():
                if existing:
                    _replace(target, staging, command)
                else:
                    staging.rename(target)
                    made = []
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    finally:
        for parent in reversed(made):
            with suppress(OSError):
                parent.rmdir()


class GrowingFolder:
    """A folder to which a long job of `command` adds files one by one, each written whole, so that
    the job can go on after a break.

    It must be new, empty or written by `command`, or `check_folder` raises `InputError`. Its files
    are those of its record; others are never read, replaced or removed.
    """

    def __init__(self, folder: str | PathLike[str], command: str) -> None:
        check_folder(folder, command)
        self.path = Path(folder)
        self._command = command
        _, self._files = _read_record(self.path)
        self.path.mkdir(parents=True, exist_ok=True)
        self._save()

    def read(self, name: str) -> str | None:
        """The text of a file that the job has written; None if there is none."""
        path = self.path / name
        return path.read_text() if name in self._files and path.is_file() else None

    def write(self, name: str, text: str) -> None:
        """Write a file, or replace one that the job has written."""
        path = self.path / name
        if name not in self._files and os.path.lexists(path):
            raise InputError(f"{path} is not Spikeloom's and is in the way; move it away")
        data = text.encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        staging = _beside(path)
        try:
            staging.write_bytes(data)
            with _undisturbed():
                # A record that is ahead of its file is harmless, a file without record is not.
                path.unlink(missing_ok=True)
                self._files[name] = hashlib.sha256(data).hexdigest()
                self._save()
                staging.replace(path)
        finally:
            staging.unlink(missing_ok=True)

    def _save(self) -> None:
        record = {"command": self._command, "files": self._files}
        with output_file(self.path / RECORD) as file:
            file.write_text(json.dumps(record, indent=2) + "\n")


def check_folder(folder: str | PathLike[str], command: str) -> None:
    """Raise `InputError` if `command` must not write into `folder`.

    That is the case if it is not a folder, has files but no record, was written by another command,
    or has a file that was changed since.
    """
    folder = Path(folder)
    if not folder.exists():
        if folder.is_symlink():
            raise InputError(f"{folder} is a link to nothing; remove it or choose another -o")
        for parent in folder.absolute().parents:
            if parent.exists() and not parent.is_dir():
                raise InputError(f"{folder}: {parent} is not a folder; choose another -o")
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; choose another -o")
    if not any(folder.iterdir()):
        return
    writer, files = _read_record(folder)
    if writer is None:
        raise InputError(f"{folder} holds other files; choose an empty or a new -o")
    if writer != command:
        raise InputError(
            f"{folder} holds the output of `spikeloom {writer}`; choose an empty or a new -o"
        )
    _check_unchanged(folder, command, files)


def _check_unchanged(folder, command, files):
    """Raise `InputError` if one of `files` was changed since `command` wrote it."""
    for name, digest in files.items():
        path = folder / name
        if path.parent.is_dir() and not os.access(path.parent, os.W_OK | os.X_OK):
            raise InputError(f"{path.parent} is not writable; choose another -o")
        if os.path.lexists(path) and not _is_unchanged(path, digest):
            raise InputError(
                f"{path} was changed since `spikeloom {command}` wrote it; "
                "move it away or choose another -o"
            )


@contextmanager
def output_file(path: str | PathLike[str]) -> Iterator[Path]:
    """Yield the path of a file to write; it is moved to `path` if the block ends without error.

    Its suffix is that of `path`. The mode of an existing file is kept, and so is a symbolic link.
    `check_file` raises `InputError` before the block begins.
    """
    path = Path(path)
    check_file(path)
    if _is_special(path):
        with tempfile.TemporaryDirectory(prefix="spikeloom-") as folder:
            staging = Path(folder) / f"output{path.suffix}"
            yield staging
            with path.open("wb") as device, staging.open("rb") as written:
                shutil.copyfileobj(written, device)
        return
    target = Path(os.path.realpath(path))
    staging = _beside(target)
    try:
        yield staging
        if target.exists():
            staging.chmod(stat.S_IMODE(target.stat().st_mode))
        staging.replace(target)
    finally:
        staging.unlink(missing_ok=True)


def check_file(
    path: str | PathLike[str],
    option: str = "-o",
    inputs: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
) -> None:
    """Raise `InputError` if no file can be written at `path`, or if it is one of `inputs` (option
    to path), which the job would overwrite."""
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file")
    for name, read in dict(inputs).items():
        same = read is not None and os.path.realpath(read) == os.path.realpath(path)
        if same and not _is_special(path):
            raise InputError(f"{option} {path} is the file of {name} as well; name another")
    if path.exists():
        if not os.access(path, os.W_OK):
            raise InputError(f"{path} is not writable; name another file")
        if _is_special(path):
            return
    parent = Path(os.path.realpath(path)).parent
    if not parent.is_dir():
        raise InputError(f"{path}: folder {path.parent} does not exist; create it first")
    probe = _beside(parent / "new")
    try:
        probe.touch()
    except OSError as error:
        raise InputError(f"{path}: folder {path.parent} takes no file ({error.strerror})") from None
    probe.unlink()


def _is_special(path):
    """Whether `path` exists and is neither a regular file nor a folder."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _beside(path):
    """A new hidden name in the folder of `path`, with its suffix."""
    return path.with_name(f".spikeloom-{secrets.token_hex(6)}{path.suffix}")


def _make_parents(folder):
    """Create the missing parents of `folder`; returns them, outermost first."""
    missing = [parent for parent in folder.parents if not parent.exists()][::-1]
    folder.parent.mkdir(parents=True, exist_ok=True)
    return missing


def _files_in(folder):
    """Names of all files below `folder`, with forward slashes."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir())


def _digest(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_unchanged(path, digest):
    return path.is_file() and not path.is_symlink() and _digest(path) == digest


def _write_record(folder, command):
    files = {name: _digest(folder / name) for name in _files_in(folder)}
    record = {"command": command, "files": files}
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n")


def _read_record(folder):
    """The command that wrote `folder`, or None, and its files: name to hash."""
    try:
        record = json.loads((folder / RECORD).read_text())
        command, files = str(record["command"]), dict(record["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, {}
    names = [PurePosixPath(name) for name in files]
    if any(name.is_absolute() or ".." in name.parts for name in names):
        return None, {}
    return command, files


def _replace(folder, staging, command):
    """Move the files of `staging` to `folder` and remove obsolete ones of the earlier run. Raises
    `InputError` before any change if a file of the user would be lost."""
    _, earlier = _read_record(folder)
    _check_unchanged(folder, command, earlier)
    names = _files_in(staging)
    for name in names:
        if name not in (RECORD, *earlier) and os.path.lexists(folder / name):
            raise InputError(f"{folder / name} is not Spikeloom's and is in the way; move it away")
        for parent in PurePosixPath(name).parents:
            if os.path.lexists(folder / parent) and not (folder / parent).is_dir():
                raise InputError(f"{folder / parent} is in the way; move it away")
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (staging / name).replace(folder / name)
    for name in earlier.keys() - set(names):
        (folder / name).unlink(missing_ok=True)
        for parent in PurePosixPath(name).parents[:-1]:
            with suppress(OSError):  # not empty
                (folder / parent).rmdir()


@contextmanager
def _undisturbed():
    """Block Ctrl-C and termination while files are replaced."""
    held = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
