"""Attributes of memories, for synthesis."""

from typing import Any

# No word is read in the cycle in which it is written, or the reader discards the word. Synthesis
# then omits the bypass around block RAM, which takes a LUT per bit.
NO_READ_WRITE_COLLISION: dict[str, Any] = {"no_rw_check": 1}

# Words of a memory that is one LUT deep, where LUTs can be memory.
LUT_RAM_DEPTH = 16

# Use block RAM even for few words, because logic is scarcer.
BLOCK_RAM = NO_READ_WRITE_COLLISION | {"ram_style": "block"}

# Use LUTs as memory, because block RAM is scarcer.
LUT_RAM: dict[str, Any] = NO_READ_WRITE_COLLISION | {"ram_style": "distributed"}

# The large single-port RAM, where the FPGA has it. It has no initial contents: the
# Verilog of such a memory has none either.
LOADED_RAM: dict[str, Any] = NO_READ_WRITE_COLLISION | {"ram_style": "huge"}


# Constants as logic. A memory that is written would become flip-flops.
LOGIC: dict[str, Any] = {"ram_style": "logic"}


def small_memory(platform: Any, *, constant: bool = False) -> dict[str, Any]:
    """Attributes of a memory of few words: LUTs, where they can be memory, else block RAM.
    Generated Verilog has block RAM."""
    from ..families import family_of

    family = family_of(platform)
    if family is None or not family.LUT_RAM:
        return BLOCK_RAM
    return LOGIC if constant else LUT_RAM


def has_lut_ram(platform: Any) -> bool:
    """Whether a few LUTs can be a small memory; true without a platform, as for generated Verilog.

    Elsewhere a memory is either block RAM, which is scarce there, or a flip-flop for each bit.
    """
    from ..families import family_of

    family = family_of(platform)
    return family is None or family.LUT_RAM


def has_output_register(platform: Any) -> bool:
    """Whether block RAM contains the register behind it; false without a platform."""
    from ..families import family_of

    family = family_of(platform)
    return family is not None and family.OUTPUT_REGISTER


def has_bit_mask(platform: Any) -> bool:
    """Whether block RAM writes single bits of a word; false without a platform.

    Elsewhere a memory with a write enable for each bit takes a block RAM for each bit.
    """
    from ..families import family_of

    family = family_of(platform)
    return family is not None and family.BIT_MASK
