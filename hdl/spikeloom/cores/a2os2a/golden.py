"""Addition-only spiking attention: golden model, running-sum form and float reference.

With Q in {0, 1}, K unsigned and V in {-1, 0, 1}, without softmax or scaling::

    O = (Q K^T) V = Q (K^T V)

Source: arXiv 2503.00226.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .core import A2OS2A

EXACT = 2**53  # integers below this are exact in float64, so that BLAS can add them


def check(config: A2OS2A, q: NDArray, k: NDArray, v: NDArray) -> list[NDArray]:
    """Reject operands that the core does not accept; see `check_integers`."""
    bounds = ((0, 1), (0, config.k_max), (int(config.v_item.low), 1))
    return check_integers(config, (q, k, v), bounds)


def check_integers(
    config: A2OS2A, operands: Sequence[ArrayLike], bounds: Sequence[tuple[int, int]]
) -> list[NDArray]:
    """Reject operands q, k, v that are not integers of the right shape within `bounds`.

    Returns them as (T, N, D), (T, N, D), (T, N, Dv) int64. The leading axis may be omitted for a
    single step. Raises `InputError` naming the operand and its first invalid value.
    """
    checked = []
    for name, operand, (low, high) in zip("qkv", operands, bounds, strict=True):
        values = np.asarray(operand)
        if values.dtype.kind not in "iub":
            raise InputError(f"{config.NAME}: {name} must hold integers, not {values.dtype}")
        if values.ndim == 2:
            values = values[None]
        width = config.value_dim if name == "v" else config.head_dim
        tokens = "any" if config.length == "open" else config.tokens
        shaped = values.ndim == 3 and values.shape[2] == width
        if not shaped or tokens not in ("any", values.shape[1]) or len(values) != config.steps:
            raise InputError(
                f"{config.NAME}: {name} has shape {np.shape(operand)}, must be ({tokens}, {width}) "
                f"for each of {config.steps} steps"
            )
        wrong = (values < low) | (values > high)
        if wrong.any():
            at = tuple(int(n) for n in np.argwhere(wrong)[0])
            index = list(at[-np.ndim(operand) :])
            raise InputError(
                f"{config.NAME}: {name}{index} = {values[at]} is not allowed; "
                f"values must be {low}..{high}"
            )
        checked.append(values.astype(np.int64))
    if not len({operand.shape[1] for operand in checked}) == 1:
        raise InputError(f"{config.NAME}: q, k and v must have the same number of tokens")
    return checked


def run(config: A2OS2A, q: NDArray, k: NDArray, v: NDArray) -> NDArray:
    """The core's output: (T, N, Dv), int32 or, where `acc_bits` exceeds 32, int64.

    Operands as for `check`. If Q has no axis of steps, the result has none.
    """
    return run_and_saturate(config, q, k, v)[0]


def run_and_saturate(config: A2OS2A, q: NDArray, k: NDArray, v: NDArray) -> tuple[NDArray, bool]:
    """`run`, and whether the state of an open sequence saturated, in any step."""
    saturated = False
    flat = np.ndim(q) == 2
    q, k, v = check(config, q, k, v)
    if config.length == "open":
        states = [RunningState(config) for _ in q]  # every step is a sequence
        steps = zip(states, q, k, v, strict=True)
        output = np.stack([state.answer(*step) for state, *step in steps])
        saturated = any(state.saturated for state in states)
    else:
        form = {"qk": scores_first, "kv": state_first}[config.chosen_order]
        output = np.stack([form(*step, config.mask) for step in zip(q, k, v, strict=True)])
    output = output.astype(np.int32 if config.acc_bits <= 32 else np.int64)
    return (output[0] if flat else output), saturated


def scores_first(q: NDArray, k: NDArray, v: NDArray, mask: str = "none") -> NDArray:
    """``(Q K^T) V``: (N, Dv) int64, exact."""
    scores = _product(q, k.T)
    return _product(np.tril(scores) if mask == "causal" else scores, v)


def state_first(q: NDArray, k: NDArray, v: NDArray, mask: str = "none") -> NDArray:
    """``Q (K^T V)``: (N, Dv) int64, exact; equal to `scores_first`."""
    if mask == "none":
        return _product(q, _product(k.T, v))
    state = np.zeros((k.shape[1], v.shape[1]), np.int64)
    output = np.empty((len(q), v.shape[1]), np.int64)
    for token in range(len(q)):
        state += np.multiply.outer(k[token], v[token])
        output[token] = q[token] @ state
    return output


@dataclass
class RunningState:
    """Causal attention in constant memory: ``M <- M + k v^T``, ``o = q M``, token by token.

    `state` (D, Dv) saturates at `state_bits`; `saturated` is set when that happens.
    """

    config: A2OS2A
    state: NDArray = field(init=False)
    saturated: bool = False

    def __post_init__(self):
        self.most = 2 ** (self.config.state_bits - 1) - 1
        self.least = -self.most - 1
        self.state = np.zeros((self.config.head_dim, self.config.value_dim), np.int64)

    def answer(self, q: NDArray, k: NDArray, v: NDArray, block: int = 256) -> NDArray:
        """Process the next tokens, (n, D), (n, D) and (n, Dv); returns their outputs (n, Dv)
        int64."""
        outputs = []
        for start in range(0, len(q), block):
            now = slice(start, start + block)
            outputs.append(self._answer_block(q[now], k[now], v[now]))
        return np.concatenate(outputs)

    def _answer_block(self, q, k, v):
        # Far from the bound a block is computed as two products, near it token by token.
        reach = np.abs(self.state).max() + int(k.max(initial=0)) * len(k)
        if reach <= self.most:
            output = _product(q, self.state) + scores_first(q, k, v, "causal")
            self.state = self.state + _product(k.T, v)
            return output
        output = np.empty((len(q), v.shape[1]), np.int64)
        for token in range(len(q)):
            total = self.state + np.multiply.outer(k[token], v[token])
            self.state = total.clip(self.least, self.most)
            self.saturated |= bool((total != self.state).any())
            output[token] = q[token] @ self.state
        return output


def count_events(config: A2OS2A, q: NDArray, k: NDArray, v: NDArray) -> int:
    """Additions of `lanes` values for these operands in the core's order, without zeros.

    `kv`: for every group, nonzero values of K in tokens whose V has a spike in the group, and
    spikes of Q; `qk`: chunks of K of stored tokens, for every query with a spike.
    """
    q, k, v = check(config, q, k, v)
    events = 0
    for queries, keys, values in zip(q, k, v, strict=True):
        if config.chosen_order == "kv":
            wanted = values.reshape(len(values), config.groups, config.lanes).any(axis=2)
            events += int(((keys != 0).sum(axis=1) * wanted.sum(axis=1)).sum())
            events += int(queries.sum()) * config.groups
            continue
        kept = keys.any(axis=1) & values.any(axis=1)
        pairs = queries.any(axis=1)[:, None] & kept
        if config.mask == "causal":
            pairs = np.tril(pairs)
        events += int(pairs.sum()) * config.chunks
    return events


def float_reference(q: NDArray, k: NDArray, v: NDArray, mask: str = "none") -> NDArray:
    """The equation of the paper in floating point, for real operands: (N, Dv) float64."""
    scores = np.asarray(q, float) @ np.asarray(k, float).T
    if mask == "causal":
        scores = np.tril(scores)
    return scores @ np.asarray(v, float)


def _product(a, b):
    """Matrix product of integers, int64, exact."""
    if np.abs(a).max(initial=0) * np.abs(b).max(initial=0) * a.shape[-1] >= EXACT:
        return a @ b
    return np.rint(a.astype(float) @ b.astype(float)).astype(np.int64)
