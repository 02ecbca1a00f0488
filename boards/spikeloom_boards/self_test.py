"""Built-in self-test: a core fed from ROM, with a CRC over its output."""

from __future__ import annotations

import binascii
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.crc import catalog
from amaranth.lib.wiring import Out

from spikeloom.blocks.component import Component
from spikeloom.blocks.row_splitter import RowSplitter
from spikeloom.errors import InputError
from spikeloom.footprint import check_golden

from .rom_stream import RomStream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikeloom.contract import Core
    from spikeloom.port import Port


class SelfTest(Component):
    """Runs the core once after reset on operands from ROM and checks a CRC-32 of the output.

    The CRC is that of ``zlib``, over the output beats in order, each padded to whole bytes, lowest
    byte first. The test fails if the core has not finished after `limit` cycles.

    Parameters
    ----------
    config : the core's configuration; `config.seed` is the seed of the run.
    operands : stream name to list of (data, last), repeated without end.
    expected : CRC of the golden model's output.
    limit : cycles until the test fails.

    Members
    -------
    passed, failed : Out(1), one of them is high when the test is over.
    crc : Out(32), of the beats so far.
    """

    def __init__(
        self,
        config: Core,
        operands: Mapping[str, Sequence[tuple[int, int]]],
        expected: int,
        limit: int,
    ) -> None:
        self._config = config
        self._operands = operands
        self._expected = expected
        self._limit = limit
        super().__init__(
            {
                "passed": Out(1),
                "failed": Out(1),
                "crc": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.submodules.core = core = self._config.create()
        for name, beats in self._operands.items():
            port = getattr(core, name)
            rom = RomStream(beats, len(port.payload.data))
            m.submodules[f"rom_{name}"] = rom
            wiring.connect(m, rom.o, port)

        # Start once; a core without a seed has the port all the same.
        seed = getattr(self._config, "seed", 0)
        started = Signal()
        m.d.comb += [core.start.eq(~started), core.seed.eq(seed)]
        m.d.sync += started.eq(1)

        # Output beats, byte by byte, through the CRC.
        bits = len(core.o.payload.data)
        padded = -(-bits // 8) * 8
        m.submodules.bytes = splitter = RowSplitter(padded, 8)
        m.submodules.crc = crc = catalog.CRC32_ISO_HDLC(8).create()
        m.d.comb += [
            splitter.i.payload.eq(core.o.payload.data),
            splitter.i.valid.eq(core.o.valid),
            core.o.ready.eq(splitter.i.ready),
            splitter.o.ready.eq(1),
            crc.start.eq(0),
            crc.data.eq(splitter.o.payload),
            crc.valid.eq(splitter.o.valid),
            self.crc.eq(crc.crc),
        ]

        # Wait until the bytes of the last beat have passed through the CRC.
        waited = Signal(range(self._limit + 1))
        finished = Signal()
        settle = Signal(range(padded // 8 + 4))
        with m.If(core.done):
            m.d.sync += finished.eq(1)
        with m.If(~self.passed & ~self.failed):
            m.d.sync += waited.eq(waited + 1)
            with m.If(waited == self._limit):
                m.d.sync += self.failed.eq(1)
            with m.If(finished):
                m.d.sync += settle.eq(settle + 1)
                with m.If(settle == padded // 8 + 3):
                    good = (crc.crc == self._expected) & ~core.misframed
                    m.d.sync += [self.passed.eq(good), self.failed.eq(~good)]

        return m


def make_self_test(core: Core, frames: int = 1) -> SelfTest:
    """A `SelfTest` of `core` with operands drawn at random (fixed seed) and the golden CRC.

    `frames` : number of different time steps (heads) in ROM; longer runs repeat them.
    """
    if list(core.outputs) != ["o"] or core.loads:
        raise InputError(
            f"{core.NAME}: the self-test is for cores with one output, o, and not "
            f"{', '.join(core.outputs)}; build with --top link, or generate without --board"
        )
    check_golden(core, made_here=True)
    rng = np.random.default_rng(2024)
    operands, beats = {}, {}
    for name, port in core.inputs.items():
        operands[name], beats[name] = repeated(port, port.random(rng), frames)
    expected = output_crc(core, core.compute(**operands))
    return SelfTest(core, beats, expected, 8 * core.cycles() + 100_000)


def repeated(port: Port, tensor: NDArray, frames: int) -> tuple[NDArray, list[tuple[int, int]]]:
    """`tensor` with its first `frames` frames repeated, and the beats of one repetition."""
    if port.frame_beats == port.beats:
        return tensor, port.pack(tensor)
    period = min(-(-frames // port.beat[0]) * port.beat[0], port.shape[0])
    tensor = np.resize(tensor[:period], port.shape)
    rounds = -(-period // port.beat[0])
    return tensor, port.pack(tensor)[: rounds * port.frame_beats]


def output_crc(core: Core, outputs: Mapping[str, NDArray]) -> int:
    """CRC-32 of golden outputs, in the order and packing of the output stream."""
    return binascii.crc32(core.outputs["o"].to_bytes(outputs["o"]))
