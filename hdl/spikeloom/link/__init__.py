"""The host link: a core at the end of a serial line.

`protocol`, `frames` and `identity` are what both ends share and need no Amaranth; the other files
are the hardware. See ``docs/link.md``.
"""
