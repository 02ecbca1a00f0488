"""How long each part of the `ssa` core takes, and how deep its queues must be to keep going."""

from ...random.random_plan import WARMUP
from .cell_array import cell_delay

READ = 1  # clocks from issuing a read to the words at the cells


def score_period(config):
    """Clocks the score stage spends on a block of query rows."""
    return config.tokens // config.key_lanes * (config.head_dim // config.bits)


def output_period(config):
    """Clocks the output stage spends on a block of query rows."""
    return config.tokens // config.key_lanes * (config.value_dim // config.bits)


def block_period(config):
    """Clocks between blocks of query rows: the slower stage, or one output row per clock."""
    return max(score_period(config), output_period(config), config.query_lanes)


def score_latency(config):
    """Clocks from the last read of a block in the score stage to its first in the output stage."""
    return READ + cell_delay(config.bits) + 1


def output_latency(config):
    """Clocks from the last read of a block in the output stage to its first row on the stream."""
    queue = 1 if config.query_lanes == 1 else 2
    return READ + cell_delay(config.key_lanes) + queue


def score_banks(config):
    """Blocks of scores held at once so that neither stage ever waits for a bank."""
    held = score_period(config) + score_latency(config) + output_period(config)
    return -(-held // block_period(config))


def output_depth(config):
    """Blocks of output rows queued at once so that the output stage never waits for room."""
    held = output_period(config) + output_latency(config) + config.query_lanes
    return -(-held // block_period(config))


def load_period(config):
    """Clocks to take in the operands of one time step, or to encode them."""
    width = max(config.head_dim, config.value_dim)
    if config.inputs == "values":
        return config.tokens // config.query_lanes * width // config.encoder_lanes
    return config.tokens * width // config.bits


def step_period(config):
    """Clocks between time steps."""
    blocks = config.tokens // config.query_lanes
    return max(blocks * block_period(config), load_period(config))


def cycles(config):
    """Clocks from `start` to the last output beat: T N^2 D / (cells bits) and a constant.

    Counted with the operands on chip as far as they go (two time steps of spikes, or all values)
    and with streams that never stall.
    """
    raise NotImplementedError
