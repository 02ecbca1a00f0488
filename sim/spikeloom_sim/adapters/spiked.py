"""Tensors of the `spiked` core: checking, scales fitted to data, stream beats and back.

In a run, operands are codes: (heads * N, D) and (heads * N, Dv) int16, head after head.
"""

import numpy as np

from spikeloom.config import SpikedConfig
from spikeloom.cores.spiked import schedule
from spikeloom.errors import InputError

from ..golden import spiked
from ..tensors import check_shape

OPERANDS = ("q", "k", "v")


def configure(settings, q, k, v):
    """Check operands against each other, fill in shapes, fit the scales, and encode.

    Parameters
    ----------
    settings : key to value, as given by the user.
    q, k, v : (N, D), (N, D) and (N, Dv) real numbers, with a leading axis for heads if wanted.

    Returns the `SpikedConfig`, its scales numbers, and a list of the codes (q, k, v) of each head.

    Raises `InputError` where a shape, a value or a key does not fit.
    """
    tensors = {"q": q, "k": k, "v": v}
    for name, tensor in tensors.items():
        if tensor.ndim not in (2, 3):
            raise InputError(f"{name}: shape {tensor.shape} is not (N, D), nor heads of that")
        if not np.isfinite(tensor).all():
            where = [int(n) for n in np.argwhere(~np.isfinite(tensor))[0]]
            raise InputError(f"{name}: NaN or infinity at {where}; give finite numbers")
    if k.shape != q.shape:
        raise InputError(f"k: shape {k.shape} differs from q's {q.shape}; they must be equal")
    if v.shape[:-1] != q.shape[:-1]:
        raise InputError(
            f"v: shape {v.shape} does not go with q's {q.shape}; only the last axis may differ"
        )

    shape = {"tokens": q.shape[-2], "head_dim": q.shape[-1], "value_dim": v.shape[-1]}
    config = SpikedConfig.from_settings(shape | dict(settings))
    check_shape(config, shape)
    if config.heads != 1:
        raise InputError(f"heads = {config.heads}: heads come from the tensors' leading axis")

    stacked = [np.asarray(x, float) if x.ndim == 3 else x[None].astype(float) for x in (q, k, v)]
    heads = list(zip(*stacked, strict=True))
    config = spiked.fit_scales(config, heads)
    codes = [_encode(config, head) for head in heads]
    for name, tensor, coded in zip(OPERANDS, stacked, zip(*codes, strict=True), strict=True):
        _refuse_vanished(config, name, abs(tensor).max(), coded)
    traces = [spiked.trace(config, *head) for head in codes]
    score = max(abs(trace.score_sums).max() for trace in traces)
    score *= config.scales["score"] / 2**config.frac_bits / config.score_gain
    _refuse_vanished(config, "score", score, [trace.scores for trace in traces])
    output = max(
        (abs(trace.output_sums) / np.maximum(trace.normaliser, 1)[:, None]).max()
        for trace in traces
    )
    output *= config.scales["output"] / config.output_gain
    _refuse_vanished(config, "output", output, [trace.output for trace in traces])
    return config, codes


def _encode(config, head):
    """Codes of real (q, k, v)."""
    scales = [config.scales[name] for name in OPERANDS]
    return tuple(
        spiked.encode_values(config, x / scale) for x, scale in zip(head, scales, strict=True)
    )


def _refuse_vanished(config, name, largest, codes):
    """Raise `InputError` where a stage has values, but all too small to spike."""
    if largest and not any(np.any(code) for code in codes):
        key, what = f"{name}_scale", {"score": "score"}.get(name, f"value of {name}")
        raise InputError(
            f"{key} = {config.scales[name]} makes every {what} vanish; the largest is "
            f"{largest:.4g}, set {key} to about that or leave it at auto"
        )


def axes(config):
    """Axes of a single head's Q."""
    return 2


def decode(config, output):
    """Output codes in the units of V: float64."""
    return spiked.decode(config, output) * config.scales["output"]


def golden(config, q, k, v):
    """Output codes of the golden model: (heads * N, Dv) int16."""
    heads = [np.split(np.asarray(tensor), config.heads) for tensor in (q, k, v)]
    return np.concatenate([spiked.run(config, *head) for head in zip(*heads, strict=True)])


def cycles(config, q, k, v):
    """Clocks from start to the last output beat for these codes, operands on chip."""
    return schedule.cycles(config, (q != 0).tolist(), (v != 0).tolist())


def to_beats(config, q, k, v):
    """Stream beats of one run: operand name to list of (data, last)."""
    bits = _code_bits(config)
    beats = {}
    for name, tensor in zip(OPERANDS, (q, k, v), strict=True):
        beats[name] = [
            (sum(int(code) << bits * n for n, code in enumerate(row)), _is_last(config, token))
            for token, row in enumerate(spiked.to_wire(config, tensor))
        ]
    return beats


def operands_of(config, beats):
    """Operands (q, k, v) whose stream beats are `beats`, as `to_beats` makes them."""
    widths = (config.head_dim, config.head_dim, config.value_dim)
    return tuple(
        _codes(config, [data for data, _ in beats[name]], width)
        for name, width in zip(OPERANDS, widths, strict=True)
    )


def output_beats(config):
    """Beats of the output stream in one run."""
    return config.heads * config.tokens


def preload_clocks(config):
    """Clocks in which as many operand beats come in as the core holds before start."""
    return 2 * config.tokens * beat_clocks(config) + 8


def beat_clocks(config):
    """Clocks the core takes over one operand beat."""
    return max(config.head_dim, config.value_dim + 1)


def from_beats(config, beats):
    """Output codes (heads * N, Dv) int16 from the (data, last) beats of the output stream.

    Raises `InputError` where their number or a ``last`` is off.
    """
    expected = [_is_last(config, token) for token in range(output_beats(config))]
    if [last for _, last in beats] != expected:
        raise InputError(f"output: not {config.heads} heads of {config.tokens} beats")
    return from_words(config, [data for data, _ in beats])


def from_words(config, words):
    """Output codes (heads * N, Dv) int16 from the data of all output beats."""
    return _codes(config, words, config.value_dim)


def _codes(config, words, width):
    """Codes (len(words), width) from the data of beats."""
    bits = _code_bits(config)
    rows = [[word >> bits * n & (1 << bits) - 1 for n in range(width)] for word in words]
    return spiked.from_wire(config, rows)


def random_operands(config, rng, density=0.5):
    """Codes (q, k, v) for a test, of which a share `density` spike; beyond 1, all at step 0."""
    operands = []
    for dim in (config.head_dim, config.head_dim, config.value_dim):
        shape = (config.heads * config.tokens, dim)
        codes = rng.integers(1, config.steps + 1, shape) * rng.choice([-1, 1], shape)
        codes = np.where(rng.random(shape) < density, codes, 0)
        operands.append((np.ones(shape) if density > 1 else codes).astype(np.int16))
    return tuple(operands)


def self_test_operands(config, rng, rom_steps):
    """Operands for a self-test on the board, and the beats to hold in its ROM: Gaussian ones."""
    shapes = [(config.tokens, dim) for dim in (config.head_dim, config.head_dim, config.value_dim)]
    operands = _encode(config, [rng.standard_normal(shape) for shape in shapes])
    operands = tuple(np.tile(tensor, (config.heads, 1)) for tensor in operands)
    beats = to_beats(config, *operands)
    return operands, {name: head[: config.tokens] for name, head in beats.items()}


def to_bytes(config, output):
    """An output tensor as the bytes of its stream: each beat padded to whole bytes."""
    bits = _code_bits(config)
    size = -(-config.value_dim * bits // 8)
    rows = spiked.to_wire(config, output)
    words = [sum(int(code) << bits * n for n, code in enumerate(row)) for row in rows]
    return b"".join(word.to_bytes(size, "little") for word in words)


def _code_bits(config):
    return (config.steps - 1).bit_length() + 2


def _is_last(config, token):
    return int(token % config.tokens == config.tokens - 1)
