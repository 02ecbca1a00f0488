"""Whole networks: the graph of layers, its file, its golden model, and its core.

`spikeloom.load` reads a network; `docs/networks.md` describes files and arithmetic.
"""
