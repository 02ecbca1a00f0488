"""The lanes: an adder each, whose accumulator is also the membrane of a neuron."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.pieces import pieces
from ...blocks.pipeline import Pipeline
from .controls import controls_layout


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

    Where the thresholds of an operation are different, further entries add the difference of a
    lane's rest from `rest`: to all lanes in the first step, later by LATE where the neuron fired.

    An operand in cycle t is in v from cycle t + `delay` on. The spikes of a time step appear once
    the next step begins, or two cycles after the last entry of an operation has been added.

    Parameters
    ----------
    lanes : number of lanes.
    operand_bits : bits of an operand, signed.
    bits : bits of an accumulator.
    shift : places by which SHIFTED and OPEN shift the operand.
    soft, ternary, split, varied : whether any operation has such neurons.
    stores, largest : whether any operation stores accumulators, or leaves the largest operand.
    fades : the shifts of the phase codes that operations read, in ascending order.
    halves : whether any operation halves its sums.
    learnt_bits : bits of what is learnt, where it is `rest` times -1, 0 or 1; 0 where it is 0 or 1.

    Members
    -------
    valid : In(1), an operand. controls : In(`controls_layout`).
    operands : In(lanes * operand_bits). added, taken : In(lanes), spikes of V upwards and
        downwards, for learning.
    rest : In(bits), leak, soft, ternary, split, store : In(1), constants of the operation; with
        `store`, every step begins with `rest`. fade : In, only with several `fades`: one of them.
    values : Out(lanes * bits), the accumulators.
    learnt : Out(1), `values` are a word of the attention state.
    o_valid : Out(1), o : Out(lanes), spikes of a step. o_down : Out(1), those downwards, which
        follow the others of a step. o_values : Out(lanes * bits), only if any are stored: the
        accumulators at the end of the step.
    final : Out(1), `values` are complete: the last entry of the operation was added.
    """

    delay = 2

    def __init__(
        self,
        *,
        lanes: int,
        operand_bits: int,
        bits: int,
        shift: int,
        soft: bool,
        ternary: bool,
        split: bool,
        varied: bool,
        stores: bool,
        largest: bool,
        fades: tuple[int, ...],
        halves: bool,
        learnt_bits: int,
    ) -> None:
        self._operand_bits = operand_bits
        self._bits = bits
        self._shift = shift
        self._soft = soft
        self._ternary = ternary
        self._split = split
        self._controls = controls_layout(varied=varied, codes=bool(fades), halves=halves)
        self._stores = stores
        self._largest = largest
        self._fades = fades
        self._halves = halves
        self._learnt_bits = learnt_bits
        super().__init__(
            {
                "valid": In(1),
                "controls": In(self._controls),
                "operands": In(lanes * operand_bits),
                "added": In(lanes),
                "taken": In(lanes),
                "rest": In(bits),
                "leak": In(1),
                "soft": In(1),
                "ternary": In(1),
                "split": In(1),
                "store": In(1),
                **({"fade": In(range(max(fades) + 1))} if len(fades) > 1 else {}),
                "values": Out(lanes * bits),
                "learnt": Out(1),
                "o_valid": Out(1),
                "o": Out(lanes),
                "o_down": Out(1),
                **({"o_values": Out(lanes * bits)} if stores else {}),
                "final": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        bits, controls, varied = self._bits, self.controls, "late" in self._controls.members

        pipeline = Pipeline(m)
        valid = pipeline.register(self.valid, "valid_x", reset_less=False)
        added = pipeline.register(self.added, "added_x")
        taken = pipeline.register(self.taken, "taken_x")
        rest = Signal(bits, name="rest_x", reset_less=True)
        shifts, now = Signal(name="shifts_x"), Signal(self._controls, name="controls_x")
        m.d.sync += [
            rest.eq(Mux(controls.zero, 0, self.rest)),
            shifts.eq(controls.decide & self.leak | (controls.halve if self._halves else Const(0))),
            now.eq(controls),
        ]

        amount = self._amount(m, controls)
        fired, struck = Signal(len(self.o)), Signal(len(self.o), reset_less=True)
        accumulators = []
        for n, operand in enumerate(pieces(self.operands, self._operand_bits)):
            x = Signal(bits, name=f"x_{n}", reset_less=True)
            v = Signal(bits, name=f"v_{n}", reset_less=True)
            weight = Signal(bits, name=f"weight_{n}")
            m.d.comb += weight.eq(
                Mux(controls.shifted, operand.as_signed() << self._shift, operand.as_signed())
            )
            if self._fades:
                weight = weight ^ controls.minus.replicate(bits)
            with m.If(~controls.hold):
                m.d.sync += x.eq(Mux(controls.capture, v, weight))

            kept, before = Signal(bits, name=f"kept_{n}"), Signal(bits, name=f"before_{n}")
            replaced = Signal(name=f"replaced_{n}")
            m.d.comb += [
                fired[n].eq(~v[-1]),
                replaced.eq(now.replace | (now.decide & self._begins_anew(fired[n], struck[n]))),
                kept.eq(Mux(shifts, Cat(v[1:], v[-1]), v)),
                before.eq(Mux(replaced, self._learnt(now, rest, added[n], taken[n]), kept)),
            ]
            term, carry = x, (taken if self._learnt_bits else added)[n] & now.learn
            if self._soft:
                term = Mux(now.soft, rest & self.o[n].replicate(bits), term)
            if self._ternary or self._split:
                turned = now.split & ~fired[n]
                inverted = amount ^ (now.test | turned).replicate(bits)
                term = Mux(now.test | now.back | now.split, inverted, term)
                carry = carry | now.back | turned
            if self._fades:
                part, below = self._faded(v)
                faded = Signal(signed(bits), name=f"faded_{n}")
                m.d.comb += faded.eq(part)
                term = Mux(now.fade, ~faded.as_unsigned(), term)
                carry = carry | now.minus | (now.fade & ~below)
            total = before + term + carry
            if self._largest:
                difference = Signal(signed(bits), name=f"difference_{n}")
                m.d.comb += difference.eq(v - x)
                total = Mux(now.largest, Mux(difference < 0, x, v), total)
            with m.If(valid & (~now.late | self.o[n]) if varied else valid):
                m.d.sync += v.eq(total)
            accumulators.append(v)
        m.d.comb += self.values.eq(Cat(accumulators))
        if self._stores:
            m.d.sync += self.o_values.eq(self.values)

        # A step is over when the next one begins, or with the last entry of a group or operation.
        opened, ended = Signal(), Signal()
        spikes = fired ^ now.back.replicate(len(fired))
        m.d.comb += ended.eq(opened & (self.final | (valid & (now.first | now.opens))))
        m.d.sync += [
            self.learnt.eq(valid & now.learn),
            self.final.eq(valid & now.final),
            self.o_valid.eq(ended),
            # What LATE needs stays; behind the last entry, `now` is of no entry.
            self.o.eq(Mux(valid & now.late, self.o, spikes) if varied else spikes),
            self.o_down.eq(now.back),
        ]
        with m.If(valid):
            m.d.sync += opened.eq(~now.back & (now.opens | (opened & ~now.first)))
        with m.If(valid & (now.test | now.back)):
            m.d.sync += struck.eq(Mux(now.test, fired, struck | ~fired))
        with m.If(self.final):
            m.d.sync += opened.eq(0)

        return m

    def _amount(self, m, controls):
        """What TEST, BACK and SPLIT add, in the cycle of the addition: minus twice the threshold;
        or its half, its quarter, ..."""
        amount = Signal(signed(self._bits), reset_less=True)
        rest = self.rest.as_signed()
        twice = Mux(self.leak, rest << 2, rest << 1)
        m.d.sync += amount.eq(Mux(controls.split, amount >> 1, Mux(self.ternary, twice, rest)))
        return amount

    def _faded(self, v):
        """What FADE takes from an accumulator, as a part of it and 1 if the bit below is set."""
        fades = [(v.as_signed() >> shift, v[min(shift, self._bits) - 1]) for shift in self._fades]
        part, below = fades[0]
        for shift, (other, bit) in zip(self._fades[1:], fades[1:], strict=True):
            chosen = self.fade == shift
            part, below = Mux(chosen, other, part), Mux(chosen, bit, below)
        return part, below

    def _begins_anew(self, fired, struck):
        """Whether a lane begins a step with rest."""
        hit = Mux(self.ternary, struck, fired) if self._ternary else fired
        hit = hit & ~self.soft
        if self._split:
            hit = hit | self.split
        return hit | self.store if self._stores else hit

    def _learnt(self, now, rest, added, taken):
        """Rest; while learning, what the lane's spike of V adds."""
        bits = self._learnt_bits
        if not bits:
            return rest
        chosen = (added | taken | ~now.learn).replicate(bits)
        return Cat((rest[:bits] ^ (taken & now.learn).replicate(bits)) & chosen, rest[bits:])
