"""Build a core for boards and print the table of ``docs/boards.md``: ``python board_table.py``.

Arguments are names of boards; without any, it builds for all boards, which takes about ten minutes
for `ssa`. Existing builds in the folder of ``-o`` are reused.
"""

import argparse
import sys
from pathlib import Path

from spikeloom.errors import InputError, JobError
from spikeloom_boards.boards import BOARDS, find_board
from spikeloom_boards.build import Build, build
from spikeloom_boards.comparison import markdown, read_report
from spikeloom_boards.presets import core_clock, preset_config


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("boards", nargs="*", default=list(BOARDS), metavar="BOARD")
    parser.add_argument("--core", default="ssa")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/boards"))
    asked = parser.parse_args()

    reports, failed = [], []
    for name in asked.boards:
        folder = asked.output / f"{name}-{asked.core}"
        print(name, file=sys.stderr)
        try:
            if not (folder / "report.json").exists():
                target = find_board(name)
                config = preset_config(asked.core, target)
                build(Build(config, target, core_clock(asked.core, target)), folder)
            reports.append(read_report(folder))
        except (InputError, JobError) as error:
            failed.append(f"{name}: {error}")
    print(markdown(reports), end="")
    for line in failed:
        print(line, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
