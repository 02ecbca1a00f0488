"""AXI4-Stream sources and sinks for testbenches, each with its own stall pattern."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from cocotb.triggers import RisingEdge


class Stalls:
    """Random stalls: pauses in each cycle with probability `rate`, from its own seed. A sink with
    `after_valid` is ready only for a beat that it has seen."""

    def __init__(self, rate: float = 0.0, seed: int = 0, *, after_valid: bool = False) -> None:
        self._rate = rate
        self.after_valid = after_valid
        self._random = random.Random(seed)

    def __call__(self):
        return self._rate > 0 and self._random.random() < self._rate


class StreamSource:
    """Sends beats into ``s_axis_NAME``: a list of (data, last). The payload is random while it is
    not valid.

    Members
    -------
    sent : number of beats that have been accepted.
    """

    def __init__(self, dut: Any, name: str) -> None:
        self.sent = 0
        self._clk = dut.clk
        self._data = getattr(dut, f"s_axis_{name}_tdata")
        self._valid = getattr(dut, f"s_axis_{name}_tvalid")
        self._ready = getattr(dut, f"s_axis_{name}_tready")
        self._last = getattr(dut, f"s_axis_{name}_tlast")
        self._random = random.Random(name)
        self.idle()

    def idle(self) -> None:
        """Deassert valid."""
        self._valid.value = 0
        self._data.value = self._random.getrandbits(len(self._data))
        self._last.value = self._random.getrandbits(1)

    def transfers(self) -> bool:
        """Whether a beat is transferred at this clock edge."""
        return bool(self._valid.value and self._ready.value)

    async def send(self, beats: Sequence[tuple[int, int]], stalls: Stalls | None = None) -> None:
        """Send each beat, holding it until it is accepted."""
        stalls = stalls or Stalls()
        for data, last in beats:
            while stalls():
                await RisingEdge(self._clk)
                self.idle()
            self._data.value = data
            self._last.value = last
            self._valid.value = 1
            await RisingEdge(self._clk)
            while not self._ready.value:
                await RisingEdge(self._ready)
                await RisingEdge(self._clk)
            self.sent += 1
            self.idle()


class StreamSink:
    """Receives beats from ``m_axis_NAME`` and checks that a stalled beat is stable."""

    def __init__(self, dut: Any, name: str) -> None:
        self._clk = dut.clk
        self._data = getattr(dut, f"m_axis_{name}_tdata")
        self._valid = getattr(dut, f"m_axis_{name}_tvalid")
        self._ready = getattr(dut, f"m_axis_{name}_tready")
        self._last = getattr(dut, f"m_axis_{name}_tlast")
        self._ready.value = 0

    def accept(self, ready: bool) -> None:
        """Drive ready, without receiving."""
        self._ready.value = int(ready)

    def offers(self) -> bool:
        """Whether a beat is offered at this clock edge."""
        return bool(self._valid.value)

    def transfers(self) -> bool:
        """Whether a beat is transferred at this clock edge."""
        return bool(self._valid.value and self._ready.value)

    async def receive(self, count: int, stalls: Stalls | None = None) -> list[tuple[int, int]]:
        """Receive the next `count` beats as a list of (data, last)."""
        stalls = stalls or Stalls()
        beats = []
        offered = None
        while len(beats) < count:
            if stalls() or (stalls.after_valid and not self._valid.value):
                self._ready.value = 0
                await RisingEdge(self._clk)
            else:
                self._ready.value = 1
                if not self._valid.value and offered is None:
                    await RisingEdge(self._valid)
                await RisingEdge(self._clk)
            ready = int(self._ready.value)
            if not self._valid.value:
                assert offered is None, "a stalled beat was withdrawn"
                continue
            beat = int(self._data.value), int(self._last.value)
            assert offered in (None, beat), f"a stalled beat changed from {offered} to {beat}"
            offered = None if ready else beat
            if ready:
                beats.append(beat)
        self._ready.value = 0
        return beats
