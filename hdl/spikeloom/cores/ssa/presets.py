"""Settings of `ssa` that fit classes of devices."""

PRESETS = {}
