"""Several engines behind the ports of one."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring

from ...blocks.component import Component
from ...blocks.control import control_of
from ...blocks.run_control import RunControl
from ...blocks.skid_buffer import SkidBuffer
from .engine import Engine
from .program import Program
from .weight_memory import WeightMemory

PAIR = 2  # engines that share a memory of weights
INSIDE = ("image_full", "weight_reader")  # members of an engine that is one of several


class SeveralEngines(Component):
    """Engines that compute different images at once, with the ports of a single `Engine`.

    A run is one image. Images go to the engines in turn, and their outputs leave in the same order.
    An engine that has an image begins while a run is in progress, its own or one before: images
    that are sent ahead are computed ahead, and wait for their run at their first logit. So a run
    whose image came alone takes as long as with one engine, and runs that follow each other without
    a pause end `engines` times as often. `sequence_cycles` gives the cycles of both.

    Each two engines share the initialised weights, see `WeightMemory`. Weights that are loaded go
    to the memories of all engines, while none of them computes.

    Parameters
    ----------
    program : Program, of every engine.
    engines : at least 2.

    Members
    -------
    those of an `Engine`. The engines together hold `engines` images that no engine has begun.
    """

    def __init__(self, program: Program, engines: int) -> None:
        self.program = program
        self._engines = [Engine(program, alone=False) for _ in range(engines)]
        members = dict(self._engines[0].signature.members.items())
        super().__init__({name: members[name] for name in members if name not in INSIDE})

    def elaborate(self, platform):
        m = Module()

        engines = self._engines
        for n, engine in enumerate(engines):
            m.submodules[f"engine_{n}"] = engine
        if self.program.loaded:
            self._load_weights(m, engines)
        else:
            self._share_weights(m, engines)
        m.submodules.run_control = run_control = RunControl(1)
        wiring.connect(m, control_of(self), run_control.control)
        runs = run_control.begin | self.busy
        m.d.comb += self.misframed.eq(Cat(engine.misframed for engine in engines).any())
        for engine in engines:
            m.d.comb += engine.start.eq(runs & engine.image_full)

        # Images go to one engine after the other, and the outputs of a run come from one.
        sent, to = self.image, Signal(range(len(engines)))
        of = Signal(range(len(engines)))
        self._turn(m, to, sent.valid & sent.ready & sent.payload.last)
        self._turn(m, of, self._send(m, engines, of))
        m.d.comb += [
            run_control.last.eq(self.label.valid & self.label.ready),
            sent.ready.eq(Array(engine.image.ready for engine in engines)[to]),
        ]
        for n, engine in enumerate(engines):
            m.d.comb += [
                engine.image.payload.eq(sent.payload),
                engine.image.valid.eq(sent.valid & (to == n)),
            ]

        return m

    def _send(self, m, engines, of):
        """The outputs of engine `of`, while its run is in progress. Returns whether its label
        leaves.

        Engines are far from each other on a chip: the ready of an output does not reach them in the
        same cycle. What they send in a cycle in which it stalls waits in a buffer, and the engines
        until both buffers are empty, so that a run ends with its label.
        """
        buffers = {}
        for name in ("logits", "label"):
            buffers[name] = SkidBuffer(len(getattr(self, name).payload.as_value()))
            m.submodules[f"{name}_buffer"] = buffers[name]
        taken = self.busy & Cat(buffer.i.ready for buffer in buffers.values()).all()
        for name, buffer in buffers.items():
            outer, inner = getattr(self, name), [getattr(engine, name) for engine in engines]
            m.d.comb += [
                buffer.i.payload.eq(Array(one.payload.as_value() for one in inner)[of]),
                buffer.i.valid.eq(Array(one.valid for one in inner)[of] & taken),
                outer.payload.eq(buffer.o.payload),
                outer.valid.eq(buffer.o.valid),
                buffer.o.ready.eq(outer.ready),
            ]
            for n, one in enumerate(inner):
                m.d.comb += one.ready.eq(taken & (of == n))
        return buffers["label"].i.valid

    def _turn(self, m, number, passed):
        """The next engine, when its predecessor's tensor has `passed`."""
        with m.If(passed):
            m.d.sync += number.eq(Mux(number == len(self._engines) - 1, 0, number + 1))

    def _share_weights(self, m, engines):
        """A memory of weights for each two engines, and for the last one of an odd number."""
        program = self.program
        for first in range(0, len(engines), PAIR):
            pair = engines[first : first + PAIR]
            memory = WeightMemory(
                initial=program.weight_words,
                read_delay=program.read_delay,
                readers=len(pair),
                **program.weight_sizes,
            )
            m.submodules[f"weight_memory_{first // PAIR}"] = memory
            readers = memory.readers if len(pair) > 1 else [memory]
            for engine, reader in zip(pair, readers, strict=True):
                wiring.connect(m, engine.weight_reader, reader)

    def _load_weights(self, m, engines):
        """Every chunk goes to all engines at once."""
        chunks = [engine.weights for engine in engines]
        m.d.comb += self.weights.ready.eq(Cat(one.ready for one in chunks).all() & ~self.busy)
        for one in chunks:
            m.d.comb += [
                one.payload.eq(self.weights.payload),
                one.valid.eq(self.weights.valid & self.weights.ready),
            ]
