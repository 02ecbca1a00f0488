"""Rows of the bitmap memory on their way to the lister, or to the pooler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib import stream

from ...blocks.pipeline import Pipeline
from .bitmap_memory import word_bits
from .code_encoder import CodeEncoder
from .code_memory import CodeMemory
from .operation import PIECE_BITS, Target
from .phase_unit import PhaseUnit
from .pooler import Pooler
from .row_reader import RowReader, piece_layout
from .stochastic_unit import StochasticUnit
from .table import POSITIONS, STEPS, WINDOW_STEPS

if TYPE_CHECKING:
    from .bitmap_memory import BitmapMemory
    from .image_writer import ImageWriter
    from .lanes import Lanes
    from .program import Program
    from .sequencer import Sequencer


def read_rows(
    m: Module, program: Program, sequencer: Sequencer, bitmaps: BitmapMemory
) -> RowReader:
    """The reader of bitmaps."""
    table = program.table
    loops, windows = ["digits"] * table.digits + ["words", "parts", "rows", "tokens"], []
    if table.windows:
        loops[-3:-3] = ["kernel_columns", "kernel_rows"]
        windows = ["across", "shared", *POSITIONS, *WINDOW_STEPS]
        windows += ["bordered"] if program.border else []
    codes = ["codes", "by_row", "token_step"] * table.codes
    bits = table.shapes | dict.fromkeys(WINDOW_STEPS, program.piece_bits)
    bits |= dict.fromkeys(POSITIONS, table.position_bits)
    m.submodules.reader = reader = RowReader(
        addr_bits=program.piece_bits,
        counts={name: bits[name] for name in loops},
        part_bits=program.part_bits,
        windows={name: bits[name] for name in windows},
        read_delay=program.read_delay,
        border=program.border,
        currents=program.current_words > 0,
        code_steps=program.code_steps,
    )
    m.d.comb += [
        reader.go.eq(
            sequencer.go & (sequencer.target != Target.DRAW) & (sequencer.target != Target.HEAD)
        ),
        reader.base.eq(sequencer.x_base),
        reader.currents.eq(sequencer.currents),
        bitmaps.r_addr.eq(reader.r_addr),
        bitmaps.r_en.eq(reader.r_en),
        reader.r_data.eq(bitmaps.r_data & ~sequencer.blank.replicate(PIECE_BITS)),
        *(
            getattr(reader, name).eq(getattr(sequencer, name))
            for name in dict.fromkeys((*loops, *windows, *STEPS, *codes))
        ),
    ]
    return reader


def keep_codes(
    m: Module,
    program: Program,
    sequencer: Sequencer,
    reader: RowReader,
    lanes: Lanes,
) -> tuple[Value, Value]:
    """The memory of phase codes, if there are any: what encodes them, and what reads them. Returns
    whether the lanes' last entry ends an operation, and the end of others."""
    if not program.code_words:
        return Const(1), Const(0)
    m.submodules.codes = codes = CodeMemory(
        steps=program.steps, depth=program.code_words, read_delay=program.read_delay
    )
    m.d.comb += [
        codes.r_addr.eq(reader.r_addr),
        codes.r_en.eq(reader.r_en),
        reader.r_codes.eq(codes.r_data),
    ]
    encodes = sequencer.target == Target.CODES
    ends = Const(0)
    if program.levels:
        ends = _encode(m, program, sequencer, lanes, codes, encodes)
    if program.phase_heads is not None:
        ends = ends | _compute_heads(m, program, program.phase_heads, sequencer, codes)
    return ~encodes, ends


def _encode(m, program, sequencer, lanes, codes, encodes):
    """Codes of accumulators, word by word. Returns the end of an operation that writes codes."""
    m.submodules.code_encoder = encoder = CodeEncoder(
        lanes=program.lanes,
        bits=program.accumulator_bits,
        steps=program.steps,
        levels=program.levels,
    )
    addr = Signal.like(codes.w_addr, name="code_addr")
    m.d.comb += [
        encoder.level.eq(sequencer.levels),
        encoder.bipolar.eq(sequencer.bipolar),
        encoder.i_valid.eq(lanes.o_valid & encodes),
        encoder.i.eq(lanes.o_values),
        encoder.i_final.eq(Pipeline(m).register(lanes.final, "last_group")),
        codes.w_en.eq(encoder.o_valid),
        codes.w_addr.eq(addr),
        codes.w_data.eq(encoder.o),
    ]
    with m.If(sequencer.go):
        m.d.sync += addr.eq(sequencer.o_base)
    with m.Elif(encoder.o_valid):
        m.d.sync += addr.eq(addr + 1)
    return encoder.final


def _compute_heads(m, program, heads, sequencer, codes):
    """Attention "spiked" of codes. Returns the end of a head."""
    m.submodules.phase_unit = unit = PhaseUnit(
        heads, addr_bits=program.piece_bits, read_delay=program.read_delay
    )
    m.d.comb += [
        unit.go.eq(sequencer.go & (sequencer.target == Target.HEAD)),
        unit.core.eq(sequencer.core),
        unit.k_base.eq(sequencer.k_base),
        unit.v_base.eq(sequencer.v_base),
        unit.q_base.eq(sequencer.x_base),
        unit.o_base.eq(sequencer.o_base),
        unit.r_data.eq(codes.r_data.as_value()),
    ]
    with m.If(unit.busy):
        m.d.comb += [codes.r_addr.eq(unit.r_addr), codes.r_en.eq(unit.r_en)]
    with m.If(unit.w_en):
        m.d.comb += [
            codes.w_en.eq(1),
            codes.w_addr.eq(unit.w_addr),
            codes.w_data.as_value().eq(unit.w_data),
        ]
    return unit.final


def pool_rows(
    m: Module,
    program: Program,
    sequencer: Sequencer,
    bitmaps: BitmapMemory,
    image: ImageWriter,
    reader: RowReader,
) -> tuple[Any, Value]:
    """Pooling of pieces, if there is any. Returns the stream of the other pieces, and the end
    of an operation that pools."""
    if not program.uses(Target.POOL):
        return reader.o, Const(0)
    m.submodules.pooler = pooler = Pooler(
        part_bits=program.part_bits,
        addr_bits=program.piece_bits,
        token_bits=program.table.shapes["tokens"],
    )
    listed = stream.Signature(piece_layout(program.part_bits)).create()
    pools = sequencer.target == Target.POOL
    m.d.comb += [
        pooler.go.eq(sequencer.go),
        pooler.tokens.eq(sequencer.tokens),
        pooler.base.eq(sequencer.o_base * (word_bits(program.lanes) // PIECE_BITS)),
        pooler.i.payload.eq(reader.o.payload),
        pooler.i.valid.eq(reader.o.valid & pools),
        listed.payload.eq(reader.o.payload),
        listed.valid.eq(reader.o.valid & ~pools),
        reader.o.ready.eq(listed.ready | pools),
    ]
    _write_pieces(m, pooler, bitmaps, image)
    return listed, pooler.final


def draw_rows(
    m: Module, program: Program, sequencer: Sequencer, bitmaps: BitmapMemory, image: ImageWriter
) -> Value:
    """Attention "ssa" of rows, if there is any. Returns the end of an operation that draws."""
    if program.heads is None:
        return Const(0)
    m.submodules.stochastic = unit = StochasticUnit(
        program.heads, addr_bits=program.piece_bits, read_delay=program.read_delay
    )
    m.d.comb += [
        unit.go.eq(sequencer.go & (sequencer.target == Target.DRAW)),
        unit.seed.eq(sequencer.seed),
        unit.k_base.eq(sequencer.k_base),
        unit.v_base.eq(sequencer.v_base),
        unit.q_base.eq(sequencer.x_base),
        unit.o_base.eq(sequencer.o_base),
        unit.r_data.eq(bitmaps.r_data),
    ]
    with m.If(unit.busy):
        m.d.comb += [bitmaps.r_addr.eq(unit.r_addr), bitmaps.r_en.eq(unit.r_en)]
    _write_pieces(m, unit, bitmaps, image)
    return unit.final


def _write_pieces(
    m: Module, unit: Pooler | StochasticUnit, bitmaps: BitmapMemory, image: ImageWriter
) -> None:
    """Write the pieces of a unit before those of the image."""
    with m.If(unit.w_en):
        m.d.comb += [
            bitmaps.i_en.eq(1),
            bitmaps.i_addr.eq(unit.w_addr),
            bitmaps.i_data.eq(unit.w_data),
            image.w_ready.eq(0),
        ]
