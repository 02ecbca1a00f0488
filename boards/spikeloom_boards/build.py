"""Build a bitstream: elaborate, synthesise, place and route, pack, report."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom import __version__
from spikeloom.blocks.memory_attributes import LOADED_RAM
from spikeloom.errors import InputError, JobError, unknown
from spikeloom.export.design_name import check_name
from spikeloom.export.plain_names import plain_names
from spikeloom.export.verilog import without_large_ram
from spikeloom.link.flash_loader import FlashContents
from spikeloom.link.linked_core import LinkedCore
from spikeloom.link.picture_show import PictureShow
from spikeloom.link.protocol import DEFAULT_BAUD
from spikeloom.link.uart import uart_divisor
from spikeloom.outputs import output_folder
from spikeloom.tools import for_amaranth, require, run_tool, versions

from .board_top import BoardTop
from .boards import Board
from .clocking import plan_pll
from .energy import energy_record
from .fit import check_memory, fits, needs, what_would_fit
from .floorplan import read_placement
from .rates import rates
from .report import Report, finish_synthesis, read_nextpnr_report, read_warnings
from .report_html import build_page
from .self_test import make_self_test
from .technologies import DEFAULT, find_technology

if TYPE_CHECKING:
    from spikeloom.contract import Core
    from spikeloom.families.family import Synthesis

NAME = "spikeloom"  # of the top module and the bitstream, if the user gives none
PLACED = "placed.json"
NO_CONTENTS = f"proc; memory_collect; setparam -set INIT 1'x a:ram_style={LOADED_RAM['ram_style']}"
"""Yosys' passes that remove the initial contents, all zeros, of memories that are loaded after
reset; the RAM to which they are mapped has none."""
OTHER_FILES = ("synthesis", "nextpnr", "placed", "image")  # none is called "report", a keyword
SEEDS = (1, 2, 3)
PLACE_SEEDS = range(2**64)  # range of nextpnr's seeds
MHZ_RANGE = (0.001, 1000)  # MHz, allowed range of --mhz


@dataclass
class Build:
    """One build: `config` for `board` at `frequency` Hz, placed with nextpnr's `seed`, or with the
    first of `SEEDS` that meets timing.

    `top` is the design around the core, one of `TOPS` (default: the board's): the host link, at
    `baud`; the self-test, with `rom_steps` different time steps of operands in ROM; or `pictures`
    that a network classifies, one after the other. `technology` prices the energy of a run. `name`
    is that of the top module and the bitstream.
    """

    config: Core
    board: Board
    frequency: int
    seed: int | None = None
    top: str | None = None
    baud: int = DEFAULT_BAUD
    rom_steps: int = 1
    pictures: Sequence[Mapping[str, Any]] = ()
    technology: str = DEFAULT
    name: str = NAME

    def __post_init__(self):
        check_name(self.name)
        if self.name in {*OTHER_FILES, *self.config.loads}:
            raise InputError(
                f"--name {self.name!r} is the name of another file of the build; use another name"
            )
        self.top = self.top or self.board.top
        if self.top not in TOPS:
            raise unknown("top", self.top, TOPS)
        if self.seed is not None and self.seed not in PLACE_SEEDS:
            raise InputError(
                f"--seed {self.seed}: seeds of place and route are 0..{PLACE_SEEDS.stop - 1}"
            )
        if (self.top == "pictures") != bool(len(self.pictures)):
            raise InputError("--top pictures and --images X.npy go together")
        if self.top == "pictures" and not self.board.flash_at:
            raise InputError(
                f"{self.board.id} has no flash memory for pictures; choose a board with flash_at, "
                "such as icebreaker"
            )
        find_technology(self.technology)
        plan_pll(self.board, self.frequency)
        if self.top == "link":
            uart_divisor(self.frequency, self.baud)
            fastest = self.board.uart.max_baud
            if self.baud > fastest:
                raise InputError(
                    f"baud = {self.baud}: the USB bridge of {self.board.id} reaches {fastest}; "
                    "choose at most that"
                )


def hertz(mhz: float) -> int:
    """A frequency in MHz as whole Hz. Raises `InputError` outside `MHZ_RANGE`."""
    low, high = MHZ_RANGE
    if not low <= mhz <= high:  # also refuses NaN
        raise InputError(f"--mhz {mhz:g} is not allowed; a clock is {low:g}..{high:g} MHz")
    return round(mhz * 1e6)


def _link(job):
    divisor = uart_divisor(job.frequency, job.baud)
    flash = job.board.flash_at or None
    return LinkedCore(job.config, job.frequency, divisor, flash), ("session", "misframed")


def _self_test(job):
    return make_self_test(job.config, job.rom_steps), ("passed", "failed")


def _show(job):
    return PictureShow(job.config, job.pictures, job.board.flash_at, job.frequency)


def _pictures(job):
    return _show(job), ("light", "failed")


TOPS = {"link": _link, "self-test": _self_test, "pictures": _pictures}
"""Designs around a core: function from a job to the component and the names of its two lights."""


def build(job: Build, folder: Path, progress: Callable = lambda step: None) -> Report:
    """Build the bitstream of `job` in `folder`; on failure the folder is left as it was.

    Writes the bitstream, ``report.json``, ``report.html``, the tools' logs and, for a network, its
    file; also what the board loads from its flash memory. The same job gives the same files, except
    for the logs and the seconds of each step in ``times.json``. `progress` is called with the name
    of each step when it begins.

    Returns a `Report`. Raises `InputError` if the core does not fit the device, `JobError` if a
    tool fails or timing is not met.
    """
    with output_folder(folder, "build") as staging:
        times = _Times(progress)
        report = _build_in(job, staging, times)
        (staging / "times.json").write_text(json.dumps(times.seconds(), indent=2) + "\n")
        record = report.as_dict()
        (staging / "report.json").write_text(json.dumps(record, indent=2) + "\n")
        placement = staging / PLACED
        page = build_page(record, read_placement(placement), core=job.config)
        (staging / "report.html").write_text(page)
        placement.unlink()
        if not report.timing_met:
            raise JobError(
                f"timing: {report.fmax_mhz:.1f} MHz reached, {report.target_mhz:g} MHz needed; "
                f"lower --mhz or the unroll, or try another --seed "
                f"(critical path: {report.critical_path})"
            )
    return report


class _Times:
    """Passes the name of each step on to `progress`, and measures the steps."""

    def __init__(self, progress: Callable[[str], object]) -> None:
        self._progress = progress
        self._begun: list[tuple[str, float]] = []

    def __call__(self, step: str) -> None:
        self._begun.append((step, time.monotonic()))
        self._progress(step)

    def seconds(self) -> dict[str, float]:
        """Seconds by step, up to now."""
        ends = [begun for _, begun in self._begun[1:]] + [time.monotonic()]
        found: defaultdict[str, float] = defaultdict(float)
        for (step, begun), end in zip(self._begun, ends, strict=True):
            found[step] += end - begun
        return {step: round(seconds, 1) for step, seconds in found.items()}


def _build_in(job, folder, progress):
    board, device, family = job.board, job.board.device, job.board.family
    check_memory(job)
    require(family.PLACER)

    synthesis = synthesise_in(folder, job, progress)
    if not fits(synthesis, device):
        raise InputError(
            f"{board.id}: {job.config.NAME} does not fit {device.name}: at least "
            f"{needs(synthesis, device)}; "
            f"{what_would_fit(job, synthesis, synthesise_in, progress)}"
        )

    progress("place and route")
    seed, placed = _place(job, folder, progress)

    progress("pack")
    bitstream = f"{job.name}.{family.BITSTREAM}"
    run_tool(*family.pack(board.part, _routed(job), bitstream, board.pack), cwd=folder)

    for scratch in {f"{job.name}.il", f"{job.name}.{family.NETLIST}", _routed(job)} - {PLACED}:
        (folder / scratch).unlink()
    data = _write_flash_data(job, folder)
    reference = job.config.reference(folder)
    cycles = job.config.cycles()
    baud = job.baud if job.top == "link" else None
    return Report(
        core=job.config.NAME,
        board=board.id,
        device=device.name,
        config=job.config.settled().as_dict(),
        lut4=synthesis.lut4,
        registers=synthesis.registers,
        optimised=dict(synthesis.optimised),
        target_mhz=job.frequency / 1e6,
        cycles=cycles,
        us=cycles / (job.frequency / 1e6),
        loaded=[] if data else list(job.config.loads),
        flash_data=data,
        network=None if reference == job.config.NAME else Path(reference).name,
        top=job.top,
        baud=baud,
        rates=[rate.as_dict() for rate in rates(job.config, job.frequency / 1e6, baud)],
        energy=energy_record(job.config, job.technology),
        seed=seed,
        bitstream=bitstream,
        bitstream_sha256=hashlib.sha256((folder / bitstream).read_bytes()).hexdigest(),
        warnings=read_warnings(folder / "synthesis.log", folder / "nextpnr.log"),
        tools={"amaranth": metadata.version("amaranth")} | versions("yosys", family.PLACER),
        version=__version__,
        **placed,
    )


def synthesise_in(folder: Path, job: Build, progress: Callable[[str], None]) -> Synthesis:
    """Elaborate and synthesise `job` in `folder`; returns the result of
    `finish_synthesis`."""
    progress("elaborate")
    for name, text in design_files(job).items():
        (folder / name).write_text(text)
    progress("synthesise")
    run_tool("yosys", "-ql", "synthesis.log", f"{job.name}.ys", cwd=folder)
    family = job.board.family
    return finish_synthesis(folder / f"{job.name}.{family.NETLIST}", family)


def _write_flash_data(job, folder):
    """Write what the board loads from its flash memory to a file. Returns its name, hash and
    address for the report; None if there is none."""
    if job.top == "pictures":
        stream, data = "image", _show(job).flash_bytes
    else:
        contents = FlashContents.of(job.config)
        if contents is None or not job.board.flash_at or job.top != "link":
            return None
        stream, data = contents.name, contents.to_bytes()
    name = f"{stream}.bin"
    (folder / name).write_bytes(data)
    return {
        "file": name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "address": job.board.flash_at,
        "stream": stream,
    }


def _place(job, folder, progress):
    """Place and route; returns the seed used and the result of `read_nextpnr_report`.

    Raises `JobError` if placement fails for every seed; a missed clock is not an error here.
    """
    family = job.board.family
    command = family.place(
        job.board.part,
        f"{job.name}.{family.NETLIST}",
        constraints=f"{job.name}.{family.CONSTRAINTS}",
        routed=_routed(job),
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


def _routed(job):
    """Name of the packer's input file."""
    family = job.board.family
    return f"{job.name}.{family.ROUTED}" if family.ROUTED else PLACED


def design_files(job: Build) -> dict[str, str]:
    """Input files of synthesis: RTLIL, Yosys script and constraints, by name.

    The text does not depend on where Spikeloom and Python are installed.
    """
    family = job.board.family
    design, lights = TOPS[job.top or job.board.top](job)
    top = BoardTop(job.board, design, lights, job.frequency)
    with for_amaranth(family.TOOLS):
        plan = job.board.make_platform().prepare(top, job.name)
    texts = {
        name: _without_folders(content.decode() if isinstance(content, bytes) else content)
        for name, content in plan.files.items()
        if name.endswith((".il", ".ys", f".{family.CONSTRAINTS}"))
    }
    rtlil, script = f"{job.name}.il", f"{job.name}.ys"
    if not job.board.device.large_rams:
        texts[rtlil] = without_large_ram(texts[rtlil])
    elif f'ram_style "{LOADED_RAM["ram_style"]}"' in texts[rtlil]:
        texts[script] = texts[script].replace(f"{rtlil}\n", f"{rtlil}\n{NO_CONTENTS}\n")
    return texts | {rtlil: _without_bypasses(plain_names(texts[rtlil]))}


def _without_folders(text):
    """RTLIL with source locations relative to a package, or reduced to the file name."""
    for path in (r"((?:spikeloom\w*|amaranth\w*)/[^\"|]*)", r"([^\"|/]*)"):
        text = re.sub(rf'(?<=["|])/(?:[^"|]*/)?{path}(?=["|])', r"\1", text)
    return text


def _without_bypasses(text):
    """RTLIL with the memory attribute ``no_rw_check`` applied to the read ports.

    Yosys applies the attribute when it reads Verilog, but not for RTLIL, where each port has its
    own collision mask. Transparent ports are left unchanged.
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
