"""Formal verification: harnesses with the properties of blocks and cores, and the runner."""
