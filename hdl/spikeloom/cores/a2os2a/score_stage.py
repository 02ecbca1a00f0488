"""Order `qk`, first half: stores keys and computes the nonzero scores of a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory, WritePort
from amaranth.lib.wiring import In, Out

from ...blocks.adder_tree import AdderTree
from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest
from ...blocks.memory_attributes import NO_READ_WRITE_COLLISION
from ...blocks.pieces import piece
from .operands import held_beat
from .score_memory import ListWriter
from .turns import Turns

if TYPE_CHECKING:
    from amaranth.lib import wiring

    from .core import A2OS2A


def score_entry(config: A2OS2A) -> data.StructLayout:
    """A nonzero score, and the index of its token among the stored ones."""
    return data.StructLayout({"score": config.score_bits, "key": range(config.tokens)})


def value_address(config: A2OS2A) -> data.StructLayout:
    """Address of a group of V of a stored token."""
    return data.StructLayout({"part": range(config.groups), "key": range(config.tokens)})


def value_write(config: A2OS2A) -> wiring.Signature:
    """Write port of the memory of V, with one group per word."""
    return WritePort.Signature(
        addr_width=value_address(config).size,
        shape=config.v_item.bits * config.lanes,  # pyright: ignore[reportArgumentType]
    )


class ScoreStage(Component):
    """``S[i, j] = sum_d Q[i, d] K[j, d]``: rows of K, gated by the spikes of Q and added up.

    Learning a token stores its K and V and takes max(chunks, groups) cycles; a token whose K or V
    is all zeros is not stored. Answering a query takes ``chunks`` cycles per stored token, or one
    cycle if Q has no spike or no token is stored.

    Members
    -------
    run : In(1), process tokens while high.
    ended : Out(1), high for one cycle when the last token of a sequence has been read.
    q, k, v : In(stream of `held_beat`).
    idle : In(1), the V of the previous sequence is no longer needed.
    values : In(value_write), writes a group of V.
    scores : Out(ListWriter), the scores of each query; `end` marks the last query of a sequence.
    """

    def __init__(self, config: A2OS2A) -> None:
        self._config = config
        self._parts = max(config.chunks, config.groups)
        super().__init__(
            {
                "run": In(1),
                "ended": Out(1),
                **{name: In(stream.Signature(held_beat(config, name))) for name in "qkv"},
                "idle": In(1),
                "values": In(value_write(config)),
                "scores": Out(ListWriter(score_entry(config))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        chunk_bits = (config.chunks - 1).bit_length()
        token_bits = (config.tokens - 1).bit_length()
        m.submodules.memory = memory = Memory(
            shape=config.lanes * config.k_bits,
            depth=1 << chunk_bits + token_bits,
            init=[],
            attrs=NO_READ_WRITE_COLLISION,
        )
        write = memory.write_port()
        read = memory.read_port()
        m.submodules.turns = turns = Turns(config.mask)
        kept = Signal(range(config.tokens + 1))
        any_kept = Signal()

        # Learn a token: write a chunk of K and a group of V per cycle to the next free entry.
        m.submodules.parts = parts = LoopNest(part=self._parts)
        k_part = parts.part < config.chunks
        learn = turns.learn & self.run & self.v.valid & (self.k.valid | ~k_part)
        learn &= self.idle | ~turns.fresh
        seen = Signal()  # an earlier chunk has a nonzero value of K
        k_any = seen | (k_part & self.k.payload.spans.any())
        keep = self.v.ready & k_any & self.v.payload.present.any()
        v_place = value_address(config)(self.values.addr)
        m.d.comb += [
            parts.step.eq(learn),
            self.k.ready.eq(learn & k_part),
            self.v.ready.eq(learn & parts.part_last),
            write.addr.eq(Cat(parts.part[:chunk_bits], kept[:token_bits])),
            write.data.eq(self.k.payload.data),
            write.en.eq(self.k.ready),
            v_place.part.eq(parts.part),
            v_place.key.eq(kept),
            self.values.data.eq(piece(self.v.payload.data, len(self.values.data), parts.part)),
            self.values.en.eq(learn & (parts.part < config.groups)),
        ]
        with m.If(learn):
            m.d.sync += seen.eq(k_any & ~parts.part_last)
        with m.If(keep):
            m.d.sync += [kept.eq(kept + 1), any_kept.eq(1)]

        # Answer a query: read all stored tokens, chunk by chunk, once a list of scores is free.
        m.submodules.columns = columns = LoopNest(chunk=config.chunks)
        key = Signal(range(config.tokens))
        key_last = Signal()  # one cycle ahead, because the operands' ready depends on it
        begun = Signal()
        answer = turns.answer & self.q.valid & (begun | self.scores.free)
        nothing = ~any_kept | ~self.q.payload.any
        finish = nothing | (columns.chunk_last & key_last)
        m.d.comb += [
            self.scores.reserve.eq(answer & ~begun),
            columns.step.eq(answer & ~nothing),
            read.addr.eq(Cat(columns.chunk, key)),
            read.en.eq(answer),
            self.q.ready.eq(answer & finish),
        ]
        with m.If(answer):
            m.d.sync += begun.eq(~finish)
        with m.If(self.q.ready | ~answer):
            m.d.sync += [key.eq(0), key_last.eq(Mux(keep, ~any_kept, kept == 1))]
        with m.Elif(columns.chunk_last):
            m.d.sync += [key.eq(key + 1), key_last.eq(kept == key + 2)]
        with m.If(self.ended):
            m.d.sync += [kept.eq(0), any_kept.eq(0)]
        m.d.comb += [
            turns.learnt.eq(self.v.ready),
            turns.learnt_last.eq(self.v.payload.last),
            turns.answered.eq(self.q.ready),
            turns.answered_last.eq(self.q.payload.last),
            self.ended.eq(self.q.ready & self.q.payload.last),
        ]

        # The words of K arrive one cycle later, pass a register near the block RAM and are gated by
        # the spikes of Q.
        asked, spikes = (
            Signal(config.lanes, name=name, reset_less=True) for name in ("asked", "spikes")
        )
        word = Signal.like(read.data, reset_less=True)
        m.submodules.tree = tree = AdderTree(config.lanes, config.k_bits)
        terms = Signal(len(tree.i), reset_less=True)
        m.d.sync += [
            asked.eq(piece(self.q.payload.data, config.lanes, columns.chunk)),
            spikes.eq(asked),
            word.eq(read.data),
        ]
        for lane in range(config.lanes):
            term = terms.word_select(lane, config.k_bits)
            m.d.sync += term.eq(word.word_select(lane, config.k_bits))
            with m.If(~spikes[lane]):
                m.d.sync += term.eq(0)
        m.d.comb += [tree.i.eq(terms), tree.enable.eq(1)]

        # Marks accompany the words; the sums of chunks are accumulated into scores.
        mark_layout = data.StructLayout(
            {"valid": 1, "last": 1, "close": 1, "end": 1, "key": range(config.tokens)}
        )
        mark = Signal(mark_layout)
        m.d.comb += [
            mark.valid.eq(columns.step),
            mark.last.eq(columns.chunk_last),
            mark.close.eq(self.q.ready),
            mark.end.eq(self.q.payload.last),
            mark.key.eq(key),
        ]
        for n in range(3 + tree.delay):
            delayed = Signal(mark_layout, name=f"mark_{n}")
            m.d.sync += delayed.eq(mark)
            mark = delayed
        partial = Signal(config.score_bits)
        total = Signal(config.score_bits)
        m.d.comb += total.eq(partial + tree.o)
        with m.If(mark.valid):
            m.d.sync += partial.eq(Mux(mark.last, 0, total))
        scored, scores = Signal(), self.scores
        m.d.sync += [
            scores.data.score.eq(total),
            scores.data.key.eq(mark.key),
            scored.eq(mark.valid & mark.last),
            scores.close.eq(mark.close),
            scores.end.eq(mark.end),
        ]
        m.d.comb += scores.en.eq(scored & scores.data.score.any())

        return m
