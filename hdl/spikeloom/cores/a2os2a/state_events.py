"""Order `kv`, first half: converts operands into events, each of which reads one word of the
state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Const, Module, Mux
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest
from ...blocks.pieces import piece
from .event_scanner import EventScanner, marks_of, select, span_count
from .operands import held_beat
from .turns import Turns

if TYPE_CHECKING:
    from .core import A2OS2A


def address_bits(config: A2OS2A) -> int:
    """Bits of the address of a state word: index within a chunk, chunk, group."""
    return sum((extent - 1).bit_length() for extent in (config.lanes, config.chunks, config.groups))


def state_event(config: A2OS2A) -> data.StructLayout:
    """Payload of an event of the state.

    learn : add ``k * v`` to the word ``M[d, group]``; otherwise add the word to the output.
    active : add; an event that is not active only carries the marks below.
    fresh : treat the word as zero, because it holds nothing of this sequence yet.
    close : the last event of a group of outputs. end : the last group of outputs of the sequence.
    """
    return data.StructLayout(
        {
            "learn": 1,
            "active": 1,
            "fresh": 1,
            "close": 1,
            "end": 1,
            "address": address_bits(config),
            "k": config.k_bits,
            "v": config.v_item.bits * config.lanes,
        }
    )


class StateEvents(Component):
    """Generates the events of each token and skips zeros.

    Learning a token iterates over the chunks of K and, within each, over the groups of V: one event
    per nonzero K if the group of V has a spike. The first token of a sequence initialises every
    word of the state, so it skips nothing. Answering a token iterates over the groups and, within
    each, over the chunks of Q: one event per spike. A row of `lanes` values without events takes
    one cycle.

    Members
    -------
    run : In(1), process tokens while high.
    ended : Out(1), high for one cycle when the last row of a sequence is read.
    q, k, v : In(stream of `held_beat`).
    o : Out(stream of `state_event`); `o.ready` enables the whole pipeline, regardless of `o.valid`.
    ready_next : In(1), `o.ready` of the next cycle.
    """

    def __init__(self, config: A2OS2A) -> None:
        self._config = config
        super().__init__(
            {
                "run": In(1),
                "ended": Out(1),
                **{name: In(stream.Signature(held_beat(config, name))) for name in "qkv"},
                "o": Out(stream.Signature(state_event(config))),
                "ready_next": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        tag = data.StructLayout(
            {
                "learn": 1,
                "fresh": 1,
                "close": 1,
                "end": 1,
                "chunk": range(config.chunks),
                "group": range(config.groups),
                "v": config.v_item.bits * config.lanes,
            }
        )
        m.submodules.scanner = scanner = EventScanner(config.lanes, config.k_bits, tag)
        m.submodules.turns = turns = Turns(config.mask)
        m.submodules.learning = learning = LoopNest(chunk=config.chunks, group=config.groups)
        m.submodules.answering = answering = LoopNest(group=config.groups, chunk=config.chunks)

        # Rows to learn: the nonzero values of K if V has a spike in the group, or all values of the
        # first token. Rows to answer: the spikes of Q.
        row = scanner.i.payload
        spans = span_count(config.lanes)
        v_bits = config.v_item.bits * config.lanes
        k, v = self.k.payload.data, piece(self.v.payload.data, v_bits, learning.group)
        all_lanes = turns.fresh.replicate(config.lanes)
        to_learn = self.k.payload.present | all_lanes
        to_answer = piece(self.q.payload.data, config.lanes, answering.chunk)
        v_any = piece(self.v.payload.present, 1, learning.group)

        can_learn = self.run & turns.learn & self.k.valid & self.v.valid
        can_answer = self.run & turns.answer & self.q.valid
        marked = [  # the marks of the row in each case, and whether it is this case
            (marks_of(Const(2**spans - 1, spans)), can_learn & turns.fresh),
            (marks_of(self.k.payload.spans), can_learn & ~turns.fresh & v_any),
            (marks_of(piece(self.q.payload.spans, spans, answering.chunk)), can_answer),
        ]
        m.d.comb += [
            scanner.i.valid.eq(can_learn | can_answer),
            row.mask.eq(Mux(turns.learn, to_learn, to_answer)),
            row.marks.eq(select(Cat(case for _, case in marked), [bits for bits, _ in marked])),
            row.values.eq(k),
            row.tag.learn.eq(turns.learn),
            row.tag.fresh.eq(turns.fresh),
            row.tag.close.eq(answering.chunk_last),
            row.tag.end.eq(answering.group_last & self.q.payload.last),
            row.tag.chunk.eq(Mux(turns.learn, learning.chunk, answering.chunk)),
            row.tag.group.eq(Mux(turns.learn, learning.group, answering.group)),
            row.tag.v.eq(v),
        ]

        # One row per step of the loops; an operand is accepted with its last row. Its own valid is
        # not part of its ready, which enables many registers.
        learn = self.run & turns.learn & scanner.i.ready
        answer = self.run & turns.answer & scanner.i.ready
        m.d.comb += [
            learning.step.eq(can_learn & scanner.i.ready),
            answering.step.eq(can_answer & scanner.i.ready),
            self.k.ready.eq(learn & self.v.valid & learning.group_last),
            self.v.ready.eq(learn & self.k.valid & learning.chunk_last),
            self.q.ready.eq(answer & answering.group_last),
            turns.learnt.eq(self.v.ready & self.v.valid),
            turns.learnt_last.eq(self.v.payload.last),
            turns.answered.eq(self.q.ready & self.q.valid),
            turns.answered_last.eq(self.q.payload.last),
            self.ended.eq(turns.answered & turns.answered_last),
        ]

        # The position of the bit in its row and that of the row form the address of the word.
        found, event = scanner.o.payload, self.o.payload
        m.d.comb += [
            scanner.o.ready.eq(self.o.ready),
            scanner.ready_next.eq(self.ready_next),
            self.o.valid.eq(scanner.o.valid),
            event.learn.eq(found.tag.learn),
            event.active.eq(found.active),
            event.fresh.eq(found.tag.fresh & found.tag.learn),
            event.close.eq(found.last & found.tag.close & ~found.tag.learn),
            event.end.eq(found.tag.end),
            event.address.eq(Cat(found.index, found.tag.chunk, found.tag.group)),
            event.k.eq(found.value),
            event.v.eq(found.tag.v),
        ]

        return m
