"""Nets that nextpnr's router of long wires would take minutes for, divided before it."""

import json

import numpy as np
import pytest

import spikeloom
from spikeloom.families import FAMILIES, gowin_fan_out
from spikeloom.families.gowin_fan_out import COPIES, DIVIDED, FEW, MANY
from spikeloom_sim.backends import Netlist

GOWIN = FAMILIES["gowin"]


def cell(kind, output, inputs):
    """A cell; `output` and `inputs` are names of ports to nets."""
    ways = dict.fromkeys(output, "output") | dict.fromkeys(inputs, "input")
    connections = {name: [net] for name, net in (output | inputs).items()}
    return {"type": kind, "port_directions": ways, "connections": connections, "parameters": {}}


def written(path, source, sinks, muxes=0):
    """A netlist, in which `source` drives net 5: the inputs of `sinks` flip-flops, and of `muxes`
    multiplexers."""
    cells = {"source": source}
    for n in range(sinks):
        cells[f"sink_{n}"] = cell("DFF", {"Q": 100 + n}, {"D": 5, "CLK": 2})
    for n in range(muxes):
        cells[f"mux_{n}"] = cell("MUX2_LUT5", {"O": 300 + n}, {"I0": 5, "I1": 4, "S0": 3})
    ports = {"clk": {"direction": "input", "bits": [2]}, "a": {"direction": "input", "bits": [3]}}
    top = {"attributes": {"top": "1"}, "ports": ports, "cells": cells, "netnames": {}}
    path.write_text(json.dumps({"modules": {"top": top}}))
    return path


def fan_out(cells):
    """Net to the cells that it goes to, but for clocks."""
    nets = {}
    for name, one in cells.items():
        for port, bits in one["connections"].items():
            if one["port_directions"][port] == "input" and port != "CLK":
                for bit in bits:
                    nets.setdefault(bit, []).append(name)
    return nets


SOURCES = {
    "flip-flop": cell("DFFE", {"Q": 5}, {"D": 3, "CE": 4, "CLK": 2}),
    "lut": cell("LUT3", {"F": 5}, {"I0": 3, "I1": 4, "I2": 6}),
    "multiplexer": cell("MUX2_LUT5", {"O": 5}, {"I0": 3, "I1": 4, "S0": 6}),
}


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize(("sinks", "muxes"), [(11, 0), (25, 3), (50, 0)])
def test_division(kind, sinks, muxes, tmp_path, monkeypatch):
    """Every sink has a source that is the same function of the same nets; no net has more than 10
    sinks. A multiplexer goes to others by wires of its own, so these keep it."""
    monkeypatch.setattr(gowin_fan_out, "ENOUGH", 0)
    source = SOURCES[kind]
    sinks = min(sinks, MANY - muxes)
    path = written(tmp_path / "syn.json", source, sinks, muxes)
    counts = GOWIN.optimise(path)
    cells = json.loads(path.read_text())["modules"]["top"]["cells"]
    nets = fan_out(cells)
    assert max(map(len, (nets[bit] for bit in nets if bit > 4))) <= FEW
    (port,) = [name for name, way in source["port_directions"].items() if way == "output"]
    sources = {5: source}
    copies = {name: one for name, one in cells.items() if "$copy" in name}
    for one in copies.values():
        (output,) = one["connections"].get(port) or one["connections"]["F"]
        sources[output] = one
        if kind == "multiplexer":
            assert (one["type"], one["connections"]["I0"]) == ("LUT1", [5])
            assert one["parameters"] == {"INIT": "10"}
        else:
            assert one["type"] == source["type"]
            same = one["connections"] | {port: [5]}
            assert same == source["connections"]
    assert all(cells[f"sink_{n}"]["connections"]["D"][0] in sources for n in range(sinks))
    kept = {5} if kind == "multiplexer" else {*sources}
    assert all(cells[f"mux_{n}"]["connections"]["I0"][0] in kept for n in range(muxes))
    assert counts == {DIVIDED: 1, COPIES: len(copies)}


@pytest.mark.parametrize(("sinks", "enough"), [(10, 0), (51, 0), (25, 1)])
def test_nets_that_stay(sinks, enough, tmp_path, monkeypatch):
    """Nets of few sinks, nets of many, and a design that has only a few to divide."""
    monkeypatch.setattr(gowin_fan_out, "ENOUGH", enough)
    path = written(tmp_path / "syn.json", SOURCES["flip-flop"], sinks)
    before = path.read_text()
    assert GOWIN.optimise(path) == {}
    assert path.read_text() == before


@pytest.mark.long
def test_same_outputs(icarus, monkeypatch):
    """A core whose netlist is divided: outputs and cycles are those of the golden model."""
    monkeypatch.setattr(gowin_fan_out, "ENOUGH", 0)
    core = spikeloom.core("a2os2a", tokens=4, head_dim=8)
    operands = core.random_operands(np.random.default_rng(0))
    run = spikeloom.run(core, backend=Netlist(icarus, family="gowin"), **operands)
    assert run.mismatches == 0
    assert run.cycles == core.cycles(**operands)
