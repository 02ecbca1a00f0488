"""Winner-oriented spike shift: softmax by subtraction and a falling threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import C, Cat, Const, Module, Mux, Signal
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from ...blocks.add_with_carry import add_or_subtract
from ...blocks.bank_memory import BankMemory
from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest
from .code import signed_code, unsigned_code
from .lookup import lookup
from .tables import winner_fraction, winner_table

if TYPE_CHECKING:
    from amaranth.hdl import Value

    from .core import Spiked


def silent_row(config: Spiked, row: Value, index: Value) -> Any:
    """Probability code `index` of a row of scores that are all silent: the same for all tokens that
    the mask admits, a whole step of the threshold above the potential 0."""
    code = unsigned_code(config.steps)
    alike = code.const({"step": 1, "spike": 1} if config.steps > 1 else None)
    return code(Mux(mask_admits(config, row, index), alike.as_value(), 0))


def mask_admits(config: Spiked, row: Any, token: Any) -> Value:
    """Whether the query of `row` may look at `token`."""
    return token <= row if config.mask == "causal" else Const(1)


class Woss(Component):
    """Turns each row of score codes into probability codes, not yet divided by their sum::

        u[j] = M * (s[j] * B**-n[j] - B**-n_winner)
        m[j] = min {m >= 0 : u[j] >= (1/2 - m) * ln B}

    The winner is the earliest positive spike of the row; without one nothing is subtracted. Counted
    in units of ln B the threshold falls by one whole per step, so that the step is the potential
    itself, rounded up: a subtraction and no comparison. Scores the mask leaves out neither win nor
    fire. A block per cycle; a row leaves `delay` cycles after its last block came.

    A row of which it is known beforehand that no score spikes may come as one `i_silent`. Its
    probabilities are `silent_row`, and it leaves as one `o_silent`.

    Parameters
    ----------
    config : Spiked (tokens, encoders, mask, steps, base, frac_bits, score_scale).

    Members
    -------
    i : In(array of `encoders` score codes), i_valid : In(1): row after row of
        ``ceil(tokens / encoders)`` blocks.
    o : Out(array of `encoders` probability codes), o_valid : Out(1), likewise.
    i_silent : In(1), o_silent : Out(1), in place of a row of `i`, of `o`.

    Source: "SpikedAttention", NeurIPS 2024, winner-oriented spike shift.
    """

    delay = 5  # cycles from a row's last block to its first probabilities

    def __init__(self, config: Spiked) -> None:
        self._config = config
        blocks = {
            "i": In(data.ArrayLayout(signed_code(config.steps), config.encoders)),
            "o": Out(data.ArrayLayout(unsigned_code(config.steps), config.encoders)),
        }
        marks = {"i_valid": In(1), "o_valid": Out(1), "i_silent": In(1), "o_silent": Out(1)}
        super().__init__(blocks | marks)

    def elaborate(self, platform):
        m = Module()
        config = self._config
        steps = config.steps
        potentials = [*winner_table(config), 0]

        # Rows wait until their winner is known. A row takes no longer to leave than the next one
        # to arrive, so that two are enough.
        m.submodules.arrive = arrive = LoopNest(row=config.tokens, block=config.blocks)
        m.submodules.rows = rows = BankMemory(
            banks=2, depth=config.blocks, granule_bits=len(self.i.as_value())
        )
        m.d.comb += [
            arrive.step.eq(self.i_valid | self.i_silent),
            arrive.skip.eq(self.i_silent),
            rows.w.reserve.eq(self.i_valid & arrive.block_first),
            rows.w.addr.eq(arrive.block),
            rows.w.data.eq(self.i),
            rows.w.en.eq(self.i_valid),
            rows.w.close.eq(self.i_valid & arrive.block_last),
        ]

        # The winner so far: the step of the earliest positive spike, `steps` for none.
        best = Signal(range(steps + 1), init=steps)
        winner = Signal(range(steps + 1), reset_less=True)
        rivals: list[Value] = [best]
        for n in range(config.encoders):
            competes = self.i[n].spike & ~self.i[n].sign & self._admitted(arrive, n)
            rivals.append(Mux(competes, self.i[n].step, steps))
        while len(rivals) > 1:
            first, second, *others = rivals
            earlier = Signal.like(best, name=f"earlier_{len(others)}")
            m.d.comb += earlier.eq(Mux(second < first, second, first))
            rivals = [*others, earlier]
        (earliest,) = rivals
        with m.If(self.i_valid):
            m.d.sync += best.eq(Mux(arrive.block_last, steps, earliest))
            with m.If(arrive.block_last):
                m.d.sync += winner.eq(earliest)

        # A complete row is read again; its winner goes along.
        m.submodules.leave = leave = LoopNest(row=config.tokens, block=config.blocks)
        m.d.comb += [
            leave.step.eq(rows.r.full | leave.skip),
            rows.r.addr.eq(leave.block),
            rows.r.release.eq(rows.r.full & leave.block_last),
        ]
        read = Signal()
        row_winner = Signal.like(winner, reset_less=True)
        m.d.sync += [read.eq(rows.r.full), row_winner.eq(winner)]

        # Silent rows wait while a row leaves, and have left before the next is complete.
        waiting = Signal(range(config.blocks + 1))
        silent = Signal(self.delay - 1)
        m.d.comb += [
            leave.skip.eq(~rows.r.full & (waiting != 0)),
            self.o_silent.eq(silent[-1]),
        ]
        m.d.sync += [
            waiting.eq(waiting + self.i_silent - leave.skip),
            silent.eq(Cat(leave.skip, silent)),
        ]

        # Potentials, then their distance from the winner's, rounded up to steps.
        fraction = winner_fraction(config)
        looked_up, subtracted = Signal(2)
        half_up = (1 << fraction - 1) + (1 << fraction) - 1
        highest = Signal(range(max(potentials) + half_up + 1), reset_less=True)
        m.d.sync += [
            looked_up.eq(read),
            highest.eq(lookup([potential + half_up for potential in potentials], row_winner)),
            subtracted.eq(looked_up),
            self.o_valid.eq(subtracted),
        ]
        for n in range(config.encoders):
            admitted = Signal(3, name=f"admitted_{n}", reset_less=True)
            m.d.sync += admitted.eq(admitted << 1 | self._admitted(leave, n))

            code = Signal(signed_code(steps), name=f"code_{n}")
            level = Signal.like(highest, name=f"level_{n}", reset_less=True)
            minus = Signal(name=f"minus_{n}", reset_less=True)
            m.d.comb += code.eq(rows.r.data.word_select(n, len(code.as_value())))
            m.d.sync += [
                level.eq(Mux(code.spike, lookup(potentials, code.step), 0)),
                minus.eq(code.sign),
            ]
            below = Signal(len(highest) + 1, name=f"below_{n}", reset_less=True)
            m.d.sync += below.eq(
                add_or_subtract(Cat(highest, C(0, 2)), Cat(level, C(0, 1)), ~minus)
            )
            step = below >> fraction
            fires = admitted[-1] & (step < steps)
            m.d.sync += [
                self.o[n].spike.eq(fires),
                self.o[n].step.eq(Mux(fires, step, 0)),
            ]

        return m

    def _admitted(self, loops, n):
        """Whether the mask lets neuron `n` of the present block in; one beyond the row never is."""
        config = self._config
        token = loops.block * config.encoders + n
        if config.mask == "none" and config.tokens % config.encoders:
            return token < config.tokens
        return mask_admits(config, loops.row, token)
