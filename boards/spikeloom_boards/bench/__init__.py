"""The bench: cost and speed of every core on bare devices, without a board."""
