"""How long the `spiked` core takes: a function of where the operands spike."""

from dataclasses import replace

from .output_encoder import OUTPUT_DELAY
from .phase_encoder import ENCODER_DELAY
from .trace_product import PRODUCT_DELAY
from .woss import WOSS_DELAY


def line_events(spikes):
    """Events of each line of an `EventMemory`: its spikes, and its last neuron in any case.

    `spikes` is a list of lines, a line a list of neurons that are true where they spike.
    """
    return [sum(map(bool, line[:-1])) + 1 for line in spikes]


def product_clocks(config, events, leaving=0):
    """Clocks a `TraceProduct` takes from its first event to its last.

    `events` of every line pass once for each group of lanes. The last of them waits until the sums
    of the group before have left, `encoders` per clock; `leaving` are the blocks still to go when
    the first event comes.
    """
    full = config.lanes // config.encoders
    blocks = [full] * (config.groups - 1) + [last_blocks(config)]
    clocks = 0
    for count in events:
        for size in blocks:
            clocks += max(count, leaving)
            leaving = size
    return clocks


def score_events(config, q=None):
    """Events of each query of one head, `q` (N x D) true where Q spikes (default: everywhere)."""
    return line_events(q or [[True] * config.head_dim] * config.tokens)


def output_events(config, v=None):
    """Events of the line of ones and of each dimension of one head, `v` (N x Dv) likewise."""
    v = v or [[True] * config.value_dim] * config.tokens
    dims = [[token[dim] for token in v] for dim in range(config.value_dim)]
    return [config.tokens, *line_events(dims)]


def last_blocks(config):
    """Clocks in which the last group's sums leave."""
    return config.blocks - (config.groups - 1) * (config.lanes // config.encoders)


def score_latency(config):
    """Clocks from a score product's last event to the first of the output product."""
    return PRODUCT_DELAY + ENCODER_DELAY + WOSS_DELAY + last_blocks(config) + config.blocks - 1


def output_latency(config):
    """Clocks from an output product's last event to the first output beat."""
    return PRODUCT_DELAY + OUTPUT_DELAY + last_blocks(config) + 1


def cycles(config, q=None, v=None):
    """Clocks from `start` to the last output beat, operands on chip as far as they go, no stalls.

    For one head: spikes of Q times groups of lanes, spikes of V and one per token times groups, one
    clock per output token, and a constant. `q` (heads * N x D) and `v` (heads * N x Dv) are true
    where there is a spike (default: everywhere, the most clocks there can be).
    """
    return beat_clocks(config, q, v)[-1]


def interval(config, q=None, v=None):
    """Clocks between heads that follow each other and spike alike, on average.

    That is the busiest stage's: loading, one clock per code; a product, one per event and group;
    or, where heads are small, half the time in which a head passes one of the memories between
    stages, which hold two.
    """
    first, last = 4, 8
    many = replace(config, heads=last + 1)
    ends = beat_clocks(many, (q or []) * many.heads, (v or []) * many.heads)
    return (ends[last] - ends[first]) / (last - first)


def beat_clocks(config, q=None, v=None):
    """The clock, counted from `start`, of each head's last output beat."""
    tokens = config.tokens
    loads = tokens * config.head_dim, tokens * (config.value_dim + 1)
    score_ends, output_ends, sent, loaded = [], [], [], ([], [])

    for head in range(config.heads):
        rows = slice(head * tokens, (head + 1) * tokens)
        events = score_events(config, q and q[rows]), output_events(config, v and v[rows])

        # Two heads are there at start; a later one comes in once its bank is given back.
        for ends, done, load in zip((score_ends, output_ends), loaded, loads, strict=True):
            begin = max(done[-1], ends[head - 2]) if head > 1 else 0
            done.append(begin + load if head > 1 else -2)

        score_ends.append(
            _product_end(
                config,
                events[0],
                score_ends,
                [1, loaded[0][head] + 2, *_freed(output_ends, head)],
            )
        )
        output_ends.append(
            _product_end(
                config,
                events[1],
                output_ends,
                [
                    score_ends[head] + score_latency(config),
                    loaded[1][head] + 2,
                    *_freed(sent, head),
                ],
            )
        )
        begin = max([output_ends[head] + output_latency(config), *(end + 2 for end in sent[-1:])])
        sent.append(begin + tokens - 1)
    return sent


def _freed(ends, head):
    """When the stage behind gives back the bank that `head` needs."""
    return [ends[head - 2] + 1] if head > 1 else []


def _product_end(config, events, before, not_before):
    """The clock of a product's last event; `before` are those of earlier heads."""
    begin = max([*not_before, *(end + 2 for end in before[-1:])])
    gone = begin - before[-1] if before else last_blocks(config)
    leaving = max(0, last_blocks(config) - gone + 1)
    return begin - 1 + product_clocks(config, events, leaving)
