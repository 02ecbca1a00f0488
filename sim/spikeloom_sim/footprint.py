"""How much memory a core's golden model and the streams of a simulation take, before they do."""

from .memory import check_memory

MODEL = 100e6  # bytes that any model takes: NumPy, and pieces that long runs are worked on in
BEAT = 500  # bytes of a stream beat in Python and in JSON


def check_golden(config, *, made_here=False):
    """Raise `InputError` where the golden model of `config` takes more memory than is available.

    `made_here`: its operands are made as well, not given.
    """
    needed = golden_bytes(config)
    if made_here:
        needed += 10 * _tensor_steps(config) * _operand_numbers(config)
    check_memory(needed, f"the golden model of {_shape(config)}", _reduce(config))


def check_streams(config, heads):
    """Raise `InputError` where the beats of `heads` runs of `config`, in and out, take more memory
    than is available."""
    steps = getattr(config, "steps", 1) if config.core != "spiked" else config.heads
    if config.core == "ssa" and config.inputs == "values":
        beats = _operand_numbers(config) + steps * config.tokens
    else:
        beats = steps * config.tokens * (3 + getattr(config, "chunks", 1))
    what = f"a simulation of {heads} x {_shape(config)}"
    check_memory(MODEL + heads * beats * BEAT, what, f"{_reduce(config)} or heads")


def golden_bytes(config):
    """Bytes that the golden model allocates at once besides its operands: at most, and at least a
    quarter of it."""
    return MODEL + BYTES[config.core](config)


def _ssa(config):
    outputs = config.steps * config.tokens * config.value_dim
    pairs = config.steps * config.tokens**2
    spikes = config.steps * config.tokens * max(config.head_dim, config.value_dim)
    encoded = 70 * spikes if config.inputs == "values" else 0
    if config.engine == "sampled":
        return encoded + pairs + 40 * outputs
    return encoded + pairs + outputs


def _a2os2a(config):
    """One time step after the other; order `kv` does not hold the scores."""
    numbers = config.steps * config.tokens * max(config.head_dim, config.value_dim)
    scores = config.tokens**2 if config.chosen_order == "qk" else 0
    return 60 * numbers + 30 * scores


def _spiked(config):
    return 80 * config.tokens**2 + 60 * config.tokens * max(config.head_dim, config.value_dim)


BYTES = {"ssa": _ssa, "a2os2a": _a2os2a, "a2os2a_block": _a2os2a, "spiked": _spiked}


def _tensor_steps(config):
    """Times that a tensor goes by at the input."""
    return (
        1 if config.core == "spiked" or getattr(config, "inputs", "") == "values" else config.steps
    )


def _operand_numbers(config):
    return config.tokens * (2 * config.head_dim + config.value_dim)


def _shape(config):
    keys = ["tokens", "head_dim", "value_dim", *(["steps"] if config.core != "spiked" else [])]
    return f"{config.core} with " + ", ".join(f"{key} = {getattr(config, key)}" for key in keys)


def _reduce(config):
    return "tokens" if config.core == "spiked" else "steps or tokens"
