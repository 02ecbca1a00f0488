"""Presets of networks, by class of device."""

from __future__ import annotations

from ..contract import Preset
from .engine_limits import LANES
from .graph import Graph

LOADED_BITS = 64  # of a word of the large RAM of an iCE40 UP5K
UP5K_HZ = {8: 48_000_000, 16: 42_000_000}  # by the most lanes
ICE40_HZ = 36_000_000
SMALL_ICE40, SMALL_LANES = ("1k", "8k", "lp8k"), 8


def presets(graph: Graph) -> dict[str, Preset]:
    """Lanes as the memories of weights allow: on the UP5K 64 bits a cycle, of loaded RAM; on ECP5
    as many as the block RAM of the smallest, the LFE5U-25F, holds for fashion-spikformer. The
    smaller iCE40 have block RAM for small networks only. A network too large for a device is
    refused when it is built."""
    fits = [lanes for lanes in LANES if lanes * graph.word_bits <= LOADED_BITS]
    lanes = max(fits, default=LANES[0])
    hertz = next(hz for most, hz in UP5K_HZ.items() if lanes <= most)
    return {
        "ice40-5k": Preset({"lanes": lanes, "weights": "loaded"}, hertz),
        **{f"ice40-{size}": Preset({"lanes": SMALL_LANES}, ICE40_HZ) for size in SMALL_ICE40},
        "ecp5": Preset({"lanes": 32}),
        "gowin-20k": Preset({"lanes": 16}),
        "gatemate": Preset({"lanes": 16}),
    }
