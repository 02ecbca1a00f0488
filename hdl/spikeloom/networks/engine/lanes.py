"""The lanes: an adder each, whose accumulator is also the membrane of a neuron."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.pieces import pieces
from ...blocks.pipeline import Pipeline
from .controls import CONTROLS


class Lanes(Component):
    """Adds operands to accumulators, and decides which neurons fire.

    What a lane accumulates is its membrane less the threshold, v' = v - threshold, so that it fires
    if v' is not negative. With ``rest = -threshold >> leak`` and ``C = bias + rest``, which is a
    row of weights (with leak 0: ``C = bias``), a time step begins with::

        v' <- (fired or t = 0 ? rest : v' >> leak) + C

    which is exact where 2**leak divides the threshold, as ``((v' + threshold) >> leak) - threshold
    = (v' >> leak) + rest`` (with leak 0: ``v'``). Sums may wrap before they are complete; the
    accumulator is wide enough for complete ones.

    With a soft reset, v' is not replaced where the neuron fired, and the next entry adds `rest`
    there: ``((v' >> leak) + rest) + C``, as the membrane v is then v' itself.

    An operand in cycle t is in v from cycle t + `delay` on. The spikes of a time step appear once
    the next step begins, or two cycles after the last entry of an operation has been added.

    Parameters
    ----------
    lanes : number of lanes.
    operand_bits : bits of an operand, signed.
    bits : bits of an accumulator.
    shift : places by which SHIFTED and OPEN shift the operand.
    soft : whether any operation has a soft reset.

    Members
    -------
    valid : In(1), an operand. controls : In(`CONTROLS`).
    operands : In(lanes * operand_bits). added : In(lanes), spikes of V, for learning.
    rest : In(bits), leak : In(1), soft : In(1), constants of the operation.
    values : Out(lanes * bits), the accumulators.
    learnt : Out(1), `values` are a word of the attention state.
    o_valid : Out(1), o : Out(lanes), spikes of a step.
    final : Out(1), `values` are complete: the last entry of the operation was added.
    """

    delay = 2

    def __init__(self, *, lanes: int, operand_bits: int, bits: int, shift: int, soft: bool) -> None:
        self._operand_bits = operand_bits
        self._bits = bits
        self._shift = shift
        self._soft = soft
        super().__init__(
            {
                "valid": In(1),
                "controls": In(CONTROLS),
                "operands": In(lanes * operand_bits),
                "added": In(lanes),
                "rest": In(bits),
                "leak": In(1),
                "soft": In(1),
                "values": Out(lanes * bits),
                "learnt": Out(1),
                "o_valid": Out(1),
                "o": Out(lanes),
                "final": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        bits, controls = self._bits, self.controls

        pipeline = Pipeline(m)
        valid = pipeline.register(self.valid, "valid_x", reset_less=False)
        added = pipeline.register(self.added, "added_x")
        rest = Signal(bits, name="rest_x", reset_less=True)
        shifts, now = Signal(name="shifts_x"), Signal(CONTROLS, name="controls_x")
        m.d.sync += [
            rest.eq(Mux(controls.zero, 0, self.rest)),
            shifts.eq(controls.decide & self.leak),
            now.eq(controls),
        ]

        fired = Signal(len(self.o))
        accumulators = []
        for n, operand in enumerate(pieces(self.operands, self._operand_bits)):
            x = Signal(bits, name=f"x_{n}", reset_less=True)
            v = Signal(bits, name=f"v_{n}", reset_less=True)
            weight = Signal(bits, name=f"weight_{n}")
            m.d.comb += weight.eq(
                Mux(controls.shifted, operand.as_signed() << self._shift, operand.as_signed())
            )
            with m.If(~controls.hold):
                m.d.sync += x.eq(Mux(controls.capture, v, weight))

            kept, before = Signal(bits, name=f"kept_{n}"), Signal(bits, name=f"before_{n}")
            replaced = Signal(name=f"replaced_{n}")
            m.d.comb += [
                fired[n].eq(~v[-1]),
                replaced.eq(now.replace | (now.decide & fired[n] & ~self.soft)),
                kept.eq(Mux(shifts, Cat(v[1:], v[-1]), v)),
                before.eq(Mux(replaced, rest, kept)),
            ]
            term = Mux(now.soft, rest & self.o[n].replicate(bits), x) if self._soft else x
            with m.If(valid):
                m.d.sync += v.eq(before + term + (added[n] & now.learn))
            accumulators.append(v)
        m.d.comb += self.values.eq(Cat(accumulators))

        # A step is over when the next one begins, or with the last entry of a group or operation.
        opened, ended = Signal(), Signal()
        m.d.comb += ended.eq(opened & (self.final | (valid & (now.first | now.opens))))
        m.d.sync += [
            self.learnt.eq(valid & now.learn),
            self.final.eq(valid & now.final),
            self.o_valid.eq(ended),
            self.o.eq(fired),
        ]
        with m.If(valid):
            m.d.sync += opened.eq(now.opens | (opened & ~now.first))
        with m.If(self.final):
            m.d.sync += opened.eq(0)

        return m
