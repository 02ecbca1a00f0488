"""One design with many faults, of which a simulation chooses one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spikeloom.export.verilog import to_verilog

from ..formal.module_pair import TO_NETLIST
from ..formal.pdr import run_script
from ..formal.places import places_of_modules

if TYPE_CHECKING:
    from spikeloom.contract import Core
    from spikeloom.export.verilog import VerilogModule

NUMBER = "mutant_number"  # register that chooses a fault
PLUSARG = "mutant"

# The blocks become one module, so that a fault belongs to one place, without attached cores, which
# have mutants of their own. All registers begin with 0, as Yosys gives the output of a faulty one a
# new name without its value.
_FAULTS = """
read_verilog rtl.v
hierarchy -check -top {top}
setattr -mod -set keep_hierarchy 1 {apart}
proc
{to_netlist}
write_rtlil design.il
mutate -list {count} -seed {seed} -o faults.txt {top}
"""


class MutantDesign:
    """About `count` mutants of a configured core, in one Verilog module.

    A simulation with ``+mutant=N`` has the fault N, counted from 1, and without it none. The same
    arguments give the same faults.

    Parameters
    ----------
    config : a small configuration, as every mutant is simulated.
    folder : for ``design.il``, the core as one module, and other files of Yosys.

    Members
    -------
    original, mutants : `VerilogModule` with the same ports, without and with the faults.
    attached : names of the modules of attached cores, which have no faults.
    faults : of each mutant, a ``mutate`` command of Yosys for ``design.il``.
    """

    def __init__(self, config: Core, folder: Path, count: int, seed: int) -> None:
        self.config = config
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.original = to_verilog(config)
        (self.folder / "rtl.v").write_text(self.original.text)
        self.attached = [
            module
            for module, place in places_of_modules(self.original).items()
            if any(re.search(rf"(^|\.){instance}\.$", place) for instance in config.ATTACHED)
        ]
        script = _FAULTS.format(
            top=self.original.name,
            apart=" ".join(self.attached) or "none",
            to_netlist=TO_NETLIST,
            count=count,
            seed=seed,
        )
        run_script(script, "faults", self.folder)
        # Clocks are left alone: one that passes a fault's multiplexer, active or not, comes later
        # than the others in simulation. A test that notices anything notices that a clock stands.
        # So are enables and resets of memories' read ports: most are constants, which Yosys needs.
        faults = (self.folder / "faults.txt").read_text().splitlines()
        alone = re.compile(r" -port (\w*CLK|RD_EN|RD_ARST|RD_SRST) ")
        self.faults = [fault for fault in faults if not alone.search(fault)]
        self.mutants = self._with_all_faults()

    def _with_all_faults(self) -> VerilogModule:
        """The core with every fault, each active for its number."""
        bits = len(self.faults).bit_length()
        script = ["read_rtlil design.il"]
        for number, fault in enumerate(self.faults, 1):
            control = f"mutate -ctrl {NUMBER} {bits} {number} "
            script.append(fault.replace("mutate ", control, 1))
        script.append("write_verilog -noattr mutants.v")
        run_script("\n".join(script) + "\n", "mutants", self.folder)
        return replace(self.original, text=_chosen((self.folder / "mutants.v").read_text(), bits))


def _chosen(text: str, bits: int) -> str:
    """The Verilog of the mutants, with a register of the plusarg's number in the place of the port
    that chooses a fault."""
    register = (
        f"  reg [{bits - 1}:0] {NUMBER} = 0;\n"
        f'  initial if ($value$plusargs("{PLUSARG}=%d", {NUMBER})) ;\n'
    )
    vector = rf"(\[{bits - 1}:0\] )?{NUMBER};\n"
    text, ports = re.subn(rf",\s*{NUMBER}\);", ");", text, count=1)
    text, inputs = re.subn(rf"^ *input {vector}", "", text, count=1, flags=re.M)
    text, wires = re.subn(rf"^ *wire {vector}", register, text, count=1, flags=re.M)
    assert (ports, inputs, wires) == (1, 1, 1), "Yosys declares ports in another way"
    return text
