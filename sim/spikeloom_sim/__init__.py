"""Golden models (NumPy), simulation backends and testbench parts for Spikeloom."""
