"""Operations and memory traffic of the `int8_linear` core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...work import Accesses, Operations, Work

if TYPE_CHECKING:
    from .core import Int8Linear


def work(core: Int8Linear) -> Work:
    """The work of a run, whatever the operands."""
    sums = core.tokens * core.output_dim
    products = sums * core.input_dim
    x, w = 8 * core.input_dim, 8 * core.input_dim * core.output_dim  # bits of a token, of all
    constants = core.sum_bits + core.scale_bits
    total = core.sum_bits + 1
    return Work(
        "N I O multiplications and additions; for each output a bias, scale_bits additions for its "
        "scale, and two for rounding and limit",
        (
            Operations("x w", "multiply", 8, products),
            Operations("x w", "add", core.sum_bits, products),
            Operations("bias", "add", total, sums),
            Operations("scale", "add", total, core.scale_bits * sums),
            Operations("rounding and limit", "add", total, 2 * sums),
        ),
        (
            Accesses("x", core.tokens * x + sums * x, 2 * x),
            Accesses("w", w + products * 8, core.weight_banks * w),
            Accesses(
                "bias and scale",
                (core.output_dim + sums) * constants,
                core.weight_banks * core.output_dim * constants,
            ),
        ),
    )
