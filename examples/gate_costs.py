"""What a product of spikes, a sum and a product of numbers cost on an FPGA:
``python examples/gate_costs.py``.

Each row is one Verilog expression, synthesised by Yosys for the iCE40 without its multipliers.
"""

import json
import sys
import tempfile
from pathlib import Path

from spikeloom.tools import run_tool

OPERATIONS = {
    "AND of two spikes": (1, "&"),
    "sum of two 8-bit numbers": (8, "+"),
    "product of two 8-bit numbers": (8, "*"),
    "product of two 16-bit numbers": (16, "*"),
}


def lut4(bits, operation):
    """LUT4 of an operation on two numbers of so many bits."""
    ports = f"input [{bits - 1}:0] a, b, output [{2 * bits - 1}:0] o"
    with tempfile.TemporaryDirectory() as folder:
        source = f"module top({ports}); assign o = a {operation} b; endmodule\n"
        Path(folder, "top.v").write_text(source)
        script = "read_verilog top.v; synth_ice40; tee -q -o stat.json stat -json"
        run_tool("yosys", "-ql", "log", "-p", script, cwd=folder)
        design = json.loads(Path(folder, "stat.json").read_text())["design"]
    return design["num_cells_by_type"]["SB_LUT4"]


def main():
    for name, operation in OPERATIONS.items():
        print(f"{name:30} {lut4(*operation):4} LUT4")


if __name__ == "__main__":
    sys.exit(main())
