"""Spikeloom: an open generator of spiking-attention hardware.

Importing the package is cheap: configurations (`spikeloom.config`) need nothing beyond the standard
library, and components (`spikeloom.cores`, `spikeloom.random`, `spikeloom.blocks`) need Amaranth.
"""

__version__ = "0.1.0"
