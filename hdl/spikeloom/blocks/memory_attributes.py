"""Attributes of memories, for synthesis."""

from typing import Any

# A memory that is never written where it is read in the same cycle, or whose reader then does
# without the word: it spares synthesis a bypass around block RAM, a LUT per bit.
NO_READ_WRITE_COLLISION: dict[str, Any] = {"no_rw_check": 1}

# And block RAM however few the words, because logic is scarcer.
BLOCK_RAM = NO_READ_WRITE_COLLISION | {"ram_style": "block"}
