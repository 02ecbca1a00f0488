"""Settings of `spiked` that fit classes of devices."""

PRESETS = {}
