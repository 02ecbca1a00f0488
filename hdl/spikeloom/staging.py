"""Writing folders whole or not at all."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError


@contextmanager
def whole_folder(folder, marker):
    """Yield a hidden folder to fill; it becomes `folder` if the block ends without an error.

    An earlier `folder` is replaced if it holds file `marker`, by which it is known to be ours.
    Raises `InputError` for any other folder that is not empty, and for a file in its place.
    """
    folder = Path(folder)
    if folder.exists():
        if not folder.is_dir():
            raise InputError(f"{folder} is a file; choose another -o")
        if any(folder.iterdir()) and not (folder / marker).exists():
            raise InputError(f"{folder} holds other files; choose an empty or a new -o")
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield staging
        if folder.exists():
            shutil.rmtree(folder)
        os.chmod(staging, 0o755)
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
