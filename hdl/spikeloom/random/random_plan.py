"""Assignment of random bits to draws, shared by hardware and golden model.

A core draws several random numbers at once. Cells that shared a number along a row or column would
have correct single outputs but correlated sums, so every draw has its own bits.
Three strategies (key ``random``):

slices
    64-bit LFSRs, which advance by 59 bits per draw, divided into disjoint slices: no bit is used
    twice, and consecutive draws of an LFSR are related only by five-bit parities. The default.
own
    one 32-bit LFSR for each draw: the textbook layout, and the largest.
permuted
    one 64-bit LFSR for all draws, each with different bit positions of the register. The smallest,
    but draws share bits, so sums along a row or column are noisier.

With a sparse recurrence, seeds that differ in one bit lead to states that differ in few bits for a
long time. A seed is therefore scrambled once per run (`scramble`), then rotated and XORed with a
constant for each register. Neighbouring seeds are unrelated from the first draw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from math import ceil
from operator import xor
from typing import Any

STRATEGIES = ("slices", "own", "permuted")
SCRAMBLE_TURNS = ((0, 16, 22), (4, 24, 56))  # of the seed, of the sum of its turns
START_CYCLES = 3  # cycles from the start of a run until random numbers are valid
EXCESS_BITS = 8  # additional bits beyond ceil(log2(limit)) if limit is not a power of two

_MASK = 2**64 - 1


@dataclass(frozen=True)
class Register:
    """One LFSR of a plan: `width` bits, `leap` bits per draw, seeded through `salt` and `turn`."""

    width: int
    leap: int
    salt: int
    turn: int

    def seeded(self, scrambled: int) -> int:
        """State after loading a scrambled seed: rotated by `turn`, salted, bit 0 set."""
        return (_rotate(scrambled, self.turn) ^ self.salt) & (2**self.width - 1) | 1


@dataclass(frozen=True)
class RandomPlan:
    """`registers`, and for each draw its register and bit positions (lowest first)."""

    registers: tuple
    slots: tuple  # one (register index, tuple of bit positions) for each draw


def is_power_of_two(n: int) -> bool:
    return n & (n - 1) == 0


def draw_bits(limit: int) -> int:
    """Random bits of one draw from ``0..limit - 1``.

    For a power of two these are log2(limit), and the draw is exactly uniform. Otherwise
    ``r = floor(u * limit / 2**bits)`` of a uniform `u` with `EXCESS_BITS` more than needed: the
    probability of ``r < count`` is off ``count / limit`` by less than ``2**-bits``, that is by less
    than ``2**-8 / limit``.
    """
    bits = (limit - 1).bit_length()
    return bits if is_power_of_two(limit) else bits + EXCESS_BITS


def draws_discarded(limit: int) -> int:
    """Draws of the sequence that are discarded at the start of a run.

    One step follows loading. If the limit is not a power of two, this step registers the first
    scaled draw. Otherwise the first draw was already valid, and the step discards it.
    """
    return 1 if is_power_of_two(limit) else 0


def scramble(seed: int) -> int:
    """Scramble a 64-bit seed: each bit affects nine others. Invertible.

    Rotations are the powers of a variable r with ``r**64 = 1``, sums of them polynomials over
    GF(2), where squaring a sum squares its terms. Hence fourteen rounds of ``x XOR (x <<< 11) XOR
    (x <<< 40)`` are ``(1 + r**22 + r**16) (r**24 + r**4 + r**56)``: two sums of three.
    """
    for turns in SCRAMBLE_TURNS:
        seed = turned_sum(seed, turns, _rotate)
    return seed


def turned_sum(
    word: Any,
    turns: Any,
    rotate: Callable[..., Any] = lambda word, amount: word.rotate_left(amount),
) -> Any:
    """The XOR of `word`, an int or a hardware value of 64 bits, rotated to the left by `turns`."""
    return reduce(xor, (rotate(word, amount) for amount in turns))


def _rotate(word, amount):
    """A 64-bit word rotated to the left."""
    return (word << amount | word >> (64 - amount)) & _MASK


def make_plan(strategy: str, draws: int, bits: int, stream: int) -> RandomPlan:
    """Assign `draws` numbers of `bits` bits each for the random source number `stream`.

    Sources of one core have different stream numbers, so that they share no register.
    """
    if bits == 0:
        return RandomPlan((), ((0, ()),) * draws)
    if strategy == "own":
        registers = [_register(32, 23, stream, n) for n in range(draws)]
        slots = [(n, tuple(range(32 - bits, 32))) for n in range(draws)]
    elif strategy == "permuted":
        registers = [_register(64, 59, stream, 0)]
        slots = [(0, _positions(bits, n)) for n in range(draws)]
    else:
        each = 59 // bits
        registers = [_register(64, 59, stream, n) for n in range(ceil(draws / each))]
        slots = [
            (n // each, tuple(range(5 + n % each * bits, 5 + (n % each + 1) * bits)))
            for n in range(draws)
        ]
    return RandomPlan(tuple(registers), tuple(slots))


def _register(width, leap, stream, n):
    key = stream << 32 | n
    return Register(width, leap, _constant(2 * key), _constant(2 * key + 1) % 63 + 1)


def _positions(bits, n):
    """`bits` different positions of a 64-bit register, pseudo-random for each `n`."""
    order = sorted(range(64), key=lambda position: _constant(n << 16 | position))
    return tuple(order[:bits])


def _constant(n):
    """A fixed, well-mixed 64-bit number for each `n` (the SplitMix64 output function)."""
    n = (n + 1) * 0x9E3779B97F4A7C15 & _MASK
    n = (n ^ n >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    n = (n ^ n >> 27) * 0x94D049BB133111EB & _MASK
    return n ^ n >> 31
