"""Proofs: harnesses that state what a block or core promises, and the runner that proves them."""
