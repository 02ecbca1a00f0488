"""How long the `spiked` core takes: a function of where the operands spike."""

from .output_encoder import OUTPUT_DELAY
from .phase_encoder import ENCODER_DELAY
from .trace_product import PRODUCT_DELAY
from .woss import WOSS_DELAY


def line_events(spikes):
    """Events of each line of an `EventMemory`: its spikes, and its last neuron in any case.

    `spikes` is a list of lines, a line a list of neurons that are true where they spike.
    """
    return [sum(map(bool, line[:-1])) + 1 for line in spikes]


def product_clocks(config, events):
    """Clocks a `TraceProduct` takes from its first event to its last.

    `events` of every line pass once for each group of lanes. The last of them waits until the sums
    of the group before have left, `encoders` per clock.
    """
    full = config.lanes // config.encoders
    blocks = [full] * (config.groups - 1) + [config.blocks - (config.groups - 1) * full]
    clocks = leaving = 0
    for count in events:
        for size in blocks:
            clocks += max(count, leaving)
            leaving = size
    return clocks


def score_clocks(config, q=None):
    """Clocks of the score product of one head, `q` (N x D) true where Q spikes (default: all)."""
    q = q or [[True] * config.head_dim] * config.tokens
    return product_clocks(config, line_events(q))


def output_clocks(config, v=None):
    """Clocks of the output product of one head, `v` (N x Dv) true where V spikes (default: all)."""
    v = v or [[True] * config.value_dim] * config.tokens
    dims = [[token[dim] for token in v] for dim in range(config.value_dim)]
    return product_clocks(config, [config.tokens, *line_events(dims)])


def last_blocks(config):
    """Clocks in which the last group's sums leave."""
    return config.blocks - (config.groups - 1) * (config.lanes // config.encoders)


def score_latency(config):
    """Clocks from a score product's last event to the first of the output product."""
    return PRODUCT_DELAY + ENCODER_DELAY + WOSS_DELAY + last_blocks(config) + config.blocks - 1


def output_latency(config):
    """Clocks from an output product's last event to the last output beat."""
    return PRODUCT_DELAY + OUTPUT_DELAY + last_blocks(config) + config.tokens


def cycles(config, q=None, v=None):
    """Clocks from `start` to the last output beat of one head, its operands on chip, no stalls.

    Spikes of Q times groups of tokens, spikes of V and one per token times groups, one clock per
    output token, and a constant. `q` (N x D) and `v` (N x Dv) are true where there is a spike
    (default: everywhere, the most clocks there can be).
    """
    return (
        score_clocks(config, q)
        + score_latency(config)
        + output_clocks(config, v)
        + output_latency(config)
        - 1
    )


def interval(config, q=None, v=None):
    """Clocks between heads that follow each other and spike alike, on average.

    The busiest stage decides: loading, one clock per code; a product; or, where heads are small,
    the time two heads take to pass the two banks between stages.
    """
    load = config.tokens * max(config.head_dim, config.value_dim + 1)
    score, output = score_clocks(config, q), output_clocks(config, v)
    between = score + score_latency(config) + output - 1
    behind = output + output_latency(config)
    return max(load, score + 1, output + 1, config.tokens + 1, between / 2, behind / 2)
