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
from ...blocks.pipeline import Pipeline
from ...blocks.select import lookup
from .code import signed_code, unsigned_code
from .tables import winner_fraction, winner_table

if TYPE_CHECKING:
    from amaranth.hdl import Value

    from .core import Spiked

DELAY = 7  # cycles from a row's last block to its first probabilities
PAIRS = 3  # tokens of a block; of more, the winner among pairs has a register


def silent_row(config: Spiked, row: Value, index: Value) -> Any:
    """Probability code `index` of a row whose scores are all silent: the same code for all tokens
    that the mask admits."""
    code = unsigned_code(config.steps)
    alike = code.const({"step": 1, "spike": 1} if config.steps > 1 else None)
    return code(Mux(mask_admits(config, row, index), alike.as_value(), 0))


def mask_admits(config: Spiked, row: Any, token: Any) -> Value:
    """Whether the query of `row` attends to `token`."""
    return token <= row if config.mask == "causal" else Const(1)


def woss_delay(config: Spiked) -> int:
    """Cycles of `Woss` from a row's last block to its first probabilities."""
    return DELAY + (config.encoders > PAIRS)


class Woss(Component):
    """Turns each row of score codes into probability codes, not yet divided by their sum::

        u[j] = M * (s[j] * B**-n[j] - B**-n_winner)
        m[j] = min {m >= 0 : u[j] >= (1/2 - m) * ln B}

    The winner is the earliest positive spike of the row; without one, nothing is subtracted. In
    units of ln B the threshold falls by one per step, so the step is the rounded potential and no
    comparison is needed. Masked scores neither win nor fire. One block per cycle; a row leaves
    `woss_delay` cycles after its last block.

    A row known to have no spikes may be sent as one `i_silent`. It leaves as one `o_silent`, and
    its probabilities are `silent_row`.

    Parameters
    ----------
    config : Spiked (tokens, encoders, mask, steps, base, frac_bits, score_scale).

    Members
    -------
    i : In(array of `encoders` score codes), i_valid : In(1): row after row of
        ``ceil(tokens / encoders)`` blocks.
    o : Out(array of `encoders` probability codes), o_valid : Out(1), in the same order.
    i_silent : In(1), o_silent : Out(1), replace a whole row of `i` or `o`.

    Source: "SpikedAttention", NeurIPS 2024, winner-oriented spike shift.
    """

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

        # Rows are buffered until their winner is known. Two buffers suffice, because a row is read
        # in no more time than the next one takes to arrive.
        m.submodules.arrive = arrive = LoopNest(row=config.tokens, block=config.blocks)
        m.submodules.rows = rows = BankMemory(
            banks=2, depth=config.blocks, granule_bits=len(self.i.as_value())
        )
        m.d.comb += [
            arrive.step.eq(self.i_valid | self.i_silent),
            arrive.skip.eq(self.i_silent),
        ]
        # Written as the winner of the block becomes known.
        later = woss_delay(config) - DELAY
        write = Pipeline(m)
        marks = (self.i_valid, arrive.block_first, arrive.block_last)
        valid, first, last = (
            write.delay(mark, later, name, reset_less=False)
            for mark, name in zip(marks, ("valid", "first", "last"), strict=True)
        )
        m.d.sync += [
            rows.w.reserve.eq(valid & first),
            rows.w.addr.eq(write.delay(arrive.block, later, "block")),
            rows.w.data.eq(write.delay(self.i.as_value(), later, "codes")),
            rows.w.en.eq(valid),
            rows.w.close.eq(valid & last),
        ]

        # The current winner: the step of the earliest positive spike, or `steps`. First within a
        # block, then, as the block is written, among the blocks of the row.
        best = Signal(range(steps + 1), init=steps)
        winner = Signal(range(steps + 1), reset_less=True)
        rivals: list[Value] = []
        for n in range(config.encoders):
            competes = self.i[n].spike & ~self.i[n].sign & self._admitted(arrive, n)
            rivals.append(Mux(competes, self.i[n].step, steps))
        pairs = [self._earlier(m, rivals[n : n + 2], n) for n in range(0, len(rivals), 2)]
        rivals = [write.delay(pair, later, f"pair_{n}") for n, pair in enumerate(pairs)]
        while len(rivals) > 1:
            rivals = [*rivals[2:], self._earlier(m, rivals[:2], f"of_{len(rivals)}")]
        block_best = write.register(rivals[0], "block_best")
        earliest = Mux(block_best < best, block_best, best)
        with m.If(rows.w.en):
            m.d.sync += best.eq(Mux(rows.w.close, steps, earliest))
            with m.If(rows.w.close):
                m.d.sync += winner.eq(earliest)

        # Read a complete row again, together with its winner. A register, because block RAM has a
        # long output delay.
        m.submodules.leave = leave = LoopNest(row=config.tokens, block=config.blocks)
        m.d.comb += [
            leave.step.eq(rows.r.full | leave.skip),
            rows.r.addr.eq(leave.block),
            rows.r.release.eq(rows.r.full & leave.block_last),
        ]
        read, held = Signal(2)
        block = Signal.like(rows.r.data, reset_less=True)
        block_winner, row_winner = (Signal.like(winner, reset_less=True) for _ in range(2))
        m.d.sync += [
            Cat(read, held).eq(Cat(rows.r.full, read)),
            block.eq(rows.r.data),
            block_winner.eq(winner),
            row_winner.eq(block_winner),
        ]

        # Silent rows are delayed while a row is read, and leave before the next one is complete.
        waiting = Signal(range(config.blocks + 1))
        silent = Signal(DELAY - 2)
        arrived_silent = write.delay(self.i_silent, 1 + later, "silent_in", reset_less=False)
        m.d.comb += [
            leave.skip.eq(~rows.r.full & (waiting != 0)),
            self.o_silent.eq(silent[-1]),
        ]
        m.d.sync += [
            waiting.eq(waiting + arrived_silent - leave.skip),
            silent.eq(Cat(leave.skip, silent)),
        ]

        # Potentials, then their differences from the winner's, rounded up to steps.
        fraction = winner_fraction(config)
        looked_up, subtracted = Signal(2)
        half_up = (1 << fraction - 1) + (1 << fraction) - 1
        highest = Signal(range(max(potentials) + half_up + 1), reset_less=True)
        m.d.sync += [
            looked_up.eq(held),
            highest.eq(lookup([potential + half_up for potential in potentials], row_winner)),
            subtracted.eq(looked_up),
            self.o_valid.eq(subtracted),
        ]
        for n in range(config.encoders):
            admitted = Signal(4, name=f"admitted_{n}", reset_less=True)
            m.d.sync += admitted.eq(admitted << 1 | self._admitted(leave, n))

            code = Signal(signed_code(steps), name=f"code_{n}")
            level = Signal.like(highest, name=f"level_{n}", reset_less=True)
            minus = Signal(name=f"minus_{n}", reset_less=True)
            m.d.comb += code.eq(block.word_select(n, len(code.as_value())))
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

    def _earlier(self, m, steps, name):
        """The earlier of two steps, or the only one."""
        first, *others = steps
        if not others:
            return first
        earlier = Signal(range(self._config.steps + 1), name=f"earlier_{name}")
        m.d.comb += earlier.eq(Mux(others[0] < first, others[0], first))
        return earlier

    def _admitted(self, loops, n):
        """Whether the mask admits neuron `n` of the current block; false beyond the end of the
        row."""
        config = self._config
        if config.blocks == 1 and n == 0:
            return Const(1)  # token 0, to which every query attends
        token = loops.block * config.encoders + n
        if config.mask == "none" and config.tokens % config.encoders:
            return token < config.tokens
        return mask_admits(config, loops.row, token)
