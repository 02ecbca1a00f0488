"""A network that classifies stored pictures without a host: the design of a bitstream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from amaranth.hdl import Cat, Module, ResetInserter, Signal
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from ..errors import InputError
from .flash_loader import FlashContents, FlashLoader
from .linked_core import connect_beats

if TYPE_CHECKING:
    from ..contract import Core

INPUT, OUTPUT = "image", "label"
FLASH_BYTES = 1 << 24  # that three bytes of address reach
ALIGNMENT = 0x1000  # of the pictures in the flash memory: a sector
BLINKS_PER_SECOND = 2
PAUSE = 4  # half blinks between two pictures


class PictureShow(Component):
    """A network, its weights and some pictures in a flash memory, and a light.

    After power-up the weights are loaded. Then one picture after the other is classified, again and
    again, and the light blinks once for class 0, twice for class 1, and so on.

    Parameters
    ----------
    config : the network's configuration.
    pictures : operands of runs, as for `Core.compute`.
    address : of `flash_bytes` in the flash memory.
    hz : the clock frequency.

    Members
    -------
    light : Out(1), blinks. failed : Out(1), the memory holds something else.
    cs, sck, copi, cipo : the flash memory, see `FlashLoader`.

    Raises `InputError` for a core that is no network.
    """

    def __init__(
        self, config: Core, pictures: Sequence[Mapping[str, Any]], address: int, hz: int
    ) -> None:
        if list(config.inputs) != [INPUT] or OUTPUT not in config.outputs:
            raise InputError(f"{config.NAME} is no network; pictures are classified by networks")
        self._config = config
        self._address = address
        self._hz = hz
        self._half_blink = hz // (2 * BLINKS_PER_SECOND)
        self._weights = FlashContents.of(config)
        port = config.inputs[INPUT]
        frames = [port.to_bytes(picture[INPUT]) for picture in pictures]
        self._pictures = FlashContents(INPUT, b"".join(frames), port.beat_bytes, len(frames))
        if address + len(self.flash_bytes) > FLASH_BYTES:
            raise InputError(
                f"{len(frames):,} pictures and the weights do not fit the flash memory of "
                f"{FLASH_BYTES:,} bytes; store fewer"
            )
        memory = {"cs": Out(1), "sck": Out(1), "copi": Out(1), "cipo": In(1)}
        super().__init__({"light": Out(1), "failed": Out(1), **memory})

    @property
    def flash_bytes(self) -> bytes:
        """What the flash memory holds: the weights, if they are loaded, and the pictures."""
        if self._weights is None:
            return self._pictures.to_bytes()
        weights = self._weights.to_bytes()
        return weights + bytes(-len(weights) % ALIGNMENT) + self._pictures.to_bytes()

    def elaborate(self, platform):
        m = Module()

        m.submodules.core = core = self._config.create()
        m.submodules.pictures = ResetInserter(loading := Signal())(
            pictures := FlashLoader(self._pictures, self._place, self._hz, endless=True)
        )
        connect_beats(m, pictures.o, getattr(core, INPUT))
        loaded = Signal()
        if self._weights is None:
            m.d.comb += loaded.eq(1)
            self._select(m, pictures)
        else:
            weights = FlashLoader(self._weights, self._address, self._hz)
            m.submodules.weights = weights
            m.d.comb += [loading.eq(weights.busy), loaded.eq(weights.loaded)]
            connect_beats(m, weights.o, getattr(core, self._weights.name))
            with m.If(weights.busy):
                self._select(m, weights)
            with m.Else():
                self._select(m, pictures)
        for name in self._config.outputs:
            m.d.comb += getattr(core, name).ready.eq(1)
        m.d.comb += self.failed.eq(~loading & ~(loaded & pictures.busy))
        self._show(m, core, loaded)

        return m

    @property
    def _place(self) -> int:
        """The address of the pictures."""
        return self._address + len(self.flash_bytes) - len(self._pictures.to_bytes())

    def _select(self, m, loader):
        """Connect a loader to the memory."""
        m.d.comb += loader.cipo.eq(self.cipo)
        for pin in ("cs", "sck", "copi"):
            m.d.comb += getattr(self, pin).eq(getattr(loader, pin))

    def _show(self, m, core, loaded):
        """Start a run, and blink for its class; times are counted in half blinks."""
        label = getattr(core, OUTPUT)
        cycles, half = Signal(range(self._half_blink)), Signal()
        left = Signal(range(max(PAUSE, 2 << len(label.payload.data))))
        m.d.comb += half.eq(cycles == self._half_blink - 1)
        m.d.sync += cycles.eq(cycles + 1)
        with m.If(half):
            m.d.sync += cycles.eq(0)
        with m.FSM():
            with m.State("start"), m.If(loaded):
                m.d.comb += core.start.eq(1)
                m.next = "run"
            with m.State("run"), m.If(label.valid):
                m.d.sync += [left.eq(Cat(1, label.payload.data)), cycles.eq(0)]
                m.next = "blink"
            with m.State("blink"):
                m.d.comb += self.light.eq(left[0])
                with m.If(half):
                    m.d.sync += left.eq(left - 1)
                    with m.If(left == 0):
                        m.d.sync += left.eq(PAUSE - 1)
                        m.next = "pause"
            with m.State("pause"), m.If(half):
                m.d.sync += left.eq(left - 1)
                with m.If(left == 0):
                    m.next = "start"
