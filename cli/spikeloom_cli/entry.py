"""Where the command begins: Ctrl-C while the rest is still being imported gets its one line too."""

import sys


def main() -> int:
    """Run the command line; returns its exit code."""
    try:
        from .main import main as run
    except KeyboardInterrupt:
        print("spikeloom: interrupted; nothing was written", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
