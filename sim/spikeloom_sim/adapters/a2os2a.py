"""Tensors of the `a2os2a` core: checking, configuration from shapes, stream beats and back.

Offers what every adapter does, see `spikeloom_sim.adapters.ssa`, and `cycles`.
"""

from dataclasses import replace

import numpy as np

from spikeloom.config import A2OS2AConfig
from spikeloom.cores.a2os2a import schedule
from spikeloom.errors import InputError

from ..golden import a2os2a
from ..tensors import check_shape

OPERANDS = ("q", "k", "v")


def configure(settings, q, k, v):
    """Check operands against each other and fill in the keys that follow from their shapes.

    Parameters
    ----------
    settings : key to value, as given by the user.
    q, k, v : integers (N, D), (N, D) and (N, Dv), or (T, N, D) and so on where ``steps`` is given
        as T > 1; with one more leading axis for heads if wanted.

    Returns the `A2OS2AConfig` and a list with the (q, k, v) of each head.

    Raises `InputError` where a shape, a value or a key does not fit.
    """
    return configure_as(A2OS2AConfig, a2os2a.check, settings, q, k, v)


def configure_as(make, check, settings, q, k, v):
    """`configure` for configurations of class `make` and operands that pass `check`."""
    tensors = {"q": q, "k": k, "v": v}
    given = {key: settings[key] for key in ("steps",) if key in settings}
    axes = 3 if make.from_settings({"tokens": 1, "head_dim": 1} | given).steps > 1 else 2
    layout = "(T, N, D)" if axes == 3 else "(N, D)"
    for name, tensor in tensors.items():
        if tensor.dtype.kind == "f":
            raise InputError(
                f"{name}: holds {tensor.dtype}; {make.core} takes integers, round them first"
            )
        if tensor.ndim not in (axes, axes + 1):
            raise InputError(f"{name}: shape {tensor.shape} is not {layout}, nor heads of that")
    if k.shape != q.shape:
        raise InputError(f"k: shape {k.shape} differs from q's {q.shape}; they must be equal")
    if v.shape[:-1] != q.shape[:-1]:
        raise InputError(
            f"v: shape {v.shape} does not go with q's {q.shape}; only the last axis may differ"
        )

    shape = {"tokens": q.shape[-2], "head_dim": q.shape[-1], "value_dim": v.shape[-1]}
    if axes == 3:
        shape["steps"] = q.shape[-3]
    config = make.from_settings(shape | dict(settings))
    check_shape(config, shape)

    heads = [tensor if tensor.ndim > axes else tensor[None] for tensor in tensors.values()]
    for head in zip(*heads, strict=True):
        check(config, *head)
    return config, list(zip(*heads, strict=True))


def axes(config):
    """Axes of a single head's Q."""
    return 3 if config.steps > 1 else 2


def rate(config, output):
    """Outputs of all heads as the mean over time steps, float64; a single step as it is."""
    return output.mean(axis=-3) if config.steps > 1 else output.astype(float)


def golden(config, q, k, v):
    """Output of the golden model: (N, Dv) integers, (T, N, Dv) for T > 1 steps."""
    return a2os2a.run(config, q, k, v)


def cycles(config, q, k, v):
    """Clocks the core takes over these very operands."""
    operands = a2os2a.check(config, q, k, v)
    return schedule.cycles(config, [operand.tolist() for operand in operands])


def flags(config, q, k, v):
    """What a run over these operands adds to each flag of the core."""
    if config.length == "fixed":
        return {"saturated": 0}
    state = a2os2a.RunningState(config)
    state.answer(*(operand[0] for operand in a2os2a.check(config, q, k, v)))
    return {"saturated": int(state.saturated)}


def to_beats(config, q, k, v):
    """Stream beats of one head: operand name to list of (data, last)."""
    operands = a2os2a.check(config, q, k, v)
    per_token = (1, config.chunks, 1)
    return {
        name: beats_of(operand, bits, count)
        for (name, bits), operand, count in zip(
            _operand_bits(config).items(), operands, per_token, strict=True
        )
    }


def _operand_bits(config):
    """Bits of a value on each operand's stream."""
    return {"q": 1, "k": config.k_bits, "v": 2}


def beats_of(tensor, bits, per_token):
    """Beats of a (T, N, width) tensor, `per_token` of them a token, values of `bits` bits."""
    words = pack(tensor.reshape(-1, tensor.shape[2] // per_token), bits)
    length = tensor.shape[1] * per_token
    return [(word, n % length == length - 1) for n, word in enumerate(words)]


def operands_of(config, beats):
    """Operands (q, k, v) whose stream beats are `beats`, as `to_beats` makes them."""
    lanes = {"q": config.head_dim, "k": config.lanes, "v": config.value_dim}
    return tuple(
        operand_of(config, beats[name], bits, lanes[name], signed=name == "v")
        for name, bits in _operand_bits(config).items()
    )


def operand_of(config, beats, bits, lanes, *, signed):
    """Inverse of `beats_of` for values side by side in `lanes`, shaped as users have it."""
    codes = unpack([data for data, _ in beats], bits, lanes)
    if signed:
        codes = codes - (codes >> bits - 1 << bits)
    operand = codes.reshape(config.steps, config.tokens, -1).astype(np.int64)
    return operand if config.steps > 1 else operand[0]


def output_beats(config):
    """Beats of the output stream in one run of sequences of N tokens."""
    return config.steps * config.tokens * config.groups


def preload_clocks(config):
    """Clocks in which as many operand beats come in as the core holds before start."""
    return 4


def beat_clocks(config):
    """Clocks the core takes over one operand beat, at most, beside those of its run."""
    return 1


def from_beats(config, beats):
    """Output from the (data, last) beats of the output stream, shaped as that of `golden`.

    Raises `InputError` where their number or a ``last`` is off.
    """
    return from_words(config, words_of(config, beats))


def words_of(config, beats):
    """Data of the output stream's beats, once their number and each ``last`` are right."""
    per_step = config.tokens * config.groups
    if [last for _, last in beats] != ([0] * (per_step - 1) + [1]) * config.steps:
        raise InputError(f"output: not {config.steps} steps of {per_step} beats")
    return [data for data, _ in beats]


def from_words(config, words):
    """Output, shaped as that of `golden`, from the data of all output beats."""
    width = config.acc_bits
    codes = values_of(config, words, width)
    values = codes - (codes >> width - 1 << width)
    return values.astype(np.int32 if width <= 32 else np.int64)


def values_of(config, words, bits):
    """Unsigned values of `bits` bits from the data of all output beats."""
    output = unpack(words, bits, config.lanes)
    output = output.reshape(config.steps, config.tokens, config.value_dim)
    return output if config.steps > 1 else output[0]


def random_operands(config, rng, density=0.5):
    """Operands (q, k, v) for a test: zeros apart, a share of `density`; 1 or more: the extremes."""
    shapes = operand_shapes(config)
    present = [rng.random(shape) < density for shape in shapes]
    q = present[0].astype(np.uint8)
    k = rng.integers(1, config.k_most + 1, shapes[1])
    v = rng.choice([-1, 1], shapes[2])
    if density >= 1:
        k, v = np.full_like(k, config.k_most), np.ones_like(v)
    return q, k * present[1], (v * present[2]).astype(np.int8)


def operand_shapes(config):
    """Shapes of q, k and v."""
    shapes = [(config.tokens, dim) for dim in (config.head_dim, config.head_dim, config.value_dim)]
    return [(config.steps, *shape) for shape in shapes] if config.steps > 1 else shapes


def self_test_operands(config, rng, rom_steps):
    """Operands for a self-test on the board, and the beats to hold in its ROM: those of
    `rom_steps` time steps, played over and over."""
    distinct = replace(config, steps=min(rom_steps, config.steps))
    operands = random_operands(distinct, rng, 0.3)
    return repeated(config, operands), to_beats(distinct, *operands)


def repeated(config, operands):
    """Operands of a few steps played over and over, for as many steps as `config` has."""
    if config.steps == 1:
        return operands
    return tuple(np.resize(tensor, (config.steps, *tensor.shape[-2:])) for tensor in operands)


def to_bytes(config, output):
    """An output tensor as the bytes of its stream: each beat padded to whole bytes."""
    return bytes_of(config, output, config.acc_bits)


def bytes_of(config, output, bits):
    """`to_bytes` for output values of `bits` bits."""
    size = -(-bits * config.lanes // 8)
    words = pack(output.reshape(-1, config.lanes), bits)
    return b"".join(word.to_bytes(size, "little") for word in words)


def unpack(words, bits, lanes):
    """Inverse of `pack` for rows of `lanes` values: Python integers, which never overflow."""
    mask = (1 << bits) - 1
    rows = [[word >> bits * lane & mask for lane in range(lanes)] for word in words]
    return np.array(rows, object)


def pack(rows, bits):
    """Rows of values as one number each, the first value in the lowest `bits` bits."""
    rows = rows.astype(np.int64)
    places = (rows[..., None] >> np.arange(bits)) & 1  # lowest bit first
    packed = np.packbits(places.reshape(len(rows), -1).astype(np.uint8), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]
