"""Engine "sampled" of `ssa`: draws which spikes to look at in place of counting them all."""
