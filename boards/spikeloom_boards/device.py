"""The FPGAs: what they hold and how to place and route for them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FPGA:
    """One FPGA type.

    ``cells`` and ``block_rams`` are what it holds; ``cell_type`` and ``ram_type`` are nextpnr's
    names for them; ``place`` are nextpnr's options that choose it.
    """

    name: str
    family: str  # "ice40" or "ecp5"
    cells: int
    block_rams: int
    place: tuple

    @property
    def cell_type(self):
        return {"ice40": "ICESTORM_LC", "ecp5": "TRELLIS_COMB"}[self.family]

    @property
    def ram_type(self):
        return {"ice40": "ICESTORM_RAM", "ecp5": "DP16KD"}[self.family]


HX1K = FPGA("iCE40HX1K", "ice40", 1280, 16, ("--hx1k",))
HX8K = FPGA("iCE40HX8K", "ice40", 7680, 32, ("--hx8k",))
LP8K = FPGA("iCE40LP8K", "ice40", 7680, 32, ("--lp8k",))
UP5K = FPGA("iCE40UP5K", "ice40", 5280, 30, ("--up5k",))
ECP5_25F = FPGA("LFE5U-25F", "ecp5", 24288, 56, ("--25k",))
ECP5_85F = FPGA("LFE5U-85F", "ecp5", 83640, 208, ("--85k",))
ECP5_UM_45F = FPGA("LFE5UM-45F", "ecp5", 43848, 108, ("--um-45k",))
ECP5_UM5G_45F = FPGA("LFE5UM5G-45F", "ecp5", 43848, 108, ("--um5g-45k",))
ECP5_UM5G_85F = FPGA("LFE5UM5G-85F", "ecp5", 83640, 208, ("--um5g-85k",))
