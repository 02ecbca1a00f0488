"""Tensors of the `a2os2a_block` core: `a2os2a` with its neurons, pre-activations in, spikes out.

Offers what every adapter does, see `spikeloom_sim.adapters.ssa`, and `cycles`.
"""

from dataclasses import replace

import numpy as np

from spikeloom.config import A2OS2ABlockConfig
from spikeloom.cores.a2os2a import block_schedule

from ..golden import a2os2a_block
from .a2os2a import (
    OPERANDS,
    axes,
    beats_of,
    bytes_of,
    configure_as,
    operand_of,
    operand_shapes,
    output_beats,
    rate,
    repeated,
    values_of,
    words_of,
)

__all__ = ["OPERANDS", "axes", "output_beats", "rate"]  # the same as of a2os2a


def configure(settings, q, k, v):
    """As `adapters.a2os2a.configure`, for pre-activations: integers of `input_bits` bits."""
    return configure_as(A2OS2ABlockConfig, a2os2a_block.check, settings, q, k, v)


def golden(config, q, k, v):
    """Output spikes of the golden model: (N, Dv) uint8, (T, N, Dv) for T > 1 steps."""
    return a2os2a_block.run(config, q, k, v)


def cycles(config, q, k, v):
    """Clocks the core takes over these very pre-activations."""
    trace = a2os2a_block.trace(config, q, k, v)
    return block_schedule.cycles(config, [x.tolist() for x in (trace.q, trace.k, trace.v)])


def flags(config, q, k, v):
    """What a run over these pre-activations adds to each flag of the core."""
    return {"k_saturated": int(a2os2a_block.trace(config, q, k, v).k_saturated)}


def to_beats(config, q, k, v):
    """Stream beats of one head: operand name to list of (data, last)."""
    operands = a2os2a_block.check(config, q, k, v)
    per_token = (config.chunks, config.chunks, config.groups)
    return {
        name: beats_of(operand, config.input_bits, count)
        for name, operand, count in zip(OPERANDS, operands, per_token, strict=True)
    }


def operands_of(config, beats):
    """Pre-activations (q, k, v) whose stream beats are `beats`, as `to_beats` makes them."""
    lanes = (config.head_dim // config.chunks,) * 2 + (config.value_dim // config.groups,)
    return tuple(
        operand_of(config, beats[name], config.input_bits, count, signed=True)
        for name, count in zip(OPERANDS, lanes, strict=True)
    )


def preload_clocks(config):
    """Clocks in which as many operand beats come in as neurons and core hold before start."""
    return 2 * max(config.chunks, config.groups) + 8


def beat_clocks(config):
    """Clocks the core takes over one operand beat, at most, beside those of its run."""
    return 1


def from_beats(config, beats):
    """Output spikes from the (data, last) beats of the output stream, shaped as `golden`'s.

    Raises `InputError` where their number or a ``last`` is off.
    """
    return from_words(config, words_of(config, beats))


def from_words(config, words):
    """Output spikes, shaped as those of `golden`, from the data of all output beats."""
    return values_of(config, words, 1).astype(np.uint8)


def random_operands(config, rng, density=0.5):
    """Pre-activations (q, k, v) for a test, more of them positive for a higher `density`; 1 or
    more: the largest everywhere, less than 0: the smallest."""
    most = 2 ** (config.input_bits - 1) - 1
    shapes = operand_shapes(config)
    if not 0 <= density < 1:
        return tuple(np.full(shape, most if density >= 1 else -most - 1) for shape in shapes)
    raised = [x + 2 * (density - 0.5) for x in (rng.uniform(-1, 1, shape) for shape in shapes)]
    return tuple((x.clip(-1, 1) * most).round().astype(np.int64) for x in raised)


def self_test_operands(config, rng, rom_steps):
    """Operands for a self-test on the board, and the beats to hold in its ROM: those of
    `rom_steps` time steps, played over and over."""
    distinct = replace(config, steps=min(rom_steps, config.steps))
    operands = random_operands(distinct, rng)
    return repeated(config, operands), to_beats(distinct, *operands)


def to_bytes(config, output):
    """An output tensor as the bytes of its stream: each beat padded to whole bytes."""
    return bytes_of(config, output, 1)
