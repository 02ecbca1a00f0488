"""Simulation backends, testbenches and proofs for Spikeloom."""
