"""A program as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .operation import Kind, Target

if TYPE_CHECKING:
    from .operation import Entry, Operation
    from .program import Program

TARGETS = {
    Target.NONE: "",
    Target.WRITE: "spikes to",
    Target.CLEAR: "clear spikes at",
    Target.VALUES: "V at",
    Target.MASK: "mask spikes at",
    Target.MASK_VALUES: "mask V at",
    Target.POOL: "spikes to",
    Target.CURRENTS: "currents to",
    Target.DRAW: "spikes to",
    Target.CODES: "codes to",
    Target.HEAD: "codes to",
}


def listing(program: Program) -> str:
    """Sizes of the memories, then a line for each operation and for each sequence of entries."""
    table = program.table
    lines = [
        f"lanes         {program.lanes} with weights of {program.weight_bits} bits, accumulators "
        f"of {program.accumulator_bits} bits, constants shifted by {program.shift}",
        f"table         {len(table.words())} words of {table.word_bits} bits, "
        f"{table.operation_words} an operation",
        f"weights       {len(program.weights)} words",
        f"bitmaps       {program.bitmap_words} words, image of {program.image.rows} rows "
        f"of {program.image.words} pieces, {program.image.sent} of them sent",
        f"event lists   {program.lists} in {program.list_depth} entries, the longest one has "
        f"{program.longest_list}",
    ]
    if program.current_words:
        lines.append(
            f"currents      {program.current_words} words of {program.current_bits} bits a lane"
        )
    if program.state_bits:
        lines.append(
            f"attention     {program.steps << program.index_bits} words of {program.state_bits} "
            f"bits a lane, V {program.value_words} words"
        )
    if program.heads is not None:
        core = program.heads.core
        lines.append(
            f"core ssa      {core.tokens} tokens, {core.head_dim} dims, {core.value_dim} of v, "
            f"{core.steps} steps; {len(program.heads.seeds)} heads"
        )
    if program.code_words:
        lines.append(
            f"codes         {program.code_words} words of 16 codes of {program.steps} steps, "
            f"{len(program.levels)} sequences of levels"
        )
    if program.phase_heads is not None:
        core, count = program.phase_heads.cores[0], len(program.phase_heads.cores)
        lines.append(
            f"cores spiked  {count} of {core.tokens} tokens, {core.head_dim} dims, "
            f"{core.value_dim} of v, {core.lanes} lanes"
        )
    for number, operation in enumerate(program.operations):
        described = _described(program, operation)
        described[0] = f"{number:3d} {described[0]}"
        lines += ["", *described]
    return "\n".join([*lines, ""])


def _described(program: Program, operation: Operation) -> list[str]:
    if program.heads is not None and operation.target == Target.DRAW:
        seed = program.heads.seeds[operation.seed]
        shape = f"{operation.tokens} tokens x {operation.rows} rows, seed {seed}"
        return _describe_head(operation, "draw", shape)
    if operation.target == Target.HEAD:
        return _describe_head(operation, f"core {operation.core}", f"{operation.tokens} tokens")
    return _describe(operation)


def _describe_head(operation: Operation, what: str, shape: str) -> list[str]:
    """A head of attention that a core computes."""
    bases = (operation.x_base, operation.k_base, operation.v_base)
    read = ", ".join(
        f"{name} at {base}" for name, base in zip(operation.inputs, bases, strict=True)
    )
    return [
        f"{operation.name}: {what} from {read}, {shape}, {TARGETS[operation.target]} "
        f"{operation.o_base}"
    ]


def _kind(operation: Operation, entry: Entry) -> str:
    """The name of an entry's kind in an operation."""
    if operation.codes and entry.kind == Kind.FADE:
        return "FADE"
    return "HALVE" if operation.halves and entry.kind == Kind.HALVE else entry.kind.name


def _describe(operation: Operation) -> list[str]:
    read = " + ".join(operation.inputs)
    if operation.dims[0] or operation.learn or operation.state:
        read += f"[{operation.dims[0]}:{operation.dims[1]}]"
    pools = operation.target == Target.POOL
    what = "learn from" if operation.learn else "answer" if operation.state else "from"
    what = "largest of" if pools or operation.largest else what
    line = f"{operation.name}: {what} {read} at {operation.x_base}"
    if operation.window.windows:
        height, width = operation.window.kernel
        sums = "sums of " * (operation.shared and not operation.largest)
        line += f", {sums}windows of {height} x {width}"
    if operation.by_row:
        line += f", {operation.tokens} steps x {operation.rows} tokens"
    else:
        line += f", {operation.tokens} tokens x {operation.rows} rows"
    if not pools:
        line += f", {operation.groups} groups of weights at {operation.w_base}"
        line += f" of {operation.digits} digits" * (operation.digits > 1)
    if operation.target or operation.learn:
        where = TARGETS[operation.target] or "V at"
        line += f", {where} {operation.o_base} group {operation.o_group}"
    if operation.logits:
        line += f", {operation.logits} logits"
    lines = [line]
    for name in ("head", "following", "tail"):
        entries = getattr(operation, name)
        if entries and not (name == "following" and entries == operation.head):
            named = (f"{_kind(operation, entry)} {entry.row}" for entry in entries)
            lines.append(f"    {name:9s} " + ", ".join(named))
    return lines
