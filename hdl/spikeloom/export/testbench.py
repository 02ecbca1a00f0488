"""A testbench in plain Verilog with vectors of the golden model, which needs no Spikeloom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..footprint import check_golden
from ..shell.registers import core_registers
from .instances import design_words, environment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..contract import Core
    from ..port import Port

DENSITIES = (0.5, 0.5, 0.2)  # of the operands of each run
FEW = 200_000  # cycles of a run; longer ones run once
MOST_BYTES = 1e9  # of the golden model
SEED = 2024


def bench_files(
    core: Core,
    manifest: Mapping[str, Any],
    densities: Sequence[float] = DENSITIES,
    *,
    edges: int = 0,
) -> dict[str, str]:
    """The testbench of the design of `manifest` and its vectors: path to text. It has a run for
    each of `densities` of the operands, and `edges` with `Core.edge_operands`, if the core has any.

    Empty if the golden model of `core` takes too much memory.
    """
    if core.golden_bytes() > MOST_BYTES:
        return {}
    try:
        check_golden(core, made_here=True)
    except InputError:
        return {}
    rng = np.random.default_rng(SEED)
    shares = densities if core.cycles() <= FEW else densities[:1]
    drawn = [core.random_operands(rng, share) for share in shares]
    drawn += filter(None, (core.edge_operands(rng) for _ in range(edges)))
    operands = [core.check(one) for one in drawn]
    seeded = [core.seeded(number) for number in range(len(operands))]
    results = [one.golden(**given) for one, given in zip(seeded, operands, strict=True)]

    module = manifest["module"]
    ports = core.inputs | core.outputs
    tensors = {name: [given[name] for given in operands] for name in core.inputs}
    tensors |= {name: [result[name] for result in results] for name in core.outputs}
    for name, (port, tensor) in core.loads.items():
        ports[name], tensors[name] = port, [tensor]
    widths = {stream["name"]: stream["tdata_bits"] for stream in manifest["streams"]}
    files = {
        f"testbench/{module}_{name}.hex": _hex(ports[name], tensors[name], widths[name])
        for name in ports
    }
    template = environment.get_template("testbench.v.j2")
    registers = core_registers(core) if manifest["shell"] else []
    offsets = {register.name: f"12'h{register.offset:03x}" for register in registers}
    files[f"testbench/{module}_tb.v"] = template.render(
        **design_words(manifest),
        runs=len(operands),
        turns={name: n for n, name in enumerate(core.inputs | core.outputs, 1)},
        seeds=[getattr(one, "seed", 0) for one in seeded] if core.takes_seed else [],
        outputs=[port["name"] for port in manifest["ports"] if port["direction"] == "output"],
        asserted=int(manifest["reset"]["active"] == "high"),
        limit=20 * core.time_limit(),
        preload=core.preload_cycles(),
        flags=_flags(core, results),
        cycles_of_first=seeded[0].cycles(**operands[0]),
        registers=registers,
        offsets=offsets,
        complete_status="32'h6" if core.loads else "32'h2",
    )
    return files


def _flags(core: Core, results: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, list[int]]]:
    """Of each flag that the golden model has: its bits, and its value after each run."""
    found: dict[str, tuple[int, list[int]]] = {}
    for result in results:
        for name, flag in core.flags.items():
            if name in result:
                _, values = found.setdefault(name, (flag.bits, []))
                values.append(flag.after(values[-1] if values else 0, int(result[name])))
    return found


def _hex(port: Port, tensors: Iterable[NDArray], width: int) -> str:
    """The beats of `tensors` as words {tlast, tdata} for ``$readmemh``."""
    digits = -(-(width + 1) // 4)
    beats = [beat for tensor in tensors for beat in port.pack(tensor)]
    return "".join(f"{data | last << width:0{digits}x}\n" for data, last in beats)
