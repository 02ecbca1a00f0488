"""Settings of `a2os2a` that fit classes of devices."""

PRESETS = {}
