"""What the engine of networks offers, without its hardware."""

LANES = (4, 8, 16, 32, 64, 128)  # outputs that are computed at once
LANE_BITS = (4, 6, 8)  # of a word of weights of a lane
CHUNK_BITS = 16  # of a beat of weights: the width of an SPRAM
