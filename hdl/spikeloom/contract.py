"""The interface of every core: its keys, streams, hardware, golden model and cycles.

The configuration object is the core. It is all that a tool needs to generate, simulate, build, feed
and describe the core.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from .configuration import Configuration
from .errors import InputError
from .port import Flag, Port
from .work import Work

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .blocks.component import Component
    from .drawing import Drawing

MISFRAMED = Flag("tlast came where no tensor ends; stays high until reset")


@dataclass(frozen=True)
class Preset:
    """Settings that fit a class of devices, and the core clock in Hz if the core does not reach the
    board's clock frequency."""

    settings: dict[str, Any]
    hz: int | None = None


@dataclass(frozen=True)
class BenchRow:
    """A row of the bench, named ``core/engine/unroll/device``; `default`: part of the default
    set."""

    engine: str
    unroll: str
    device: str
    settings: dict[str, Any]
    default: bool = True


@dataclass(frozen=True)
class Trained:
    """Share of nonzero elements of each operand in trained networks, and the `source` of these
    densities."""

    densities: Mapping[str, float]
    source: str


@dataclass(frozen=True, kw_only=True)
class Core(Configuration):
    """One core in one configuration.

    A subclass is a frozen dataclass whose fields are its keys (`integer`, `number`, `choice`). It
    has its own folder below ``spikeloom/cores``, or another package provides it through the
    entry-point group ``spikeloom.cores``.

    Class members
    -------------
    NAME : name on the command line. SUMMARY : description in one line. SOURCE : the paper.
    UNROLL : keys to lower, in this order, if the core does not fit a device.
    UNROLL_FOLLOWS : keys that return to their default if one of `UNROLL` is lowered.
    SIZE_KEYS : keys to lower if a run takes too much memory.
    CASES : name to settings of each configuration of the regression.
    MUTANTS : the same of small configurations, whose mutants the tests are to notice, and whose
        lines they are to reach.
    ATTACHED : patterns of the names of instances that are cores of their own.
    PRESETS : class of devices to `Preset`.
    SMALLER : what makes a core smaller if no unroll fits a device.
    RUN : what a run computes, in one word. AHEAD : the core takes all operands of the next run
    while it computes.
    VIEWS : names of `views`, the default first.
    CYCLES_FOLLOW_DATA : whether zeros in the operands save cycles.
    BENCH : rows of the bench. IN_NETWORKS : densities of the operands in trained networks.
    """

    SUMMARY: ClassVar[str] = ""
    SOURCE: ClassVar[str] = ""
    UNROLL: ClassVar[tuple[str, ...]] = ()
    UNROLL_FOLLOWS: ClassVar[tuple[str, ...]] = ()
    SIZE_KEYS: ClassVar[tuple[str, ...]] = ()
    CASES: ClassVar[dict[str, dict[str, Any]]] = {}
    MUTANTS: ClassVar[dict[str, dict[str, Any]]] = {}
    ATTACHED: ClassVar[tuple[str, ...]] = ()
    PRESETS: ClassVar[dict[str, Preset]] = {}
    SMALLER: ClassVar[str] = "lower tokens or head_dim"
    RUN: ClassVar[str] = "attention"
    AHEAD: ClassVar[bool] = False
    VIEWS: ClassVar[tuple[str, ...]] = ("values",)
    CYCLES_FOLLOW_DATA: ClassVar[bool] = False
    BENCH: ClassVar[tuple[BenchRow, ...]] = ()
    IN_NETWORKS: ClassVar[Trained | None] = None

    @property
    def inputs(self) -> dict[str, Port]:
        """Input streams by name."""
        raise NotImplementedError

    @property
    def outputs(self) -> dict[str, Port]:
        """Output streams by name."""
        raise NotImplementedError

    @property
    def loads(self) -> dict[str, tuple[Port, NDArray]]:
        """Input streams that are sent once, after reset and before the first run: port and tensor
        by name. A later reset of the core leaves what it has loaded."""
        return {}

    @property
    def listings(self) -> dict[str, str]:
        """Texts for people that `generate` writes too, by the ending of their file's name."""
        return {}

    @property
    def memory_bits(self) -> int:
        """Bits of memory that the component needs in any case; a device with fewer is refused
        before synthesis. 0 if they are not known."""
        return 0

    @property
    def at_once(self) -> int:
        """Runs that are computed at once if their operands come ahead: so many times as many runs
        end in a second as one after the other would."""
        return 1

    @property
    def flags(self) -> dict[str, Flag]:
        """Status outputs other than `busy` and `done`."""
        return {"misframed": MISFRAMED}

    def create(self) -> Component:
        """The Amaranth component: start, busy, done, flags and streams; seed if it `takes_seed`."""
        raise NotImplementedError

    def golden(self, **operands: NDArray) -> dict[str, Any]:
        """Run the golden model on checked operands. Returns every output by name, and the flags
        that it models. Tensors have the shapes of the ports."""
        raise NotImplementedError

    def compute(self, **operands: ArrayLike) -> dict[str, Any]:
        """Check the operands of one run and run the golden model on them.

        Raises `InputError` if an operand is missing, has a wrong shape or is out of range.
        """
        return self.golden(**self.check(operands))

    def check(self, operands: Mapping[str, ArrayLike]) -> dict[str, NDArray]:
        """Operands of one run as arrays of the items' dtypes. Raises `InputError` if one is
        invalid."""
        check_names(self, operands)
        return {name: port.check(operands[name], name) for name, port in self.inputs.items()}

    def cycles(self, **operands: NDArray) -> int:
        """Cycles from start to the last output beat, if operands are preloaded as far as the core
        can hold them and no stream stalls. Exact for the given operands; without operands, the
        maximum."""
        raise NotImplementedError

    def cycle_formula(self) -> str:
        """The formula of `cycles` as text, in keys of the core and numbers of this configuration.
        After a semicolon, it explains the other quantities, which follow the data. By default only
        the number."""
        return f"{self.cycles()}"

    def work(
        self, densities: Mapping[str, float] | None = None, **operands: NDArray
    ) -> Work | None:
        """Operations and memory traffic of a run with these operands: exact, where the hardware
        follows the data. Without operands, the expected ones for the `densities`, the share of
        nonzero elements of an operand by name (default: those of `IN_NETWORKS`, 0.5 where they are
        unknown). None if they are not counted."""
        return None

    def densities_or_typical(self, densities: Mapping[str, float] | None) -> dict[str, float]:
        """The density of each input: the given one, else the one of `IN_NETWORKS`, else 0.5.

        Raises `InputError` for an unknown operand or a density outside 0..1.
        """
        given, known = dict(densities or {}), self.IN_NETWORKS
        found = dict.fromkeys(self.inputs, 0.5) | dict(known.densities if known else {}) | given
        for name, density in given.items():
            if name not in self.inputs:
                raise InputError(
                    f"{self.NAME}: no operand {name}; it takes {', '.join(self.inputs) or 'none'}"
                )
            if not 0 <= density <= 1:
                raise InputError(f"{self.NAME}: density {name} = {density:g} must be 0..1")
        return {name: found[name] for name in self.inputs}

    def stages(self) -> Drawing:
        """The datapath as a drawing, which maps each box to submodules of the component."""
        from .automatic_drawing import draw_core

        return draw_core(self)

    @classmethod
    def prepare(
        cls, settings: Mapping[str, Any], **tensors: NDArray
    ) -> tuple[Self, list[dict[str, NDArray]]]:
        """The core for a user's tensors, and the operands of each run.

        A core may derive keys that `settings` omit from the tensors. An additional leading axis
        enumerates runs (heads), which the core processes one after the other. Raises `InputError`
        if a shape, a value or a key does not fit.
        """
        core = cls.from_settings(settings)
        return core, core.split_runs(tensors)

    def split_runs(self, tensors: Mapping[str, ArrayLike]) -> list[dict[str, NDArray]]:
        """The checked operands of each run, from tensors with or without a leading axis of runs. A
        core without inputs gets one run."""
        check_names(self, tensors)
        if not self.inputs:
            return [{}]
        runs = []
        for name, port in self.inputs.items():
            array = port.complete(port.item.check(tensors[name], name))
            rank = len(port.shape)
            if array.shape[-rank:] != port.shape or array.ndim not in (rank, rank + 1):
                raise InputError(
                    f"{name}: shape {array.shape} is not {port.shape} ({', '.join(port.axes)}), "
                    "nor runs of that"
                )
            runs.append(array.reshape(-1, *port.shape))
        if len({len(operand) for operand in runs}) > 1:
            lengths = ", ".join(
                f"{name} {len(x)}" for name, x in zip(self.inputs, runs, strict=True)
            )
            raise InputError(f"{self.NAME}: operands have different numbers of runs: {lengths}")
        return [dict(zip(self.inputs, run, strict=True)) for run in zip(*runs, strict=True)]

    def describe(self) -> str:
        """The core in this configuration, in one line."""
        return self.SUMMARY

    def views(self) -> dict[str, Callable[[NDArray], NDArray]]:
        """Representations of the outputs by name; the first is the default."""
        return {"values": lambda output: output}

    def settled(self) -> Self:
        """The same hardware with every key set to a value, none dependent on data."""
        return self

    def reference(self, folder: Path) -> str:
        """The text by which `spikeloom.cores.find_core` finds the core's class in another process:
        its name. Subclasses may write a file into `folder` and return its path."""
        return self.NAME

    @property
    def takes_seed(self) -> bool:
        """Whether a run takes a seed: whether the core has a key `seed`. Its component has the port
        `seed` only then."""
        return hasattr(self, "seed")

    def seeded(self, run: int) -> Self:
        """The core with the seed of run number `run`: ``seed + run``, with 0 skipped on
        wrap-around."""
        seed = getattr(self, "seed", None)
        return self if seed is None else self.with_seed((seed - 1 + run) % (2**64 - 1) + 1)

    def with_seed(self, seed: int) -> Self:
        """The same core with another seed, if it has one."""
        return replace(self, seed=seed) if self.takes_seed else self

    def golden_bytes(self) -> float:
        """Approximate peak memory of the golden model in bytes, without its operands."""
        ports = (self.inputs | self.outputs).values()
        return 60.0 * sum(prod(port.shape) for port in ports)

    def beat_cycles(self) -> int:
        """Maximum cycles per operand beat, in addition to those of the run."""
        return 1

    def preload_cycles(self) -> int:
        """Cycles needed to load as many operand beats as the core can hold before start."""
        return max((port.beats for port in self.inputs.values()), default=0) + 8

    def time_limit(self) -> int:
        """Cycles after which a run without stalls is considered hung."""
        beats = max((port.beats for port in self.inputs.values()), default=0)
        return 2 * self.cycles() + 4 * beats * self.beat_cycles() + 1000

    def examples(self) -> list[dict[str, NDArray]]:
        """Operands of typical runs, for the figures of a core whose cycles follow the data."""
        return []

    def random_operands(self, rng: np.random.Generator, density: float = 0.5) -> dict[str, NDArray]:
        """Random operands for tests; see `Item.random`."""
        return {name: port.random(rng, density) for name, port in self.inputs.items()}

    def edge_operands(self, rng: np.random.Generator) -> dict[str, NDArray] | None:
        """Random operands for tests, where many outputs would be others if a sum changed by 1; None
        for cores whose outputs are sums, or follow from single bits."""
        return None

    def trained_operands(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Random operands with the densities of `IN_NETWORKS`, 0.5 where they are unknown."""
        return self.operands_with(self.densities_or_typical(None), rng)

    def operands_with(
        self, densities: Mapping[str, float], rng: np.random.Generator
    ) -> dict[str, NDArray]:
        """Random operands with the density of each."""
        return {name: port.random(rng, densities[name]) for name, port in self.inputs.items()}


def check_names(core: Core, tensors: Mapping[str, Any]) -> None:
    """Raise `InputError` if an operand is missing or unknown."""
    names = list(core.inputs)
    takes = f"it takes {', '.join(names) or 'none'}"
    unknown = [name for name in tensors if name not in names and tensors[name] is not None]
    if unknown:  # first: it may be a misspelt operand
        raise InputError(f"{core.NAME}: no operand {unknown[0]}; {takes}")
    missing = [name for name in names if tensors.get(name) is None]
    if missing:
        raise InputError(f"{core.NAME}: operand {missing[0]} is missing; {takes}")
