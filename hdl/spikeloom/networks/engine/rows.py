"""Rows of the bitmap memory on their way to the lister, or to the pooler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Const, Module, Value
from amaranth.lib import stream

from .bitmap_memory import word_bits
from .operation import PIECE_BITS, Target
from .pooler import Pooler
from .row_reader import RowReader, piece_layout
from .stochastic_unit import StochasticUnit
from .table import POSITIONS, STEPS, WINDOW_STEPS

if TYPE_CHECKING:
    from .bitmap_memory import BitmapMemory
    from .image_writer import ImageWriter
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
    )
    m.d.comb += [
        reader.go.eq(sequencer.go & (sequencer.target != Target.DRAW)),
        reader.base.eq(sequencer.x_base),
        reader.currents.eq(sequencer.currents),
        bitmaps.r_addr.eq(reader.r_addr),
        bitmaps.r_en.eq(reader.r_en),
        reader.r_data.eq(bitmaps.r_data & ~sequencer.blank.replicate(PIECE_BITS)),
        *(
            getattr(reader, name).eq(getattr(sequencer, name))
            for name in (*loops, *windows, *STEPS)
        ),
    ]
    return reader


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
        listed.payload.bits.eq(reader.o.payload.bits & (~pools).replicate(PIECE_BITS)),
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
