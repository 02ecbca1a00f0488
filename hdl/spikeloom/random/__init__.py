"""Random sources: LFSRs, the plan that distributes their bits, and Bernoulli encoders."""
