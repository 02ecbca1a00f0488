"""Tensors of the `ssa` core: checking, configuration from shapes, stream beats and back.

Every adapter offers `configure`, `golden`, `to_beats` and its inverse `operands_of`, `from_beats`
and `random_operands`.
"""

from dataclasses import replace

import numpy as np

from spikeloom.config import SSAConfig
from spikeloom.cores.ssa.sampled import layout
from spikeloom.errors import InputError

from ..golden import ssa, ssa_sampled
from ..tensors import check_range, check_shape, check_spikes

OPERANDS = ("q", "k", "v")


def configure(settings, q, k, v):
    """Check operands against each other and fill in the keys that follow from their shapes.

    Parameters
    ----------
    settings : key to value, as given by the user.
    q, k, v : (T, N, D) and (T, N, Dv) spikes, or (N, D) and (N, Dv) values in [0, 1], with one more
        leading axis for heads if wanted.

    Returns the `SSAConfig` and a list with the (q, k, v) of each head.

    Raises `InputError` where a shape, a value or a key does not fit.
    """
    tensors = {"q": q, "k": k, "v": v}
    inputs = settings.get("inputs") or _guess_inputs(q)
    axes = 2 if inputs == "values" else 3
    layout = "(N, D)" if inputs == "values" else "(T, N, D)"
    for name, tensor in tensors.items():
        if tensor.ndim not in (axes, axes + 1):
            raise InputError(
                f"{name}: shape {tensor.shape} is not {layout}, nor heads of that; "
                f"inputs = {inputs} ({tensor.ndim} axes found)"
            )
    if k.shape != q.shape:
        raise InputError(f"k: shape {k.shape} differs from q's {q.shape}; they must be equal")
    if v.shape[:-1] != q.shape[:-1]:
        raise InputError(
            f"v: shape {v.shape} does not go with q's {q.shape}; "
            "all axes but the last must be equal"
        )

    if inputs == "values":
        for name, tensor in tensors.items():
            check_range(tensor, name, 0, 1, "values must be in [0, 1]; scale the tensor")
    else:
        tensors = {name: check_spikes(tensor, name) for name, tensor in tensors.items()}

    shape = {"tokens": q.shape[-2], "head_dim": q.shape[-1], "value_dim": v.shape[-1]}
    if inputs == "spikes":
        shape["steps"] = q.shape[-3]
    config = SSAConfig.from_settings(shape | {"inputs": inputs} | dict(settings))
    check_shape(config, shape)

    heads = [tensor if tensor.ndim > axes else tensor[None] for tensor in tensors.values()]
    return config, list(zip(*heads, strict=True))


def _guess_inputs(q):
    """Spikes are whole numbers or three axes of zeros and ones; anything else is values."""
    if q.ndim <= 2:
        return "values"
    return "spikes" if q.dtype.kind != "f" or np.isin(q, (0, 1)).all() else "values"


def axes(config):
    """Axes of a single head's Q."""
    return 2 if config.inputs == "values" else 3


def rate(config, output):
    """Outputs of all heads (H, T, N, Dv) as rates: the mean over time steps, float64."""
    return output.mean(axis=-3)


def golden(config, q, k, v):
    """Output spikes of the golden model: (T, N, Dv) uint8."""
    return ssa.run(config, q, k, v)


def to_beats(config, q, k, v):
    """Stream beats of one head: operand name to list of (data, last)."""
    beats = {}
    for name, tensor in zip(OPERANDS, (q, k, v), strict=True):
        if config.inputs == "values":
            codes = ssa.quantise(tensor, config.value_bits).ravel()
            beats[name] = [(int(code), n == len(codes) - 1) for n, code in enumerate(codes)]
            continue
        if name != "q" and config.feed == "diagonals":
            tensor = ssa_sampled.diagonals(config, tensor)
        beats[name] = [
            (int.from_bytes(beat.tobytes(), "little"), n == len(round_) - 1)
            for round_ in np.packbits(_in_beats(config, name, tensor), axis=-1, bitorder="little")
            for n, beat in enumerate(round_)
        ]
    return beats


def operands_of(config, beats):
    """Operands (q, k, v) whose stream beats are `beats`, as `to_beats` makes them."""
    operands = []
    for name in OPERANDS:
        words = [data for data, _ in beats[name]]
        if config.inputs == "values":
            tensor = np.array(words).reshape(config.tokens, -1) / 2**config.value_bits
        else:
            tensor = _out_of_beats(config, name, words)
            if name != "q" and config.feed == "diagonals":
                tensor = ssa_sampled.from_diagonals(config, tensor)
        operands.append(tensor)
    return tuple(operands)


def _in_beats(config, name, tensor):
    """Spikes (T, N, W) as beats of rows side by side: (rounds, beats a round, bits).

    Engine "counter" has one row in a beat. What a last round or a last beat lacks is zero.
    """
    lanes, at_once = _lanes(config, name), config.steps_at_once or 1
    steps, tokens, width = tensor.shape
    whole = np.pad(tensor, ((0, -steps % at_once), (0, -tokens % lanes), (0, 0)))
    rounds = whole.reshape(-1, at_once, whole.shape[1] // lanes, lanes, width)
    return rounds.transpose(0, 2, 1, 3, 4).reshape(*rounds.shape[0:3:2], -1)


def _out_of_beats(config, name, words):
    """Spikes (T, N, W) of the data of all beats: the inverse of `_in_beats`."""
    rounds, lanes, at_once = _rounds(config), _lanes(config, name), config.steps_at_once or 1
    width = config.value_dim if name in ("v", "o") else config.head_dim
    bits = at_once * lanes * width
    raw = b"".join(word.to_bytes(-(-bits // 8), "little") for word in words)
    packed = np.frombuffer(raw, np.uint8).reshape(len(words), -1)
    spikes = np.unpackbits(packed, axis=-1, bitorder="little")[:, :bits]
    spikes = spikes.reshape(rounds, -1, at_once, lanes, width).transpose(0, 2, 1, 3, 4)
    return spikes.reshape(rounds * at_once, -1, width)[: config.steps, : config.tokens]


def _lanes(config, name):
    """Neighbouring tokens in a beat of "q", "k", "v" or "o"."""
    return config.beat_rows(name) // (config.steps_at_once or 1)


def _rounds(config):
    """Times that a tensor goes by on the output: time steps, or rounds of several."""
    return -(-config.steps // (config.steps_at_once or 1))


def output_beats(config):
    """Beats of the output stream in one run."""
    return _rounds(config) * -(-config.tokens // _lanes(config, "o"))


def preload_clocks(config):
    """Clocks in which as many operand beats come in as the core holds before start."""
    if config.inputs == "values":
        return config.tokens * max(config.head_dim, config.value_dim) + 8
    if config.engine == "sampled":
        return layout.banks(config) * (config.tokens + layout.skew(config)) + 8
    return 2 * config.tokens * beat_clocks(config) + 8


def beat_clocks(config):
    """Clocks the core takes over one operand beat, at most."""
    if config.inputs == "values":
        return 1
    if config.engine == "sampled":
        return 2
    return max(config.head_dim, config.value_dim) // config.bits


def from_beats(config, beats):
    """Output spikes (T, N, Dv) uint8 from the (data, last) beats of the output stream.

    Raises `InputError` where their number or a ``last`` is off.
    """
    rounds, groups = _rounds(config), -(-config.tokens // _lanes(config, "o"))
    if [last for _, last in beats] != ([0] * (groups - 1) + [1]) * rounds:
        raise InputError(f"output: not {rounds} times {groups} beats")
    return from_words(config, [data for data, _ in beats])


def from_words(config, words):
    """Output spikes (T, N, Dv) uint8 from the data of all output beats."""
    return _out_of_beats(config, "o", words)


def random_operands(config, rng, density=0.5):
    """Operands (q, k, v) for a test: spikes or values that average `density`."""
    shapes = [(config.tokens, config.width(name)) for name in OPERANDS]
    if config.inputs == "values":
        # Values spread over [0, 1], with exact zeros and ones among them.
        spread = (rng.random(shape) for shape in shapes)
        return tuple(np.clip(x + density - 0.5 + 0.1 * (x - 0.5), 0, 1) for x in spread)
    return tuple(
        (rng.random((config.steps, *shape)) < density).astype(np.uint8) for shape in shapes
    )


def self_test_operands(config, rng, rom_steps):
    """Operands for a self-test on the board, and the beats to hold in its ROM.

    Spikes are those of `rom_steps` time steps, played over and over; values are one tensor,
    which the core encodes anew at every step.
    """
    if config.inputs == "values":
        operands = random_operands(config, rng)
        return operands, to_beats(config, *operands)
    at_once = config.steps_at_once or 1
    whole = min(-(-rom_steps // at_once) * at_once, config.steps)
    distinct = random_operands(replace(config, steps=whole), rng)
    operands = tuple(np.resize(tensor, (config.steps, *tensor.shape[1:])) for tensor in distinct)
    return operands, to_beats(config, *distinct)


def to_bytes(config, output):
    """An output tensor as the bytes of its stream: each beat padded to whole bytes."""
    return np.packbits(_in_beats(config, "o", output), axis=-1, bitorder="little").tobytes()
