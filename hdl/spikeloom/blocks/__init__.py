"""Building blocks shared by the cores: loops, memories, popcounts, stream adapters."""
