"""Proofs of the stream contract: stable outputs, no lost or spurious beats, inputs become ready."""

from functools import partial

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom.blocks.loop_nest import LoopNest
from spikeloom.cores.a2os2a import A2OS2A
from spikeloom.cores.a2os2a_block import A2OS2ABlock
from spikeloom.cores.spiked import Spiked
from spikeloom.cores.ssa import SSA
from spikeloom.errors import JobError
from spikeloom_sim.formal.bank_memory import BankMemoryContract
from spikeloom_sim.formal.event_count import EventCountContract
from spikeloom_sim.formal.harness import Harness
from spikeloom_sim.formal.held_splitter import HeldSplitterContract
from spikeloom_sim.formal.pdr import prove_always
from spikeloom_sim.formal.properties import assume
from spikeloom_sim.formal.properties import prove as prove_property
from spikeloom_sim.formal.row_output import RowOutputContract
from spikeloom_sim.formal.row_splitter import RowSplitterContract
from spikeloom_sim.formal.run_contract import RunContract, cycles_of_a_run
from spikeloom_sim.formal.runner import prove
from spikeloom_sim.formal.spike_operand import SpikeOperandContract
from spikeloom_sim.formal.spike_train import CodesToSpikesContract, SpikesToCodesContract
from spikeloom_sim.formal.stream_contract import ReadyComesBack, StreamContract

INDUCTION = 2  # clocks; the strengthening makes one step enough

SMALLEST = SSA(tokens=1, head_dim=1, steps=1)
TWO_STEPS = SSA(tokens=1, head_dim=2, steps=2, bits=1)
TWO_TOKENS = SSA(tokens=2, head_dim=2, steps=1, bits=1)
TWO_ROWS_OF_VALUES = SSA(
    tokens=2, head_dim=2, steps=2, cells=4, bits=1, input_kind="values", value_bits=2
)

SMALLEST_SPIKED = Spiked(tokens=1, head_dim=1, steps=2, base=2.0, frac_bits=8, log_bits=2)
ONE_TOKEN = {"tokens": 1, "head_dim": 1, "k_bits": 1}
SMALLEST_BLOCK = A2OS2ABlock(
    tokens=1, head_dim=1, k_bits=1, input_bits=2, k_shift=0, steps=2, order="qk"
)

BLOCKS = {
    "splitter_three": partial(RowSplitterContract, 6, 2),
    "splitter_one": partial(RowSplitterContract, 3, 3),
    "banks_two": partial(BankMemoryContract, banks=2, depth=3),
    "banks_three": partial(BankMemoryContract, banks=3, depth=2),
    "banks_behind": partial(BankMemoryContract, banks=3, depth=2, behind=True),
    "held_splitter_three": partial(HeldSplitterContract, 6, 2),
    "held_splitter_one": partial(HeldSplitterContract, 3, 3),
    "operand_rows": partial(
        SpikeOperandContract, 4, 4, lanes=2, bits=2, block_rows=1, block_bits=2
    ),
    "operand_parts": partial(
        SpikeOperandContract, 3, 4, lanes=3, bits=2, block_rows=1, block_bits=1
    ),
    "operand_one_beat": partial(
        SpikeOperandContract, 1, 1, lanes=1, bits=1, block_rows=1, block_bits=1
    ),
    "output_rows": partial(RowOutputContract, 3, 2, rows=1, depth=3),
    "output_blocks": partial(RowOutputContract, 4, 2, rows=2, depth=2),
    "codes_to_spikes": partial(CodesToSpikesContract, 2, 3),
    "codes_to_one_spike": partial(CodesToSpikesContract, 2, 1),
    "spikes_to_codes": partial(SpikesToCodesContract, 2, 3),
    "one_spike_to_codes": partial(SpikesToCodesContract, 2, 1),
    "event_count": partial(EventCountContract, 3, 32),
    "event_count_narrow": partial(EventCountContract, 9, 2),
}

CONFIGS = {
    "ssa": SMALLEST,
    "ssa_values": TWO_ROWS_OF_VALUES,
    "ssa_sampled": SSA(tokens=1, head_dim=1, steps=2, engine="sampled"),
    "a2os2a_kv": A2OS2A(**ONE_TOKEN, order="kv"),
    "a2os2a_qk": A2OS2A(**ONE_TOKEN, order="qk"),
    "a2os2a_kv_causal": A2OS2A(**ONE_TOKEN, order="kv", mask="causal"),
    "a2os2a_qk_causal": A2OS2A(**ONE_TOKEN, order="qk", mask="causal"),
    "a2os2a_block": SMALLEST_BLOCK,
    "spiked": SMALLEST_SPIKED,
}


QUICK_BLOCKS = (
    "splitter_three",
    "banks_three",
    "held_splitter_one",
    "operand_rows",
    "output_blocks",
    "codes_to_spikes",
    "spikes_to_codes",
)


@pytest.mark.parametrize(
    "block",
    [pytest.param(x, marks=[] if x in QUICK_BLOCKS else pytest.mark.long) for x in BLOCKS],
)
def test_block_keeps_everything(block, proof):
    """Conservation, order and stability, by induction; cover points are reachable."""
    proof(BLOCKS[block](), block, INDUCTION)


@pytest.mark.long
@pytest.mark.parametrize(
    "block", ["splitter_three", "banks_three", "operand_rows", "output_blocks"]
)
def test_proof_is_about_something(block, tmp_path):
    """The assumptions are not too strict: blocks can fill up and then drain."""
    prove(BLOCKS[block](), block, tmp_path, 20, "cover")


QUICK_OUTPUTS = ("ssa", "ssa_sampled", "a2os2a_kv")


def cases(slow):
    """The names in `CONFIGS`; those in `slow` take minutes."""
    marks = {name: [pytest.mark.slow] if name in slow else [] for name in CONFIGS}
    return [pytest.param(name, marks=marks[name]) for name in CONFIGS]


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(name, marks=[] if name in QUICK_OUTPUTS else pytest.mark.long)
        for name in CONFIGS
        if name != "spiked"
    ],
)
def test_output_stays_while_stalled(config, proof):
    """By induction, from any state."""
    proof(StreamContract(CONFIGS[config].create()), config, INDUCTION)


@pytest.mark.slow
def test_output_of_spiked_stays_while_stalled(proof):
    """Through the first runs only: the output is read from a memory, and induction, which starts
    from any state, knows nothing about what is in there."""
    depth = cycles_of_a_run(SMALLEST_SPIKED)
    harness = StreamContract(SMALLEST_SPIKED.create(), resets=False)
    proof(harness, "spiked", depth, "bmc", registers=True)


@pytest.mark.long
@pytest.mark.parametrize("config", cases(slow=["ssa_values", "a2os2a_block", "spiked"]))
def test_ready_comes_back(config, proof):
    """Within the cycles of one run, over two runs and into the third."""
    bound = cycles_of_a_run(CONFIGS[config])
    core = CONFIGS[config].create()
    harness = ReadyComesBack(core, bound, held=["start"])
    proof(harness, config, 2 * bound + 2, "bmc", registers=config == "spiked")


LARGER = {
    "ssa_two_steps": TWO_STEPS,
    "ssa_two_tokens": TWO_TOKENS,
    "ssa_sampled_two_tokens": SSA(tokens=2, head_dim=2, steps=2, engine="sampled"),
    "a2os2a_kv_two_tokens": A2OS2A(tokens=2, head_dim=2, k_bits=2, order="kv"),
    "a2os2a_qk_two_tokens": A2OS2A(tokens=2, head_dim=2, k_bits=2, order="qk"),
}


@pytest.mark.long
@pytest.mark.parametrize(
    "config",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name == "spiked" else [])
        for name in CONFIGS | LARGER
    ],
)
def test_whole_run(config, proof):
    """Exactly the beats of a run for every stall pattern, in every run."""
    proof(RunContract((CONFIGS | LARGER)[config]), config, mode="always")


QUICK = ("ssa", "ssa_sampled", "a2os2a_kv", "a2os2a_qk")


@pytest.mark.long
@pytest.mark.parametrize("config", cases(slow=[name for name in CONFIGS if name not in QUICK]))
def test_run_ends(config, tmp_path):
    """The contract of runs is about something: a whole run is possible."""
    core = CONFIGS[config]
    depth = cycles_of_a_run(core)
    prove(RunContract(core), config, tmp_path, depth, "cover", registers=core.NAME == "spiked")


class DroppingSplitter(wiring.Component):
    """A faulty splitter of 4 bits into 2 that accepts the next beat one chunk too early."""

    i: In(stream.Signature(4))
    o: Out(stream.Signature(2))

    def elaborate(self, platform):
        m = Module()
        row = Signal(4)
        holding = Signal()
        m.submodules.chunks = chunks = LoopNest(chunk=2)
        m.d.comb += [
            self.o.payload.eq(row),
            self.o.valid.eq(holding),
            chunks.step.eq(self.o.valid & self.o.ready),
            self.i.ready.eq(~holding | chunks.step),
        ]
        with m.If(self.i.ready):
            m.d.sync += [holding.eq(self.i.valid), row.eq(self.i.payload)]
        return m


class WaveringOutput(wiring.Component):
    """Forwards a stream, but mixes a cycle counter into the payload."""

    i: In(stream.Signature(2))
    o: Out(stream.Signature(2))

    def elaborate(self, platform):
        m = Module()
        clock = Signal(2)
        m.d.sync += clock.eq(clock + 1)
        m.d.comb += [
            self.o.payload.eq(self.i.payload ^ clock),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m


class Forwarded(Harness):
    """Asserts that a register that copies `level` never rises, assuming that `level` does not."""

    def __init__(self, *, steady_input):
        self._steady_input = steady_input
        super().__init__(Level())

    def check(self, m):
        if self._steady_input:
            m.d.comb += assume(~self.dut.level)
        m.d.comb += prove_property(~self.dut.copy)


class Level(wiring.Component):
    """Copies `level` to a register."""

    level: In(1)
    copy: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.copy.eq(self.level)
        return m


class DeafInput(wiring.Component):
    """Accepts one beat and is never ready again."""

    i: In(stream.Signature(2))
    o: Out(stream.Signature(2))

    def elaborate(self, platform):
        m = Module()
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += self.o.valid.eq(1)
        m.d.comb += self.i.ready.eq(~self.o.valid)
        return m


def test_dropped_chunk_is_found(tmp_path):
    with pytest.raises(JobError, match="Assert failed in"):
        prove(RowSplitterContract(4, 2, DroppingSplitter()), "dropping", tmp_path, INDUCTION)


def test_ready_that_stays_away_is_found(tmp_path):
    with pytest.raises(JobError, match="Assert failed in"):
        prove(ReadyComesBack(DeafInput(), 4), "deaf", tmp_path, 10, "bmc")


def test_wavering_payload_is_found(tmp_path):
    with pytest.raises(JobError, match="Assert failed in"):
        prove(StreamContract(WaveringOutput()), "wavering", tmp_path, INDUCTION)
    with pytest.raises(JobError, match="wavering: an assertion fails in cycle"):
        prove_always(StreamContract(WaveringOutput()), "wavering", tmp_path)


def test_assumptions_hold_in_every_cycle(tmp_path):
    """Assumptions of earlier cycles count: the register holds the level of the cycle before."""
    with pytest.raises(JobError, match="forwarded: an assertion fails in cycle"):
        prove_always(Forwarded(steady_input=False), "forwarded", tmp_path)
    prove_always(Forwarded(steady_input=True), "forwarded", tmp_path)


def test_search_without_result_says_so(tmp_path):
    """A second is too short for a whole run of a larger core."""
    with pytest.raises(JobError, match=r"large: no proof in 1 s"):
        prove_always(RunContract(Spiked(tokens=4, head_dim=4)), "large", tmp_path, seconds=1)
