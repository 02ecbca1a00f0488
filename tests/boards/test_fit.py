"""Hints of a build that does not fit: each is verified before it is printed."""

import re
from dataclasses import dataclass, replace
from math import prod

import pytest

from spikeloom.cores.a2os2a import A2OS2A
from spikeloom.cores.spiked import Spiked
from spikeloom.cores.ssa import SSA
from spikeloom.errors import InputError
from spikeloom.families import FAMILIES
from spikeloom_boards.boards import BOARDS
from spikeloom_boards.build import Build, hertz, synthesise_in
from spikeloom_boards.clocking import nearest_clock
from spikeloom_boards.fit import ROOM, fits, lower_unroll, needs, smallest, what_would_fit
from spikeloom_boards.presets import core_clock, preset_config, presets_of

ICESTICK = BOARDS["icestick"]
SMALL = SSA(tokens=4, head_dim=4)
KEYS = ("cells", "bits", "lanes", "steps_at_once")


@dataclass
class Size:
    lut4: int
    block_rams: int = 0
    large_rams: int = 0
    dsps: int = 0


def size_of(config, base):
    """A fake synthesis: `base` cells plus cells in proportion to the unroll."""
    return Size(base + 20 * prod(getattr(config, key, None) or 1 for key in KEYS))


CONFIGS = [
    SSA(tokens=64, head_dim=64),
    SSA(tokens=197, head_dim=12, cells=197 * 197, bits=4),
    SSA(tokens=7, head_dim=6, engine="sampled", lanes=7, steps_at_once=10),
    A2OS2A(tokens=64, head_dim=240, lanes=120),
    Spiked(tokens=149, head_dim=32, lanes=105, encoders=35),
]


@pytest.mark.parametrize("base", [0, 600, 1050, 1250, 5000])
@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.NAME)
def test_an_unroll_is_synthesised_before_it_is_suggested(config, base):
    job = Build(config, ICESTICK, 72_000_000, top="self-test")
    tried = []

    def synthesise(folder, job, progress):
        tried.append(job.config)
        return size_of(job.config, base)

    hint = what_would_fit(job, size_of(config, base), synthesise)
    if base + 20 > ROOM * ICESTICK.device.cells:
        assert hint.startswith("no unroll fits")
        assert tried[-1] == smallest(config)
        return
    settings = {key: int(value) for key, value in re.findall(r"--set (\w+)=(\d+)", hint)}
    if "lanes" in settings and hasattr(config, "encoders"):
        settings["encoders"] = None
    suggested = replace(config, **settings)
    assert suggested in tried
    assert size_of(suggested, base).lut4 <= ROOM * ICESTICK.device.cells


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.NAME)
def test_the_unroll_ends_at_the_smallest(config):
    least = smallest(config)
    assert lower_unroll(least, 0.9) == least
    assert {getattr(least, key, None) or 1 for key in (*KEYS, "encoders")} == {1}


CLOCKS = [(board, mhz) for board in BOARDS.values() for mhz in (47.123, 0.5, 999, 33.333333)]
CLOCKS.remove((BOARDS["gatemate-a1-evb"], 0.5))  # its PLL makes this clock


@pytest.mark.parametrize(("board", "mhz"), CLOCKS, ids=lambda one: getattr(one, "id", str(one)))
def test_the_nearest_clock_can_be_made(board, mhz):
    with pytest.raises(InputError) as refused:
        Build(SMALL, board, hertz(mhz), top="self-test")
    (nearest,) = re.findall(r"the nearest is --mhz (\S+)$", str(refused.value))
    Build(SMALL, board, hertz(float(nearest)), top="self-test")


@pytest.mark.parametrize("find", [FAMILIES["ice40"].pll, FAMILIES["ecp5"].pll])
def test_no_clock_is_nearer(find):
    """Compare with a search in steps of 1 kHz."""
    wanted = 47_123_000
    gap = abs(nearest_clock(find, 12_000_000, wanted) - wanted)
    around = range(wanted - gap + 1000 - gap % 1000, wanted + gap, 1000)
    assert all(find(12_000_000, hz) is None for hz in around)


@pytest.mark.parametrize("mhz", [float("nan"), float("inf"), -float("inf"), 0.0, -3.0, 1e300])
def test_frequencies_out_of_range(mhz):
    with pytest.raises(InputError, match="is not allowed; a clock is"):
        hertz(mhz)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "--seed -1: seeds of place and route are 0.."),
        ({"seed": 2**64}, "seeds of place and route"),
        ({"baud": 3_000_000_000}, "baud = 3000000000 is not allowed; baud must be 1..12000000"),
        ({"baud": 0}, "baud = 0 is not allowed"),
        ({"top": "pictures"}, "--top pictures and --images X.npy go together"),
        ({"top": "slef-test"}, "unknown top 'slef-test'; did you mean self-test?"),
    ],
)
def test_builds_refused(options, message):
    board = BOARDS["icebreaker"]
    with pytest.raises(InputError) as refused:
        Build(SMALL, board, board.frequency, **options)
    assert message in str(refused.value)


def test_baud_of_the_bridge():
    """The FT231X of the ULX3S reaches 3 Mbaud, the FT2232H of the iCEBreaker 12."""
    ulx3s, icebreaker = BOARDS["ulx3s-85f"], BOARDS["icebreaker"]
    Build(SMALL, ulx3s, 75_000_000, baud=3_000_000)
    with pytest.raises(InputError, match="bridge of ulx3s-85f reaches 3000000; choose at most"):
        Build(SMALL, ulx3s, 75_000_000, baud=5_000_000)
    Build(SMALL, icebreaker, 48_000_000, baud=12_000_000)


@pytest.mark.parametrize("board", BOARDS)
def test_presets_compare_numbers_not_spellings(board):
    """Another spelling of the same value does not change the preset."""
    target = BOARDS[board]
    for core in presets_of(target):
        preset = preset_config(core, target)
        for spell in (str, hex, lambda number: f"+{number}", int):
            same = {name: spell(getattr(preset, name)) for name in preset.SIZE_KEYS}
            assert preset_config(core, target, same) == preset


# The last board of a class stays.
SMALLEST_BOARDS = {
    board.device.presets: board
    for board in sorted(BOARDS.values(), key=lambda one: -one.device.cells)
    if presets_of(board)
}


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "core"),
    [(kind, core) for kind, board in SMALLEST_BOARDS.items() for core in presets_of(board)],
)
def test_preset_fits_its_smallest_board(kind, core, tmp_path):
    """With the link, after synthesis; place and route of every board is in `placements`."""
    board = SMALLEST_BOARDS[kind]
    job = Build(preset_config(core, board), board, core_clock(core, board))
    synthesis = synthesise_in(tmp_path, job, lambda step: None)
    assert fits(synthesis, board.device), needs(synthesis, board.device)
