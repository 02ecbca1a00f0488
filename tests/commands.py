"""External programs in tests."""

import os
import subprocess


def run_command(command, folder, **environment):
    """Run a command line in `folder`; the result has `returncode`, and all output in `stdout`."""
    return subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
