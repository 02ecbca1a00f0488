"""The engine: the component of a whole network."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.control import control_members, control_of
from ...blocks.pieces import pieces
from ...blocks.pipeline import Pipeline
from ...blocks.run_control import RunControl
from ..engine_limits import CHUNK_BITS
from .bitmap_memory import BitmapMemory, word_bits
from .image_writer import IMAGE_BEAT, ImageWriter
from .lanes import Lanes
from .lister import Lister
from .logits import LogitSender
from .operands import Operands
from .operation import Target
from .place import Place
from .program import Program
from .replay import Replay
from .rows import draw_rows, keep_codes, pool_rows, read_rows
from .sequencer import Sequencer
from .weight_memory import WeightMemory, WeightReader


class Engine(Component):
    """Runs the operations of a `Program` on an image, layer after layer.

    The engine takes an image before `start` or after it, and the next one while it computes.
    Weights that are loaded are accepted while it is not busy; they stay until they are replaced.

    ``image -> bitmaps -> lister -> lists -> replay -> operands -> lanes -> bitmaps -> logits``

    Parameters
    ----------
    program : Program.
    alone : whether this is the only engine; see `SeveralEngines`.

    Members
    -------
    start : In(1), begin a run of one image; ignored while `busy` is high.
    busy : Out(1), high from the cycle after `start` to the transfer of the label.
    done : Out(1), high for one cycle, after the transfer of the label.
    misframed : Out(1), a ``last`` was not at the end of a tensor; high until reset.
    image : In(stream of {data: 16 bits, last}), see `ImagePort`.
    weights : In(stream of {data: 16 bits, last}), only if they are loaded; see `WeightMemory`.
    logits : Out(stream of {data: signed, last}), a beat per class.
    label : Out(stream of {data: number of the class, last}), one beat.
    Only for one of several engines:
    image_full : Out(1), an image is present, which no run has used.
    weight_reader : Out(WeightReader()), only if weights are not loaded: their memory is outside.
    """

    def __init__(self, program: Program, *, alone: bool = True) -> None:
        self.program = program
        self._alone = alone
        chunk = data.StructLayout({"data": CHUNK_BITS, "last": 1})
        logit = data.StructLayout({"data": signed(program.logit_bits), "last": 1})
        label_bits = max(1, (program.classes - 1).bit_length())
        label = data.StructLayout({"data": label_bits, "last": 1})
        members = {
            **control_members(),
            "misframed": Out(1),
            "image": In(stream.Signature(IMAGE_BEAT)),
            "logits": Out(stream.Signature(logit)),
            "label": Out(stream.Signature(label)),
        }
        if program.loaded:
            members["weights"] = In(stream.Signature(chunk))
        if not alone:
            members["image_full"] = Out(1)
            if not program.loaded:
                members["weight_reader"] = Out(WeightReader(**program.weight_sizes))
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        program = self.program

        m.submodules.run_control = run_control = RunControl(1)
        m.submodules.sequencer = sequencer = Sequencer(program.table)
        wiring.connect(m, control_of(self), run_control.control)
        m.d.comb += sequencer.begin.eq(run_control.begin)

        m.submodules.bitmaps = bitmaps = BitmapMemory(
            lanes=program.lanes,
            slot_bits=program.head_lanes,
            depth=program.bitmap_words,
            cleared=program.cleared_words,
            contents=program.bitmap_contents,
            bit_enables=program.bit_enables,
            read_delay=program.read_delay,
        )
        image = self._write_image(m, sequencer, bitmaps)
        reader = read_rows(m, program, sequencer, bitmaps)
        listed, pooled = pool_rows(m, program, sequencer, bitmaps, image, reader)
        drawn = draw_rows(m, program, sequencer, bitmaps, image)
        replay = self._list_events(m, sequencer, listed)
        weights = self._weights(m)
        operands, lanes = self._compute(m, sequencer, replay, weights)
        self._place_spikes(m, sequencer, bitmaps, operands, lanes)
        added, coded = keep_codes(m, program, sequencer, reader, lanes)
        final = (lanes.final & added) | pooled | drawn | coded
        self._send(m, sequencer, lanes, run_control, final)

        wrong = [image.misframed]
        if program.loaded:
            wrong.append(weights.misframed)
        noticed = Pipeline(m).register(Cat(wrong).any(), "noticed", reset_less=False)
        with m.If(noticed):
            m.d.sync += self.misframed.eq(1)

        return m

    def _write_image(self, m, sequencer, bitmaps):
        """The image, written to the bitmap memory."""
        m.submodules.image_writer = image = ImageWriter(
            base=self.program.image_base,
            patches=self.program.image.patches,
            planes=self.program.pixel_bits,
            pixels=self.program.image.pixels,
            beat_planes=self.program.image.beat_planes,
            row_pieces=self.program.image.words,
            sent=self.program.image.sent,
            addr_bits=self.program.piece_bits,
        )
        wiring.connect(m, wiring.flipped(self.image), image.i)
        m.d.comb += [
            bitmaps.i_en.eq(image.w_en),
            bitmaps.i_addr.eq(image.w_addr),
            bitmaps.i_data.eq(image.w_data),
            image.w_ready.eq(bitmaps.i_ready),
            sequencer.image_full.eq(image.full),
            image.used.eq(sequencer.image_used),
        ]
        if not self._alone:
            m.d.comb += self.image_full.eq(image.full)
        return image

    def _list_events(self, m, sequencer, rows):
        """A stream of pieces of rows to event lists, and their replay."""
        program, table = self.program, self.program.table
        shapes = table.shapes
        m.submodules.lister = lister = Lister(
            word_bits=program.part_bits,
            table_bits=len(sequencer.table_addr),
            entry_bits=table.entry_bits,
            digits=table.digits,
            codes=table.codes,
        )
        m.submodules.replay = replay = Replay(
            lists=program.lists,
            depth=program.list_depth,
            longest=program.longest_list,
            entry_bits=table.entry_bits,
            addr_bits=program.operand_addr_bits,
            group_bits=shapes["groups"],
            token_bits=shapes["lists" if table.codes else "tokens"],
        )
        wiring.connect(m, rows, lister.i)
        copied = {
            lister: ("head", "following", "after", "tailed", *["digits"] * table.digits),
            replay: ("groups", "tokens", "w_base", "w_pitch"),
        }
        for part, names in copied.items():
            m.d.comb += part.go.eq(sequencer.go)
            m.d.comb += [getattr(part, name).eq(getattr(sequencer, name)) for name in names]
        if table.codes:
            m.d.comb += replay.tokens.eq(sequencer.lists)
        m.d.comb += [
            sequencer.table_addr.eq(lister.table_addr),
            sequencer.table_en.eq(lister.table_en),
            lister.table_data.eq(sequencer.table_data),
            lister.room.eq(replay.room),
            replay.begins.eq(lister.begins),
            replay.w_en.eq(lister.w_en),
            replay.w_entry.eq(lister.w_entry),
            replay.close.eq(lister.close),
        ]
        return replay

    def _weights(self, m):
        """The weight memory and its stream, or the reader of a memory outside."""
        program = self.program
        if not (self._alone or program.loaded):
            return self.weight_reader
        m.submodules.weight_memory = weights = WeightMemory(
            initial=None if program.loaded else program.weight_words,
            read_delay=program.read_delay,
            **program.weight_sizes,
        )
        if program.loaded:
            wiring.connect(m, wiring.flipped(self.weights), weights.i)
            m.d.comb += weights.open.eq(~self.busy)
        return weights

    def _compute(self, m, sequencer, replay, weights):
        """Entries to operands, and their sums."""
        program = self.program
        m.submodules.operands = operands = Operands(
            lanes=program.lanes,
            weight_bits=program.weight_bits,
            entry_bits=program.table.entry_bits,
            addr_bits=program.operand_addr_bits,
            steps=program.steps,
            state_bits=program.state_bits,
            head_lanes=program.head_lanes,
            index_bits=program.index_bits,
            value_words=program.value_words,
            masked=program.uses(Target.MASK_VALUES),
            signed=program.signed_state,
            varied=program.table.varied,
            codes=program.table.codes,
            halves=program.table.halves,
            current_bits=program.current_bits,
            current_words=program.current_words,
            read_delay=program.read_delay,
            shared=program.shared_state,
        )
        m.submodules.lanes = lanes = Lanes(
            lanes=program.lanes,
            operand_bits=operands.operand_bits,
            bits=program.accumulator_bits,
            shift=program.shift,
            soft=any(operation.soft for operation in program.operations),
            ternary=any(operation.ternary for operation in program.operations),
            split=any(operation.split for operation in program.operations),
            varied=program.table.varied,
            stores=program.uses(Target.CURRENTS) or program.uses(Target.CODES),
            fades=program.fades,
            halves=program.table.halves,
            largest=any(operation.largest for operation in program.operations),
            learnt_bits=program.state_bits if program.signed_state else 0,
        )
        m.d.comb += [
            operands.i_valid.eq(replay.valid),
            operands.i.eq(replay.o),
            operands.state.eq(sequencer.state),
            operands.learn.eq(sequencer.learn),
            operands.keep.eq(sequencer.keep),
            operands.ternary.eq(sequencer.ternary),
            operands.split.eq(sequencer.split),
            operands.currents.eq(sequencer.currents),
            operands.largest.eq(sequencer.largest),
            weights.addr.eq(operands.w_addr),
            operands.w_data.eq(weights.data),
            lanes.valid.eq(operands.o_valid),
            lanes.controls.eq(operands.controls),
            lanes.operands.eq(operands.operands),
            lanes.added.eq(operands.added),
            lanes.taken.eq(operands.taken),
            lanes.rest.eq(sequencer.rest.as_signed()),
            lanes.leak.eq(sequencer.leak),
            lanes.soft.eq(sequencer.soft),
            lanes.ternary.eq(sequencer.ternary),
            lanes.split.eq(sequencer.split),
            lanes.store.eq(sequencer.target == Target.CURRENTS),
        ]
        table = program.table
        flags = ["varied"] * table.varied + ["codes", "fine"] * table.codes
        for name in (*flags, *["halves"] * table.halves):
            m.d.comb += getattr(operands, name).eq(getattr(sequencer, name))
        if len(program.fades) > 1:
            m.d.comb += lanes.fade.eq(sequencer.fade)
        if program.shared_state:
            for name in ("from_state", "s_addr", "s_en", "s_w_addr", "s_data"):
                m.d.comb += getattr(weights, name).eq(getattr(operands, name))
        return operands, lanes

    def _place_spikes(self, m, sequencer, bitmaps, operands, lanes):
        """Spikes to the bitmap memory or to the memory of V, one cycle later."""
        program, shapes = self.program, self.program.table.shapes
        fields = ("o_base", "o_group", "o_row", "o_rows", "groups")
        heads = program.lanes // program.head_lanes
        groups_per_word = word_bits(program.lanes) // program.head_lanes
        words = max(program.bitmap_words, program.value_words, program.current_words)
        addr_bits = (words - 1).bit_length()
        # Spikes downwards go to the address of those upwards.
        over = lanes.o_valid & (lanes.o_down | ~sequencer.ternary)
        m.submodules.place = place = Place(
            addr_bits=addr_bits,
            fields={name: shapes[name] for name in fields},
            groups_per_word=groups_per_word,
        )
        target = sequencer.target
        values = (target == Target.VALUES) | (target == Target.MASK_VALUES)
        clear = (target == Target.CLEAR) | (target == Target.MASK)
        store = target == Target.CURRENTS
        of_head = sequencer.learn | sequencer.state
        m.d.comb += [
            place.go.eq(sequencer.go),
            place.whole.eq(~of_head if heads > 1 else values | store | sequencer.learn),
            place.next.eq(over),
            *(getattr(place, name).eq(getattr(sequencer, name)) for name in fields),
        ]
        write = Pipeline(m)
        addr = write.register(place.addr, "write_addr")
        to_bitmaps = (target == Target.WRITE) | clear
        spikes = lanes.o ^ (target == Target.MASK).replicate(program.lanes)
        m.d.comb += [
            bitmaps.w_en.eq(
                write.register(lanes.o_valid & to_bitmaps, "write_en", reset_less=False)
            ),
            bitmaps.w_clear.eq(clear),
            bitmaps.w_addr.eq(addr),
            bitmaps.w_slot.eq(write.register(place.slot, "write_slot")),
            bitmaps.w_data.eq(write.register(spikes, "write_data")),
        ]
        if heads > 1:
            m.d.comb += bitmaps.w_wide.eq(~of_head)
        if program.current_words:
            bits = program.current_bits
            stored = Cat(v[:bits] for v in pieces(lanes.o_values, program.accumulator_bits))
            m.d.comb += [
                operands.c_en.eq(
                    write.register(lanes.o_valid & store, "current_en", reset_less=False)
                ),
                operands.c_addr.eq(addr),
                operands.c_data.eq(write.register(stored, "current_data")),
            ]
        if program.state_bits:
            bits = program.state_bits
            m.d.comb += [
                place.next.eq(Mux(sequencer.learn, operands.placed, over)),
                operands.place.eq(place.addr),
                operands.slot.eq(place.slot),
                operands.v_en.eq(
                    write.register(lanes.o_valid & values, "value_en", reset_less=False)
                ),
                operands.v_addr.eq(addr),
                operands.v_data.eq(bitmaps.w_data),
                operands.v_down.eq(write.register(lanes.o_down, "value_down")),
                operands.v_mask.eq(target == Target.MASK_VALUES),
                operands.learnt.eq(lanes.learnt),
                operands.values.eq(
                    Cat(
                        v[:bits]
                        for v in pieces(lanes.values, program.accumulator_bits)[
                            : program.head_lanes
                        ]
                    )
                ),
                operands.clear.eq(sequencer.clear),
                sequencer.clearing.eq(operands.clearing),
            ]

    def _send(self, m, sequencer, lanes, run_control, final):
        """Logits and label; the end of operations, once their last spikes are in memory."""
        program = self.program
        m.submodules.logit_sender = sender = LogitSender(
            lanes=program.lanes,
            bits=program.accumulator_bits,
            logit_bits=program.logit_bits,
            classes=program.classes,
        )
        wiring.connect(m, sender.logits, wiring.flipped(self.logits))
        wiring.connect(m, sender.label, wiring.flipped(self.label))
        written = Pipeline(m).delay(
            final, 2 + BitmapMemory.write_delay, "written", reset_less=False
        )
        m.d.comb += [
            sequencer.done.eq(written),
            sender.values.eq(lanes.values),
            sender.go.eq(sequencer.send),
            sender.count.eq(sequencer.logits),
            sequencer.sending.eq(sender.busy),
            sender.finish.eq(sequencer.finish),
            run_control.last.eq(sender.finished),
        ]
