"""Payloads of the streams of the `a2os2a` core, and its input registers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import data, enum, stream
from amaranth.lib.wiring import In, Out, connect, flipped

from ...blocks.beat import beat
from ...blocks.component import Component
from ...blocks.framed_input import FramedInput
from ...blocks.pieces import any_of_each, pieces
from .event_scanner import span_count, spans_of

if TYPE_CHECKING:
    from amaranth.hdl import Value

    from .core import A2OS2A


class Ternary(enum.Enum, shape=2):
    """A ternary spike in two's complement: bit 0 is the spike, bit 1 its sign. 0b10 is not
    allowed."""

    NONE = 0b00
    PLUS = 0b01
    MINUS = 0b11


def beat_data(config: A2OS2A, operand: str) -> int:
    """Bits of a beat's data: a token of spikes for "q" and "v", `lanes` values for "k".

    Values are concatenated, the first in the lowest bits. They are not an `ArrayLayout`, because
    some versions of Yosys mistake its element names ("data[3]") for bits.
    """
    return {
        "q": config.head_dim,
        "k": config.k_bits * config.lanes,
        "v": config.v_item.bits * config.value_dim,
    }[operand]


def held_beat(config: A2OS2A, operand: str) -> data.StructLayout:
    """Payload of a beat in an `OperandRegister`: the beat, and which parts of it are nonzero.

    `present` marks the nonzero values of K or groups of V; `spans` marks the nonzero spans in each
    chunk of Q or K, and `any` whether Q has a spike.
    """
    spans = span_count(config.lanes)
    return data.StructLayout(
        {"data": beat_data(config, operand), "last": 1}
        | {
            "q": {"any": 1, "spans": config.chunks * spans},
            "k": {"present": config.lanes, "spans": spans},
            "v": {"present": config.groups},
        }[operand]
    )


def output_data(config: A2OS2A) -> int:
    """Bits of an output beat's data: `lanes` concatenated signed values of a token."""
    return config.acc_bits * config.lanes


def beats_per_token(config: A2OS2A, operand: str) -> int:
    """Stream beats per token of "q", "k" or "v"."""
    return config.chunks if operand == "k" else 1


class OperandRegister(Component):
    """Holds one beat of an operand and determines whether it is the last of the sequence.

    With ``length = "fixed"`` it counts tokens. With ``length = "open"`` it uses the stream's
    ``last``. One beat per cycle.

    Parameters
    ----------
    config : A2OS2A.
    operand : "q", "k" or "v".

    Members
    -------
    i : In(stream of {data, last}).
    o : Out(stream of `held_beat`).
    misframed : Out(1), the current beat has a wrong ``last``, as for `FramedInput`.
    """

    delay = 1  # cycles from `i` to `o`

    def __init__(self, config: A2OS2A, operand: str) -> None:
        self._config = config
        self._operand = operand
        super().__init__(
            {
                "i": In(stream.Signature(beat(beat_data(config, operand)))),
                "o": Out(stream.Signature(held_beat(config, operand))),
                "misframed": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        held = Signal.like(self.o.payload, reset_less=True)
        valid = Signal()
        with m.If(self.i.ready):
            values, lanes = self.i.payload.data, config.lanes
            m.d.sync += [
                valid.eq(self.i.valid),
                held.data.eq(values),
                held.last.eq(self.i.payload.last),
            ]
            if self._operand == "q":
                spans = [spans_of(row) for row in pieces(values, lanes)]
                m.d.sync += [held.any.eq(values.any()), held.spans.eq(Cat(spans))]
            if self._operand == "k":
                present = any_of_each(values, config.k_bits)
                spans = spans_of(values, config.k_bits)
                m.d.sync += [held.present.eq(present), held.spans.eq(spans)]
            if self._operand == "v":
                spikes = spikes_of(config, values)
                m.d.sync += held.present.eq(any_of_each(spikes, lanes))

        # Beats are counted at the output, which keeps the path to `i.ready` short. In a sequence of
        # unknown length, only the final beat of a token can be the last.
        token = {"beat": beats_per_token(config, self._operand)}
        open_ended = config.length == "open"
        extents = token if open_ended else {"token": config.tokens} | token
        m.submodules.framed = framed = FramedInput(
            held_beat(config, self._operand), open_ended=open_ended, **extents
        )
        connect(m, framed.o, flipped(self.o))
        m.d.comb += [
            framed.i.payload.eq(held),
            framed.i.valid.eq(valid),
            self.i.ready.eq(~valid | framed.i.ready),
            self.misframed.eq(framed.misframed),
        ]

        return m


def spikes_of(config: A2OS2A, values: Any) -> Value:
    """For each of a row of values of V, whether it is nonzero."""
    return Cat(values[n] for n in range(0, len(values), config.v_item.bits))


def spike_and_sign(config: A2OS2A, values: Any, number: int) -> tuple[Value, Value]:
    """Whether a value of a row of V is nonzero, and whether it is negative."""
    bits = values.word_select(number, config.v_item.bits)
    return bits[0], (bits[1] if len(bits) == 2 else Const(0))


def signed_term(value: Value, spike: Value, minus: Value) -> Value:
    """Adder operand that, with `minus` as carry in, adds ``value`` times a spike and its sign.

    Subtraction adds the inverted bits and a carry; `minus` is the sign of the term as well.
    """
    bits = (value ^ minus.replicate(len(value))) & spike.replicate(len(value))
    return Cat(bits, minus).as_signed()
