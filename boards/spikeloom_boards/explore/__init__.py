"""Estimates of size and time of a configuration, and sweeps of a design space."""
