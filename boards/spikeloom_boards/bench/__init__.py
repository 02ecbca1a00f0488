"""The bench: what every core costs and how fast it is, on devices rather than boards."""
