"""How many clocks the `a2os2a` core takes among its neurons."""

from ...neurons.spiking_neurons import SpikingNeurons
from . import schedule


def cycles(config, spikes=None):
    """Clocks from `start` to the last output beat, pre-activations there in time, no stalls.

    Those of the core, and of the output neurons behind it. Its queries take D / lanes clocks to
    arrive, `lanes` values at a time, which is longer than some take in order `qk`.

    Parameters
    ----------
    config : A2OS2ABlockConfig.
    spikes : q (T, N, D), k (T, N, D) and v (T, N, Dv) as the neurons hand them to the core, indexed
        ``[step][token][dim]``; None for spikes everywhere, which take longest.
    """
    return schedule.cycles(config, spikes, query_clocks=config.chunks) + SpikingNeurons.delay
