"""Bus masters of other projects, which read and write registers by name."""

import random

from cocotb.triggers import RisingEdge


class AxiLiteRegisters:
    """Registers through cocotbext-axi's AXI4-Lite master."""

    def __init__(self, dut, registers):
        from cocotbext.axi import AxiLiteBus, AxiLiteMaster

        self.clk = dut.clk
        self.by_name = {register["name"]: register for register in registers}
        self.master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi"), dut.clk, dut.rst)

    @property
    def channels(self):
        """The five channels, each of which can pause."""
        write, read = self.master.write_if, self.master.read_if
        return [
            *(write.aw_channel, write.w_channel, write.b_channel),
            *(read.ar_channel, read.r_channel),
        ]

    def pause(self, rate, seed):
        """Every channel pauses at random from now on."""
        for number, channel in enumerate(self.channels):
            channel.set_pause_generator(_pauses(rate, seed + number))

    async def access(self, offset, value=None, first=0, count=4):
        """Read the word at `offset`, or write `count` bytes of `value` from byte `first` on;
        returns the word and whether the answer was an error."""
        if value is None:
            answer = await self.master.read(offset, 4)
            return int.from_bytes(answer.data, "little"), int(answer.resp) != 0
        data = value.to_bytes(4, "little")[first : first + count]
        answer = await self.master.write(offset + first, data)
        return None, int(answer.resp) != 0

    async def read(self, name):
        """The value of register `name`."""
        value, error = await self.access(self.by_name[name]["offset"])
        assert not error, name
        return value

    async def write(self, name, value):
        """Write register `name`."""
        _, error = await self.access(self.by_name[name]["offset"], value)
        assert not error, name


class WishboneRegisters(AxiLiteRegisters):
    """Registers through cocotbext-wishbone's master."""

    def __init__(self, dut, registers):
        from cocotbext.wishbone.driver import WishboneMaster

        self.clk = dut.clk
        self.by_name = {register["name"]: register for register in registers}
        names = {name: name for name in ("cyc", "stb", "we", "adr", "sel", "ack", "err")}
        names |= {"datwr": "dat_w", "datrd": "dat_r"}
        self.master = WishboneMaster(dut, "wb", dut.clk, timeout=20, signals_dict=names)
        self._random = None
        self._rate = 0.0

    def pause(self, rate, seed):
        self._random, self._rate = random.Random(seed), rate

    async def access(self, offset, value=None, first=0, count=4):
        from cocotbext.wishbone.driver import WBOp

        while self._random and self._random.random() < self._rate:
            await RisingEdge(self.clk)
        mask = ((1 << count) - 1) << first
        (answer,) = await self.master.send_cycle([WBOp(offset // 4, value, sel=mask)])
        return None if value is not None else int(answer.datrd), answer.ack == 2


def _pauses(rate, seed):
    chosen = random.Random(seed)
    while True:
        yield chosen.random() < rate


MASTERS = {"axi-lite": AxiLiteRegisters, "wishbone": WishboneRegisters}
