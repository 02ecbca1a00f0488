"""What synthesis may assume about a memory read and written at the same time."""

# Attribute of memories that are never written where they are read in the same clock, or whose
# reader then does without the word: it spares synthesis a bypass around block RAM, a LUT per bit.
NEVER_BOTH = {"no_rw_check": 1}
