"""`Sequencer` of the engine: the operations of the table run once, in order, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Array, Mux, Signal

from spikeloom.networks.engine.sequencer import Sequencer

from .harness import Harness
from .properties import cover, prove

if TYPE_CHECKING:
    from amaranth.hdl import Module

    from spikeloom.networks.engine.table import Table

BEGIN, IMAGE, FETCH, RUN, SEND = range(5)  # what is waited for
STATES = ("idle", "image", "fetch", "decide", "clear", "run", "send")  # of `Sequencer`, in order


class SequencerContract(Harness):
    """Each operation starts once in a run, in the order of the table, with the table's fields.

    - The first one is fetched after `begin` and an image, each other one once the one before has
      ended and its logits are sent. `begin` has no effect in a run.
    - `go` is high in one cycle, exactly `operation_words` + 3 cycles after the operation began to
      be fetched, or later only while the state is cleared.
    - From then until the next operation is fetched, its fields and the addresses of its fixed
      entries are those of the table; words that are read there are those of the table, too.
    - `clear`, `image_used` and `send` are high for operations that have them, in one cycle.
    - `finish` is high in one cycle, after the last operation, and nothing follows until `begin`.

    All inputs are arbitrary at any time. A reset in any state is followed by the first operation.
    Use mode "prove" to `depth`, with `registers`.

    Parameters
    ----------
    table : Table.
    dut : the sequencer under proof (default: that of the table).
    """

    def __init__(self, table: Table, dut: Sequencer | None = None) -> None:
        self._table = table
        self.depth = table.operation_words + 4  # a whole fetch, so that it explains the fields
        super().__init__(dut or Sequencer(table))

    def check(self, m: Module) -> None:
        dut, table = self.dut, self._table
        words, count = table.operation_words, len(table.operations)
        starts = [0]
        for operation in table.operations:
            starts.append(starts[-1] + words + len(operation.literals))

        # Operation `number` of a run, and for how many cycles it has been fetched.
        waits, number = Signal(range(5)), Signal(range(count))
        cycles, went = Signal(range(words + 3)), Signal()
        rows = [table.values(operation) for operation in table.operations]
        now = {name: Array(row[name] for row in rows)[number] for name in rows[0]}
        start = Array(starts[:-1])[number]
        fetched, decides = cycles > words, (waits == FETCH) & (cycles == words + 1)
        goes = (waits == FETCH) & (cycles == words + 2) & ~dut.clearing
        ends, over = (waits == RUN) & dut.done, (waits == SEND) & ~dut.sending
        last = number == count - 1
        m.d.sync += went.eq(goes)
        with m.Switch(waits):
            with m.Case(BEGIN), m.If(dut.begin):
                m.d.sync += waits.eq(IMAGE)
            with m.Case(IMAGE), m.If(dut.image_full):
                m.d.sync += waits.eq(FETCH)
            with m.Case(FETCH):
                with m.If(cycles < words + 2):
                    m.d.sync += cycles.eq(cycles + 1)
                with m.If(goes):
                    m.d.sync += [waits.eq(RUN), cycles.eq(0)]
            with m.Case(RUN), m.If(ends):
                m.d.sync += waits.eq(SEND)
            with m.Case(SEND), m.If(over):
                m.d.sync += [waits.eq(Mux(last, BEGIN, FETCH)), number.eq(Mux(last, 0, number + 1))]

        m.d.comb += [
            prove(dut.go == went),
            prove(dut.clear == (decides & now["learn"] & ~now["state"])),
            prove(dut.image_used == (ends & now["image"])),
            prove(dut.send == (ends & (now["logits"] != 0))),
            prove(dut.finish == (over & last)),
            cover(dut.finish),
        ]
        has_fields = (waits == RUN) | (waits == SEND) | ((waits == FETCH) & fetched)
        for name in table.shapes:
            m.d.comb += prove(~has_fields | (getattr(dut, name) == now[name]))
        runs = (waits == RUN) | (waits == SEND)
        entries = start + words
        m.d.comb += [
            prove(~runs | (dut.head == entries)),
            prove(~runs | (dut.following == entries + now["following_offset"])),
            prove(~runs | (dut.after == entries + now["after_offset"])),
        ]
        contents = table.words()
        asked, word = Signal(), Signal.like(dut.table_data)
        m.d.sync += [
            asked.eq(dut.table_en & runs & (dut.table_addr < len(contents))),
            word.eq(Array(contents)[dut.table_addr]),
        ]
        m.d.comb += prove(~asked | (dut.table_data == word))

        self._keep_in_step(m, waits, cycles, number, start)

    def _keep_in_step(self, m, waits, cycles, number, start):
        """Invariants: the state, and the place in the table."""
        words = self._table.operation_words
        state, place, left = (self.inside(name) for name in ("fsm_state", "place", "left"))
        of_fetch = Mux(
            cycles <= words,
            STATES.index("fetch"),
            Mux(cycles == words + 1, STATES.index("decide"), STATES.index("clear")),
        )
        expected = {
            BEGIN: STATES.index("idle"),
            IMAGE: STATES.index("image"),
            FETCH: of_fetch,
            RUN: STATES.index("run"),
            SEND: STATES.index("send"),
        }
        at_word = (waits == FETCH) & (cycles <= words)
        m.d.comb += [
            prove(waits <= SEND),
            prove(number < len(self._table.operations)),
            prove(state == Array(expected[one] for one in range(5))[waits]),
            prove((waits > IMAGE) | (number == 0)),
            prove((waits == FETCH) | (cycles == 0)),
            prove(cycles <= words + 2),
            prove((waits != IMAGE) | ((place == 0) & (left == words))),
            prove(~at_word | ((place == start + cycles) & (left == words - cycles))),
            prove((waits < FETCH) | at_word | (place == start + words)),
        ]
