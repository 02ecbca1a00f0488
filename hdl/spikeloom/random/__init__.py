"""Random sources: LFSRs, the plan that shares them among cells, and the encoders that use them."""
