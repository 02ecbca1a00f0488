"""A network with pictures in its flash memory, next to a small model of one."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from spikeloom.cores.ssa import SSA
from spikeloom.errors import InputError
from spikeloom.link.picture_show import PictureShow
from spikeloom.networks import golden
from spikeloom.networks.network import network_core
from spikeloom_boards.boards import BOARDS
from spikeloom_boards.build import Build, design_files
from tests.networks.random_network import random_images, random_network

SIZES = {"image": (4, 6, 1), "patch": (2, 3), "dims": 4, "hidden": 4, "classes": 3, "blocks": 0}
GRAPH = random_network(**SIZES, name="show-net")
ADDRESS, HALF_BLINK = 0x012300, 700  # cycles, longer than a run
HZ = 4 * HALF_BLINK


class Watch:
    """Runs a show next to a memory with `contents` at `ADDRESS`, and records its light until it has
    blinked for `groups` pictures and one more begins."""

    def __init__(self, show, contents, groups):
        self.show, self.contents, self.groups = show, contents, groups
        self.light, self.failed = [], False
        simulator = Simulator(show)
        simulator.add_clock(1e-6)
        simulator.add_testbench(self.run)
        simulator.run()

    async def run(self, ctx):
        show, bits, before = self.show, [], 0
        while len(self.light) % 500 or not self.over(ctx):
            await ctx.tick()
            sck = ctx.get(show.sck)
            if not ctx.get(show.cs):
                bits = []
            elif sck and not before:
                bits.append(ctx.get(show.copi))
            elif before and not sck and len(bits) >= 32:
                ctx.set(show.cipo, self.bit(bits))
            before = sck
            self.light.append(ctx.get(show.light))
        self.failed = bool(ctx.get(show.failed))

    def over(self, ctx):
        """Whether enough was seen."""
        assert len(self.light) < 100_000
        return ctx.get(self.show.failed) or len(self.blinks) > self.groups

    def bit(self, bits):
        """The next bit of a read."""
        command = int("".join(map(str, bits[:32])), 2)
        assert command >> 24 == 0x03
        byte, bit = divmod(len(bits) - 32, 8)
        place = (command & 0xFFFFFF) + byte - ADDRESS
        return self.contents[place] >> (7 - bit) & 1 if place < len(self.contents) else 0

    @property
    def blinks(self):
        """Blinks in groups, which pauses separate."""
        light = np.array(self.light)
        rises = np.flatnonzero(np.diff(light) == 1)
        breaks = np.flatnonzero(np.diff(rises) > 3 * HALF_BLINK)
        return [len(group) for group in np.split(rises, breaks + 1)]


def shown(weights):
    core = network_core(GRAPH)(lanes=4, weights=weights)
    images = random_images(GRAPH, 40, seed=4)
    found = golden.run(GRAPH, images).labels
    # One picture of each class that occurs, the highest first.
    labels = sorted({*found.tolist()}, reverse=True)
    pictures = [{"image": images[found == label][0]} for label in labels]
    return PictureShow(core, pictures, ADDRESS, HZ), labels


@pytest.mark.long
@pytest.mark.parametrize("weights", ["loaded", "initial"])
def test_blinks_classes_in_turn(weights):
    """Each class in turn, and the first picture again after the last."""
    show, labels = shown(weights)
    assert len(labels) > 1
    watch = Watch(show, show.flash_bytes, len(labels) + 1)
    assert not watch.failed
    assert watch.blinks[:-1] == [label + 1 for label in labels + labels[:1]]


def test_other_contents():
    """Without its contents in the memory the show fails and stays dark."""
    show, _ = shown("loaded")
    watch = Watch(show, show.flash_bytes[::-1], 1)
    assert watch.failed
    assert not any(watch.light)


def test_design_of_a_board():
    """The lights and the flash memory of the iCEBreaker are connected; others have no memory."""
    core = network_core(GRAPH)(lanes=4, weights="loaded")
    job = {"config": core, "frequency": 12_000_000, "top": "pictures"}
    job["pictures"] = [{"image": image} for image in random_images(GRAPH, 2)]
    board = BOARDS["icebreaker"]
    for top in (job, job | {"top": "link", "pictures": []}):
        files = design_files(Build(board=board, **top))
        pins, design = files["spikeloom.pcf"], files["spikeloom.il"]
        for pin in ("cs", "clk", "copi", "cipo"):
            assert f"set_io spi_flash_1x_0__{pin}__io" in pins
        assert "flash_cs" in design
        assert ("serial" in pins) == (top["top"] == "link")
        assert "light_1" in pins
    with pytest.raises(InputError, match="upduino-v3 has no flash memory for pictures"):
        Build(board=BOARDS["upduino-v3"], **job)


def test_networks_only():
    with pytest.raises(InputError, match="ssa is no network; pictures are classified by networks"):
        PictureShow(SSA(tokens=4, head_dim=4), [], ADDRESS, HZ)
