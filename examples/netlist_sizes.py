"""Netlist sizes of the `ssa` core at N = D = 64, T = 10, from one cell to the paper's array.

    python examples/netlist_sizes.py              all unrolls (64x64 and the array are slow)
    python examples/netlist_sizes.py 1x1 16x8     only these, CELLSxBITS

Prints a Markdown table, row by row. Sizes are from Yosys, before placement.
"""

import sys

from spikeloom.cores.ssa import SSA
from spikeloom.cores.ssa.schedule import cycles
from spikeloom.families import FAMILIES
from spikeloom_boards.netlist_size import netlist_size

SHAPE = {"tokens": 64, "head_dim": 64, "steps": 10}
UNROLLS = {
    "1x1": {"cells": 1, "bits": 1},
    "4x4": {"cells": 4, "bits": 4},
    "16x8": {"cells": 16, "bits": 8},
    "64x8": {"cells": 64, "bits": 8},
    "64x64": {"cells": 64, "bits": 64},
    "4096x1": {"cells": 4096, "bits": 1, "inputs": "values"},
}


def main():
    """Print the rows named on the command line, or all."""
    wanted = sys.argv[1:] or list(UNROLLS)
    print("| cells x bits | inputs | cycles | family | LUT4 | flip-flops | block RAMs |")
    print("|---|---|---|---|---|---|---|")
    for unroll in wanted:
        config = SSA(**SHAPE | UNROLLS[unroll])
        for family in FAMILIES.values():
            size = netlist_size(config, family)
            print(
                f"| {config.cells} x {config.bits} | {config.inputs} | {cycles(config)} "
                f"| {family.NAME} | {size.lut4} | {size.registers} | {size.block_rams} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
