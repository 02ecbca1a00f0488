"""The ready of the output reaches a few registers, and no other port."""

import json

import pytest

from spikeloom.cores.a2os2a import A2OS2A
from spikeloom.cores.a2os2a_block import A2OS2ABlock
from spikeloom.cores.ssa import SSA
from spikeloom.export.verilog import to_verilog
from spikeloom.tools import run_tool

SHAPE = {"tokens": 3, "head_dim": 12}


def reach(core, folder):
    """Bits of registers, and output ports, that follow the output's ready in the same cycle."""
    module = to_verilog(core)
    (folder / "core.v").write_text(module.text)
    script = (
        f"read_verilog core.v; prep -flatten -top {module.name}; opt -full; write_json core.json"
    )
    run_tool("yosys", "-ql", "log", "-p", script, cwd=folder)
    top = json.loads((folder / "core.json").read_text())["modules"][module.name]
    readers = {}
    for cell in top["cells"].values():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "input":
                for bit in bits:
                    readers.setdefault(bit, []).append(cell)
    reached, registers = set(top["ports"]["m_axis_o_tready"]["bits"]), set()
    queue = list(reached)
    while queue:
        for cell in readers.get(queue.pop(), ()):
            if "dff" in cell["type"]:
                registers |= set(cell["connections"]["Q"])
                continue
            for port, bits in cell["connections"].items():
                if cell["port_directions"][port] == "output":
                    queue += set(bits) - reached
                    reached |= set(bits)
    ports = {
        name
        for name, port in top["ports"].items()
        if port["direction"] == "output" and reached & set(port["bits"])
    }
    return len(registers), ports


@pytest.mark.parametrize("order", ["kv", "qk"])
def test_a2os2a(order, tmp_path):
    """Fewer registers than two lanes have, of twelve."""
    registers, ports = reach(A2OS2A(**SHAPE, order=order, lanes=12), tmp_path)
    assert registers <= 20
    assert ports == set()


def test_ssa_that_samples(tmp_path):
    """The counters of the output queue, fewer registers than a stage of the pipeline has."""
    registers, ports = reach(SSA(**SHAPE, engine="sampled"), tmp_path)
    assert registers <= 20
    assert ports == set()


@pytest.mark.long
def test_done_is_a_register(tmp_path):
    """In every core, for they share `RunControl`."""
    for name, core in (("ssa", SSA(tokens=2, head_dim=2)), ("block", A2OS2ABlock(**SHAPE))):
        (tmp_path / name).mkdir()
        _, ports = reach(core, tmp_path / name)
        assert "done" not in ports
