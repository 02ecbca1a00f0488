"""Board recipes, builds and self-tests for Spikeloom cores."""
