"""Drawing of the package architecture: hardware from left to right, data from top to bottom."""

from spikeloom.drawing import Drawing, Kind

OWNERS: tuple[tuple[str, Kind], ...] = (
    ("yours", "stream"),
    ("spikeloom", "logic"),
    ("spikeloom_sim", "random"),
    ("spikeloom_boards", "memory"),
)
CAPTION = "From tensors over beats and backends to a comparison; from a core to a board"
TOP, MIDDLE, BOTTOM = 4.15, 2.7, 1.25  # rows: operands, hardware, outputs
VERILOG, NETLIST, BITSTREAM, BOARD = 4.6, 6.5, 8.55, 10.4  # columns
BEATS = (VERILOG + BOARD) / 2
WIDE = BOARD - VERILOG + 1.3


def architecture() -> Drawing:
    """The data path from tensors to a comparison, and the tool path from a core to a board."""
    d = Drawing("architecture", 11.2, 4.7, caption=CAPTION)

    # Inputs.
    d.box(0.9, TOP, "your tensors\nNumPy, PyTorch,\n.npy files", "stream", 1.3, 0.8)
    d.box(
        2.6,
        TOP,
        "operands of each run\nCore.prepare checks\nkeys, shapes, values",
        "logic",
        1.5,
        0.8,
    )
    item = "Item: an element is a code of 1 to 64 bits"
    text = f"beats\n{item}\nPort: codes side by side, the last beat marked"
    d.box(BEATS, TOP, text, "logic", WIDE, 0.8)
    d.arrow((1.6, TOP), (1.8, TOP))
    d.arrow((3.4, TOP), (3.9, TOP))

    # Hardware and the backends that run it.
    text = "core\nkeys, ports, golden model, component, cycles\nbackend golden: NumPy"
    d.box(1.75, MIDDLE, text, "logic", 3.0, 1.0)
    text = "Verilog\nbackend rtl:\nVerilator, Icarus"
    d.box(VERILOG, MIDDLE, text, "random", 1.3, 1.0)
    text = "netlist\nbackend netlist:\nVerilator, Icarus"
    d.box(NETLIST, MIDDLE, text, "random", 1.3, 1.0)
    d.box(BITSTREAM, MIDDLE, "bitstream\nwith host link\nor self-test", "memory", 1.15, 1.0)
    d.box(BOARD, MIDDLE, "board\nbackend board:\nthe host link", "memory", 1.3, 1.0)
    for left, right, tool, by in (
        (3.3, 3.9, "Amaranth", "export"),
        (5.3, 5.8, "Yosys", "family"),
        (7.2, 7.92, "nextpnr", "family, board"),
        (9.18, 9.7, "flash", "board"),
    ):
        d.arrow((left, MIDDLE), (right, MIDDLE), text=tool)
        d.label((left + right) / 2, MIDDLE - 0.13, by)

    # Outputs.
    d.box(0.9, BOTTOM, "Run\noutputs, cycles,\nflags", "logic", 1.3, 0.8)
    d.box(2.6, BOTTOM, "comparison\nall elements with the\ngolden model's", "logic", 1.5, 0.8)
    text = "outputs\nPort: beats to codes\nItem: codes to elements of tensors"
    d.box(BEATS, BOTTOM, text, "logic", WIDE, 0.8)
    d.arrow((3.9, BOTTOM), (3.4, BOTTOM))
    d.arrow((1.8, BOTTOM), (1.6, BOTTOM))
    for x, into, out in (
        (2.6, "arrays", "arrays"),
        (VERILOG, "AXI4-Stream", "AXI4-Stream"),
        (NETLIST, "AXI4-Stream", "AXI4-Stream"),
        (BOARD, "UART", "UART"),
    ):
        d.arrow((x, TOP - 0.45), (x, MIDDLE + 0.55))
        d.arrow((x, MIDDLE - 0.55), (x, BOTTOM + 0.45))
        d.label(x + 0.08, (TOP + MIDDLE) / 2 + 0.05, into, "left")
        d.label(x + 0.08, (MIDDLE + BOTTOM) / 2 + 0.05, out, "left")

    d.label(0.25, 0.4, "package:", "left")
    for n, (owner, kind) in enumerate(OWNERS):
        d.box(1.75 + 1.6 * n, 0.4, owner, kind, 1.4, 0.3)
    return d
