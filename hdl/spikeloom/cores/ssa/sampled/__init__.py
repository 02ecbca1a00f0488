"""Engine "sampled" of `ssa`: samples spikes at random instead of counting all of them."""
