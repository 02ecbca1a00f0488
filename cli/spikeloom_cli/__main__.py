"""``python -m spikeloom_cli``: the `spikeloom` command."""

import sys

from .main import main

if __name__ == "__main__":
    sys.exit(main())
