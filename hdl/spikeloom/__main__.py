"""``python -m spikeloom``: the `spikeloom` command."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points


def main() -> int | None:
    """Run the command line, as it was installed beside this package."""
    (command,) = entry_points(group="console_scripts", name="spikeloom")
    return command.load()()


if __name__ == "__main__":
    sys.exit(main())
