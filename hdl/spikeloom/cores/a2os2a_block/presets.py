"""Settings of `a2os2a_block` that fit classes of devices."""

PRESETS = {}
