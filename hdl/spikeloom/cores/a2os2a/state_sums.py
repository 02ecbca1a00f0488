"""Order `kv`, second half: the state in memory, and the sums in and out of it."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .operands import Ternary, beat, output_data
from .state_events import address_bits, state_event

RETURN = 3  # clocks from the read of a word to the first read that sees what was added to it


class StateSums(wiring.Component):
    """``M[d] <- M[d] + k v`` or ``o <- o + M[d]``, `lanes` values per event, one event per clock.

    An event waits until the word it reads is back from an earlier event, `RETURN` clocks after that
    one, and while the output stream stalls.

    Where the sequence is open, an element of the state that would leave its range stays at the end
    of it and `saturated` goes high until reset.

    Members
    -------
    i : In(stream of `state_event`).
    o : Out(stream of {data: `lanes` signed values, last}).
    saturated : Out(1).
    """

    def __init__(self, config):
        self._config = config
        super().__init__(
            {
                "i": In(stream.Signature(state_event(config))),
                "o": Out(stream.Signature(beat(output_data(config)))),
                "saturated": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config
        lanes, width = config.lanes, config.state_bits

        m.submodules.memory = memory = Memory(
            shape=lanes * width, depth=1 << address_bits(config), init=[]
        )
        read = memory.read_port()
        write = memory.write_port()

        # Three stages: at the memory's input, at its output, at the adders.
        advance = ~(self.o.valid & ~self.o.ready)
        asking = self.i.payload
        reading = Signal.like(asking, reset_less=True)
        adding = Signal.like(asking, reset_less=True)
        reading_valid = Signal()
        adding_valid = Signal()

        # A word on its way through the adders cannot be read. (The second clause also tells
        # synthesis that the ports never meet at one address, which spares it a bypass.)
        away = reading_valid & reading.learn & (reading.address == asking.address)
        back = write.en & (write.addr == asking.address)
        late = asking.active & (away | back)
        m.d.comb += [
            self.i.ready.eq(advance & ~late),
            read.addr.eq(asking.address),
            read.en.eq(self.i.valid & asking.active & self.i.ready),
        ]
        with m.If(advance):
            m.d.sync += [
                reading_valid.eq(self.i.valid & ~late),
                reading.eq(asking),
                adding_valid.eq(reading_valid),
                adding.eq(reading),
            ]

        # Learn: each lane adds k, takes it away or leaves the word as it is.
        words = [Signal(signed(width), name=f"word_{n}", reset_less=True) for n in range(lanes)]
        minus = Signal(signed(config.k_bits + 1), reset_less=True)
        sums = []
        overflows = []
        for n, word in enumerate(words):
            with m.If(advance):
                m.d.sync += word.eq(read.data.word_select(n, width))
                with m.If(reading.fresh | ~reading.active):
                    m.d.sync += word.eq(0)
            term = Signal(signed(config.k_bits + 1), name=f"term_{n}")
            with m.Switch(adding.v[n]):
                with m.Case(Ternary.PLUS):
                    m.d.comb += term.eq(adding.k)
                with m.Case(Ternary.MINUS):
                    m.d.comb += term.eq(minus)
            total = Signal(signed(width + 1), name=f"sum_{n}")
            m.d.comb += total.eq(word + term)
            over = total[width] != total[width - 1]
            if config.length == "open":
                bound = Cat((~total[width]).replicate(width - 1), total[width])
                sums.append(Mux(over, bound, total[:width]))
                overflows.append(over)
            else:
                sums.append(total[:width])
        with m.If(advance):
            m.d.sync += minus.eq(-reading.k)
        learning = adding_valid & adding.learn & adding.active
        m.d.comb += [
            write.addr.eq(adding.address),
            write.data.eq(Cat(sums)),
            write.en.eq(learning),
        ]
        if config.length == "open":
            with m.If(learning & Cat(overflows).any()):
                m.d.sync += self.saturated.eq(1)

        # Answer: words add up; with the last one a group of outputs is complete.
        answering = adding_valid & ~adding.learn & advance
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        for n, word in enumerate(words):
            acc = Signal(signed(config.acc_bits), name=f"acc_{n}")
            total = Signal(signed(config.acc_bits), name=f"total_{n}")
            m.d.comb += total.eq(acc + word)
            with m.If(answering):
                m.d.sync += acc.eq(Mux(adding.close, 0, total))
                m.d.sync += self.o.payload.data[n].eq(total)
        with m.If(answering & adding.close):
            m.d.sync += [self.o.valid.eq(1), self.o.payload.last.eq(adding.end)]

        return m
