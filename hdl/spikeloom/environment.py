"""The environment of child processes, and the location of caches.

A result must not depend on the variables of the user's shell: compilers, make, cocotb, Python and
Amaranth each read dozens. A child process therefore receives only those named here.
"""

from __future__ import annotations

import logging
import os
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from platformdirs import user_cache_path, user_config_path

KEPT = frozenset(
    (
        *("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DEVELOPER_DIR"),
        *("HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TEMP", "TMP"),
        *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"),
        *("LANG", "LANGUAGE", "TZ", "TERM"),
    )
)
"""Variables that say where things are and how people read; locale's LC_* are kept as well."""


def child_environment(**more: str) -> dict[str, str]:
    """The environment of a child process: the variables in `KEPT`, and `more`."""
    kept = {name: os.environ[name] for name in os.environ if _is_kept(name)}
    if folder := yowasp_cache():
        kept["YOWASP_CACHE_DIR"] = str(folder)
    return kept | more


@contextmanager
def own_environment(**more: str) -> Iterator[None]:
    """Give this process `child_environment(**more)`, for libraries that read ``os.environ``.

    Blocks may be nested and overlap in threads; the end of the last one restores the environment.
    """
    with _guard:
        if not _inside:
            _outside.update(os.environ)
            inside = child_environment()
            os.environ.clear()
            os.environ.update(inside)
        _inside.append(more)
        os.environ.update(more)
    try:
        yield
    finally:
        with _guard:
            _inside.remove(more)
            if not _inside:
                os.environ.clear()
                os.environ.update(_outside)
                _outside.clear()


_guard, _inside, _outside = threading.Lock(), [], {}


def users_variable(name: str) -> str | None:
    """A variable as the user set it, within `own_environment` too; None where it is not set."""
    with _guard:
        return (_outside if _inside else os.environ).get(name)


def cache_folder() -> Path | None:
    """The cache folder: that of the user, or else a private temporary folder; None if neither is
    writable."""
    folder = user_cache_path("spikeloom")
    return folder if _takes_files(folder) else private_folder()


def yowasp_cache() -> Path | None:
    """The folder in which YoWASP's WebAssembly tools cache their compiled code."""
    folder = Path(os.environ.get("YOWASP_CACHE_DIR") or user_cache_path("YoWASP", appauthor=False))
    if _takes_files(folder):
        return folder
    fallback = private_folder()
    return fallback / "YoWASP" if fallback else None


def private_folder() -> Path | None:
    """A temporary folder private to this user and shared by all processes, or None."""
    try:
        path = Path(tempfile.gettempdir()) / f"spikeloom-cache-{os.getuid()}"
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError:
        return None
    # Cached files are executed later, so nobody else may write here.
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return path if ours and not found.st_mode & 0o077 and _takes_files(path) else None


def settle_caches() -> None:
    """Select a writable cache folder for Matplotlib; without one it warns and is slow."""
    folders = (user_cache_path("matplotlib"), user_config_path("matplotlib"))
    if "MPLCONFIGDIR" not in os.environ and not all(map(_takes_files, folders)):
        folder = private_folder()
        if folder:
            os.environ["MPLCONFIGDIR"] = str(folder / "matplotlib")
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # says that it is slow


def _is_kept(name):
    return name in KEPT or name.startswith("LC_")


@cache
def _takes_files(folder):
    """Whether `folder` is writable; it need not exist."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
