"""The host link: access to a core over a serial line.

Host and device share `protocol`, `frames` and `identity`, which do not need Amaranth. The other
files are the hardware. See ``docs/link.md``.
"""
