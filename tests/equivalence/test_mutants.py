"""Mutants of small configurations: what tests notice, what is proved equivalent, what is left."""

import re
from dataclasses import replace

import numpy as np
import pytest

import spikeloom
from spikeloom.cores import all_cores
from spikeloom.cores.phase_encoder import PhaseEncoderUnit
from spikeloom.cores.spiked.tables import LOG_FRACTION
from spikeloom.errors import InputError, JobError
from spikeloom.export.verilog import VerilogModule
from spikeloom.networks import file, golden
from spikeloom.outputs import GrowingFolder
from spikeloom.tools import run_tool
from spikeloom_sim.formal import equivalence
from spikeloom_sim.formal.and_graph import AndGraph
from spikeloom_sim.formal.equivalence import is_equivalent
from spikeloom_sim.formal.miter import FEW_SECONDS, Miter
from spikeloom_sim.formal.module_pair import module_pairs
from spikeloom_sim.formal.only_logic import MEMORY_BITS, memory_bits, only_logic
from spikeloom_sim.formal.reachable import Circuit
from spikeloom_sim.mutation import MutantDesign, Testbench, hunt, mutant_configs, verdicts
from tests.networks.phase_network import phase_network
from tests.networks.random_network import random_images, random_network, with_offsets
from tests.networks.stem import stem_network
from tests.networks.test_membrane import membrane_network
from tests.pages import ROOT

COUNT = 500  # mutants of a core
AIM = 0.98  # killed, of those that are not proved equivalent

# Networks that together have every layer and form of the engine, and its keys. Their sizes fill
# words, memories and groups of lanes, so that few bits of the engine have no effect.
BLOCK = {
    **{"image": (4, 8, 1), "patch": (2, 2), "dims": 32, "hidden": 32, "classes": 16},
    **{"blocks": 1, "steps": 4},
}


def with_close_logits(graph):
    """The network with the largest logit around 0, and pairs of classes, or four if there are many,
    whose logits differ little, so that every class and every bit of a logit may decide."""
    head, rng = graph.classifier, np.random.default_rng(1)
    classes = np.arange(head.outputs)
    alike = classes - classes % (4 if head.outputs >= 8 else 2)
    low, high = head.weight.min(), head.weight.max()
    weight = head.weight[:, alike] + (rng.random(head.weight.shape) < 2 / len(head.weight))
    near = replace(head, weight=weight.clip(low, high).astype(head.weight.dtype))
    network = replace(graph, layers=(*graph.layers[:-1], near))
    logits = golden.run(network, random_images(graph, 32)).logits
    mean = logits.mean(0)
    bias = head.bias - np.round(mean + (logits - mean).max(1).mean()).astype(np.int32)
    return replace(graph, layers=(*graph.layers[:-1], replace(near, bias=bias)))


NETWORKS = {
    "spikformer": (
        lambda: with_offsets(random_network(**BLOCK | {"blocks": 2}, reset="mixed", weight_bits=4)),
        {"lanes": 8},
    ),
    "a2os2a": (
        lambda: random_network(**BLOCK, form="a2os2a", residual="add", leak=0, weight_bits=6),
        {"lanes": 4, "weights": "loaded"},
    ),
    "ssa": (lambda: random_network(**BLOCK, form="ssa"), {"lanes": 4}),
    "phase codes": (
        lambda: phase_network(
            image=(4, 8, 1), steps=16, dims=32, classes=4, blocks=2, shift=2, threshold=2000
        ),
        {"lanes": 4},
    ),
    "convolutions": (
        lambda: stem_network(steps=4, image=(8, 8, 1), widths=(4, 4, 8, 16), hidden=32, classes=4),
        {"lanes": 4},
    ),
    "membrane shortcuts": (
        lambda: membrane_network(steps=4, image=(8, 8, 2), dims=16),
        {"lanes": 4, "engines": 2},
    ),
}


@pytest.fixture
def brief(monkeypatch):
    """Proofs end early that search for a difference, for mutants that have one."""
    monkeypatch.setattr(equivalence, "SECONDS", 1)
    monkeypatch.setattr(equivalence, "FEW_SECONDS", 1)


def quantiser():
    return mutant_configs(all_cores()["relu_quantiser"])["shifts of channels"]


def test_faults_of_a_design(tmp_path):
    """The same faults for the same seed, and each only for its number."""
    design = MutantDesign(quantiser(), tmp_path / "first", 20, 5)
    again = MutantDesign(quantiser(), tmp_path / "second", 20, 5)
    assert design.faults == again.faults
    assert len(design.faults) >= 18
    assert design.mutants.text == again.mutants.text
    assert MutantDesign(quantiser(), tmp_path / "third", 20, 6).faults != design.faults
    assert design.mutants.ports == design.original.ports
    header = design.mutants.text.split(");", 1)[0]
    assert "mutant_number" not in header
    assert "s_axis_i_tdata" in header
    for number in range(1, len(design.faults) + 1):
        assert f"mutant_number == 5'h{number:02x}" in design.mutants.text


def test_proof(tmp_path, brief):
    """A stuck output is not proved equivalent; a fault without effect is."""
    design = MutantDesign(quantiser(), tmp_path, 1, 1)
    top, file = design.original.name, tmp_path / "design.il"
    port = "-cell {cell} -port Y -portbit 0"
    cells = [line.split()[2] for line in file.read_text().splitlines() if "cell $and " in line]
    stuck = [f"mutate -mode const0 -module {top} {port.format(cell=cell)}" for cell in cells[:3]]
    core, proof = design.original, tmp_path / "proof"
    assert not all(is_equivalent(core, file, fault, proof) for fault in stuck)
    assert is_equivalent(core, file, "", proof)  # no fault at all


@pytest.mark.long
def test_proof_with_memories(tmp_path, brief):
    """A memory that is never written is not proved equivalent; without a fault, ports that stand
    for the memories are enough."""
    (config, *_) = mutant_configs(all_cores()["bitstream_encoder"]).values()
    design = MutantDesign(config, tmp_path, 1, 1)
    top, file = design.original.name, tmp_path / "design.il"
    assert memory_bits(file.read_text())
    assert "$mem_v2" not in only_logic(file.read_text(), top)
    assert not re.search(r"connect .*\d'[01]*x", file.read_text())  # a fault may write it
    memory = re.search(r"cell \$mem_v2 (\S+)", file.read_text())[1]
    never = f"mutate -mode const0 -module {top} -cell {memory} -port WR_EN -portbit 0"
    core, proof = design.original, tmp_path / "proof"
    assert is_equivalent(core, file, "", proof)
    assert not is_equivalent(core, file, never, proof)
    width = int(
        re.search(r"cell \$mem_v2 (?:.*\n)*?    parameter \\WIDTH (\d+)", file.read_text())[1]
    )
    inverted = f"mutate -mode inv -module {top} -cell {memory} -port WR_DATA -portbit "
    ports = range(0, 6 * width, width)  # one of them writes bit 0
    assert not all(is_equivalent(core, file, f"{inverted}{n}", proof) for n in ports)


TABLE = """
module table_(input clk, input [2:0] a, input [9:0] place, output reg high = 0,
              output reg low = 0, output reg [7:0] read = 0);
  reg [1:0] words [0:7];
  reg [7:0] memory [0:1023];
  integer n;
  initial for (n = 0; n < 8; n = n + 1) words[n] = n == 5;
  reg [1:0] word = 0;
  always @(posedge clk) begin
    word <= words[a];
    high <= word[1] & a[0];
    low <= word[0] & a[0];
    if (a == 0) memory[place] <= place;
    read <= memory[place];
  end
endmodule
"""  # bit 1 of each word is 0


@pytest.mark.parametrize(("wire", "equivalent"), [("high", True), ("low", False)])
def test_proof_with_a_table(tmp_path, wire, equivalent):
    """What a read-only memory holds takes part, however large others are: a bit that is 0 in every
    word has no effect."""
    (tmp_path / "rtl.v").write_text(TABLE)
    script = "read_verilog rtl.v; proc; opt; memory_dff; memory_collect; write_rtlil design.il"
    run_tool("yosys", "-p", script, cwd=tmp_path)
    file = tmp_path / "design.il"
    text = file.read_text()
    assert memory_bits(text) > MEMORY_BITS
    assert only_logic(text, "table_").count("cell $mem_v2") == 1
    cells = dict(
        re.findall(r"cell \$and (\S+)\n(?:    .*\n)*?    connect \\A \\word \[(\d)\]", text)
    )
    (cell,) = (name for name, bit in cells.items() if bit == str(int(wire == "high")))
    fault = f"mutate -mode const0 -module table_ -cell {cell} -port A -portbit 0"
    module = VerilogModule("table_", TABLE, ())
    assert is_equivalent(module, file, fault, tmp_path / "proof") == equivalent


COUNTER = """
module counter(input clk, input a, output reg late = 0, output reg soon = 0,
               output m_axis_o_tvalid, output m_axis_o_tdata);
  reg [4:0] n = 0;
  wire at_29 = n == 29 & a, at_3 = n == 3 & a;
  always @(posedge clk) begin
    n <= n == 19 ? 0 : n + 1;
    late <= at_29;
    soon <= at_3;
  end
  assign m_axis_o_tvalid = n == 2;
  assign m_axis_o_tdata = n != 2 & a;
endmodule
"""  # to 19


def test_proof_by_reachability(tmp_path):
    """A stuck signal has no effect that was always 0, as the counter does not reach 29, which no
    induction over single cycles knows; nor one in a payload while it is not valid."""
    (tmp_path / "rtl.v").write_text(COUNTER)
    run_tool("yosys", "-p", "read_verilog rtl.v; proc; opt; write_rtlil design.il", cwd=tmp_path)
    rtlil = (tmp_path / "design.il").read_text()

    def stuck(wire):
        drives = rf"cell \$\w*and (\S+)\n(?:    .*\n)*?    connect \\Y \\{wire}\n"
        fault = (
            f"-mode const0 -module counter -cell {re.search(drives, rtlil)[1]} -port Y -portbit 0"
        )
        module, file = VerilogModule("counter", COUNTER, ()), tmp_path / "design.il"
        return is_equivalent(module, file, f"mutate {fault}", tmp_path / wire)

    assert stuck("at_29")
    assert stuck("m_axis_o_tdata")
    assert not stuck("at_3")


STAGES = """
module stages(input clk, input valid, input data, output reg out_valid = 0, output out);
  reg held_valid = 0, held = 0, late = 0;
  always @(posedge clk) begin
    held_valid <= valid;
    held <= valid ? data : 1'h0;
    out_valid <= held_valid;
    late <= held;
  end
  assign out = out_valid & late;
endmodule
"""


@pytest.mark.parametrize(("port", "equivalent"), [("A", True), ("B", False)])
def test_proof_with_lemmas(tmp_path, monkeypatch, port, equivalent):
    """What is held has no effect while it is not valid: no signal of the design says so, but one
    that is added."""
    (tmp_path / "rtl.v").write_text(STAGES)
    run_tool("yosys", "-p", "read_verilog rtl.v; proc; write_rtlil design.il", cwd=tmp_path)
    file = tmp_path / "design.il"
    (cell,) = re.findall(r"cell \$mux (\S+)", file.read_text())
    fault = f"mutate -mode inv -module stages -cell {cell} -port {port} -portbit 0"
    module = VerilogModule("stages", STAGES, ())
    monkeypatch.setattr(Miter, "differs", lambda *_: None)
    assert is_equivalent(module, file, fault, tmp_path / "proof") == equivalent
    monkeypatch.setattr(Miter, "corresponds_with_lemmas", lambda *_: False)
    assert not is_equivalent(module, file, fault, tmp_path / "proof")


def test_graph():
    """A counter of two bits and a gate, from the binary form of AIGER and back; the values of every
    node in a simulation."""
    aiger = b"aig 5 1 2 1 2\n5\n10\n10\n" + bytes([8 - 4, 4 - 2, 10 - 8, 8 - 6]) + b"l0 gold.a\n"
    graph = AndGraph(aiger)
    assert graph.register_names == {0: "gold.a"}
    assert graph.aiger(graph.outputs) == aiger
    for cycle, values in enumerate(graph.simulate(4, 2, seed=1)):
        given, first, second, both, out = values[1:]
        assert (first == (~np.uint64(0) if cycle % 2 else 0)).all()
        assert (both == given & first).all()
        assert (out == both & second).all()


def flat(verilog, folder):
    """File with a design, whose top is ``around``, as one module."""
    (folder / "rtl.v").write_text(verilog)
    script = "read_verilog rtl.v; hierarchy -top around; proc; flatten; opt; write_rtlil design.il"
    run_tool("yosys", "-p", script, cwd=folder)
    return folder / "design.il"


GATES = """
module gates(input [23:0] a, output [23:0] m_axis_o_tdata, output m_axis_o_tvalid);
  assign m_axis_o_tdata = {12'h0, a[11:0]} + 24'h800;
  assign m_axis_o_tvalid = 1'h1;
endmodule

module around(input [23:0] a, output [23:0] m_axis_o_tdata, output m_axis_o_tvalid);
  gates inner (
    .a(a), .m_axis_o_tdata(m_axis_o_tdata), .m_axis_o_tvalid(m_axis_o_tvalid)
  );
endmodule
"""  # bits of the sum above 12 are never 1


@pytest.mark.parametrize(("bit", "equivalent"), [(20, True), (12, False)])
def test_proof_without_registers(tmp_path, bit, equivalent):
    file = flat(GATES, tmp_path)
    (adder,) = re.findall(r"cell \$add (\S+)", file.read_text())
    fault = f"mutate -mode const0 -module around -cell {adder} -port Y -portbit {bit}"
    module = VerilogModule("around", GATES, ())
    assert is_equivalent(module, file, fault, tmp_path / "proof") == equivalent
    (inner,) = module_pairs(module, fault, tmp_path)
    assert inner.is_equal_pipeline() == equivalent


def test_proof_of_a_counter(tmp_path):
    """A counter to 11 that has bit 2 of its next number inverted counts in another order, but to 11
    as well. With bit 1 inverted it does not."""
    design = MutantDesign(quantiser(), tmp_path, 1, 1)
    lines = (tmp_path / "design.il").read_text().splitlines()
    (cell,) = {
        line.split()[2]
        for line in lines
        if re.search(r"cell \$add \$flatten\\core\.\\sent\.", line)
    }
    fault = f"mutate -mode inv -module {design.original.name} -cell {cell} -port Y -portbit "
    verdicts = [
        is_equivalent(design.original, tmp_path / "design.il", f"{fault}{bit}", tmp_path / "proof")
        for bit in (2, 1)
    ]
    assert verdicts == [True, False]


IN_PLACE = """
module below(input clk, input [4:0] n, input a, output reg y = 0, output ready);
  reg [7:0] memory [0:1023];
  reg [7:0] read = 0;
  wire late = n == 29;
  wire soon = n == 3;
  always @(posedge clk) begin
    if (late) memory[0] <= 1;
    if (soon & a) memory[n] <= 2;
    read <= memory[n];
    y <= read[0];
  end
  wire even = n[0] == 0;
  wire first = n == 1;
  assign ready = even | first;
endmodule

module around(input clk, input a, output y, output reg taken = 0);
  reg [4:0] n = 0;
  wire ready;
  reg waits = 0;
  always @(posedge clk) begin
    n <= n == 19 ? 0 : n + 1;
    waits <= n == 19 ? 0 : n == 5 | waits;
    taken <= ready & a & waits & n[1];
  end
  below inner (
    .clk(clk), .n(n), .a(a), .y(y), .ready(ready)
  );
endmodule
"""  # n goes to 19


@pytest.mark.parametrize(
    ("wire", "equivalent"), [("late", True), ("soon", False), ("first", True), ("even", False)]
)
def test_proof_in_place(tmp_path, wire, equivalent):
    """What a module does with inputs that the design around it never gives has no effect, nor what
    this does not heed of its outputs; its memory is too large to take part."""
    text = flat(IN_PLACE, tmp_path).read_text()
    cell = re.search(rf"cell \$\w+ (\S+)\n(?:    .*\n)*?    connect \\Y \\inner\.{wire}\n", text)[1]
    fault = f"mutate -mode const0 -module around -cell {cell} -port Y -portbit 0"
    (pair,) = module_pairs(VerilogModule("around", IN_PLACE, ()), fault, tmp_path)
    assert not pair.is_equal_pipeline()
    (miter,) = pair.in_place()
    assert (miter.corresponds() or miter.differs(FEW_SECONDS) is False) == equivalent


@pytest.mark.long
def test_proof_in_a_pipeline(tmp_path):
    """An encoder compares a sum with one threshold, so its logarithm need not be exact: its lowest
    bit has no effect. The bit of a whole step has one, and so has the threshold's."""
    config = PhaseEncoderUnit(values=2, input_bits=14, frac_bits=8, steps=8)
    design = MutantDesign(config, tmp_path, 1, 1)
    text = (tmp_path / "design.il").read_text()
    top = design.original.name
    (total,) = re.findall(r"cell \$add (\$flatten\S+\\log\.\$add\S+)", text)
    *_, reached = re.findall(r"cell \$ge (\$flatten\S+\\encoder_0\.\$ge\S+)", text)
    proved = []
    for cell, port, bit in ((total, "Y", 0), (total, "Y", LOG_FRACTION), (reached, "B", 0)):
        fault = f"mutate -mode inv -module {top} -cell {cell} -port {port} -portbit {bit}"
        pairs = module_pairs(design.original, fault, tmp_path)
        proved.append(any(pair.is_equal_pipeline() for pair in pairs))
    assert proved == [True, False, False]


def test_stages_of_a_circuit():
    """Two registers between an input and an output; one with an effect on itself has no stages."""
    pipeline = "aag 4 1 2 1 1\n2\n4 2\n6 8\n6\n8 4 2\no0 trigger\n"
    assert Circuit(pipeline).stages() == 2
    assert Circuit(pipeline.replace("8 4 2", "8 4 6")).stages() is None


@pytest.mark.long
def test_hunt_goes_on(tmp_path, monkeypatch):
    """Verdicts are kept, and taken over by the same hunt only."""
    folder = GrowingFolder(tmp_path / "kept", "mutants")
    found = hunt(quantiser(), "relu_quantiser: small", 12, 3, jobs=2, kept=folder)
    assert sum(found.counts.values()) == len(found.mutants) >= 10
    assert found.counts["killed by the testbench"] > 0
    monkeypatch.setattr(verdicts, "Testbench", None)  # nothing is left to check
    again = hunt(quantiser(), "relu_quantiser: small", 12, 3, kept=folder)
    assert again.mutants == found.mutants
    with pytest.raises(InputError, match="another version, count or seed"):
        hunt(quantiser(), "relu_quantiser: small", 12, 4, kept=folder)


@pytest.mark.long
def test_core_that_fails_without_a_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(verdicts.Testbench, "passes", lambda self, number: number > 0)
    with pytest.raises(JobError, match="testbench fails on the core without a fault"):
        hunt(quantiser(), "relu_quantiser: small", 3, 3)


def test_every_configuration_is_documented():
    """docs/mutants.md has a row for each, with the share that is killed or without numbers."""
    rows = re.findall(
        r"^\| (?:`(\w+)`: (.+?)|network engine, `(.+?)`.*?) \|.* \| (?:[\d.]+ %|-) \|$",
        (ROOT / "docs" / "mutants.md").read_text(),
        re.M,
    )
    cores = {name: mutant_configs(one) for name, one in all_cores().items()}
    names = [f"{core}: {name}" for core, configs in cores.items() for name in configs]
    found = [network or f"{core}: {config}" for core, config, network in rows]
    assert sorted(found) == sorted([*names, *NETWORKS])


@pytest.mark.slow
@pytest.mark.parametrize("core", [name for name, one in all_cores().items() if one.CASES])
def test_no_killed_mutant_is_proved(core, tmp_path, brief):
    (config, *_) = mutant_configs(all_cores()[core]).values()
    design = MutantDesign(config, tmp_path, 4, 1)
    testbench, file = Testbench(design), tmp_path / "design.il"
    assert testbench.passes(0)
    killed = [fault for n, fault in enumerate(design.faults, 1) if not testbench.passes(n)]
    assert killed
    for fault in killed:
        assert not is_equivalent(design.original, file, fault, tmp_path / "proof", design.attached)


@pytest.mark.slow
@pytest.mark.parametrize("core", [name for name, one in all_cores().items() if one.CASES])
def test_many_mutants(core):
    configs = mutant_configs(all_cores()[core])
    for name, config in configs.items():
        found = hunt(config, name, -(-COUNT // len(configs)), 1, jobs=2)
        left = [mutant.fault for mutant in found.survivors]
        assert found.killed_share >= AIM, left


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_many_mutants_of_the_engine(name, tmp_path):
    make, keys = NETWORKS[name]
    file.save(tmp_path / "network.safetensors", with_close_logits(make()))
    config = spikeloom.load(tmp_path / "network.safetensors", **keys)
    found = hunt(config, name, -(-COUNT // len(NETWORKS)), 1, jobs=2)
    assert found.killed_share >= AIM, [mutant.fault for mutant in found.survivors]
