"""``python -m spikeloom``: the `spikeloom` command."""

import sys


def main():
    """Run the command line, which is a package above this one and imported only now."""
    from spikeloom_cli.main import main

    return main()


if __name__ == "__main__":
    sys.exit(main())
