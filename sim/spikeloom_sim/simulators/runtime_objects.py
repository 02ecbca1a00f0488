"""Cache of the compiled Verilator run-time library."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from spikeloom.environment import cache_folder, child_environment
from spikeloom.tools import require, run_program

ENTRY = "verilator-library"


class RuntimeObjects:
    """The objects of Verilator's run-time library in the user's cache.

    An entry is a zip archive with checksums; a damaged one is treated as missing. Its name is a
    hash of the compile commands, the compiler version and Verilator's sources.

    Parameters
    ----------
    folder : build folder with Verilator's makefile; receives the objects.
    home : Verilator's installation.
    make : command line that builds the simulation.
    """

    def __init__(self, folder: Path, home: Path, make: Sequence[str]) -> None:
        self._folder = Path(folder)
        cached = cache_folder()
        self._path = cached and cached / ENTRY / f"{_key(self._folder, Path(home), make)}.zip"

    def take(self) -> bool:
        """Unpack the cached objects into the folder; returns whether there were any."""
        if self._path is None:
            return False
        try:
            with zipfile.ZipFile(self._path) as archive:
                objects = {name: archive.read(name) for name in archive.namelist()}
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError):
            return False
        # Their new time stamps make them up to date for make.
        for name, content in objects.items():
            (self._folder / Path(name).name).write_bytes(content)
        return bool(objects)

    def keep(self) -> None:
        """Cache the objects of a finished build; do nothing if they cannot be written."""
        if self._path is None:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, staging = tempfile.mkstemp(dir=self._path.parent)
            try:
                with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as archive:
                    for built in sorted(self._folder.glob("verilated*.o")):
                        archive.write(built, built.name)
                os.replace(staging, self._path)
            except BaseException:
                os.unlink(staging)
                raise


def _key(folder, home, make):
    plan = run_program("make", [*make, "--dry-run", "--always-make"], cwd=folder)
    commands = [line for line in plan.splitlines() if "verilated" in line and " -c " in line]
    compiler = subprocess.run(
        [require("c++"), "-v"], capture_output=True, text=True, env=child_environment()
    ).stderr
    digest = hashlib.sha256("\n".join([*commands, compiler]).encode())
    for source in sorted((home / "include").rglob("*")):
        if source.is_file():
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]
