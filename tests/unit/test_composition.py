"""Compositions of any units: with and without `last`, random or not, of any width of beat."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from spikeloom import Bit, Composition, InputError, Port
from spikeloom.configuration import integer
from spikeloom.cores import find_core
from spikeloom.drawing import drawing_faults

from .test_drawing import ports, submodules
from .test_units import run_hardware


def unit(name, **keys):
    return find_core(name).from_settings(keys)


def neurons(count, steps, lanes, **keys):
    shape = {"neurons": count, "steps": steps, "lanes": lanes}
    return unit("spiking_neurons", **shape, **{"input_bits": 3, "threshold": 1} | keys)


CHAINS = {
    "the same beats": [
        unit("bernoulli_encoder", values=24, lanes=3),
        neurons(6, 4, 3),
    ],
    "wider beats": [
        unit("bernoulli_encoder", values=24, lanes=1),
        neurons(6, 4, 2, input_bits=2),
    ],
    "no operands": [unit("lfsr", width=5, steps=7, leap=2), neurons(5, 7, 5)],
    "no operands, wider beats": [
        unit("lfsr", width=4, steps=6),
        neurons(8, 3, 8),
    ],
    "random behind random": [
        unit("bernoulli_encoder", values=12, lanes=2, random="own"),
        neurons(6, 2, 2, output="ternary"),
        neurons(6, 2, 2),
    ],
    "steps out of values": [
        unit("bitstream_encoder", tokens=2, head_dim=4, steps=5, lanes=2),
        neurons(8, 5, 2),
    ],
    "nothing random, no last": [
        unit("relu_quantiser", values=12, lanes=2, input_bits=5, bits=2, shift=1),
        neurons(6, 2, 2, input_bits=4, threshold=3),
    ],
    "ends without last": [
        unit("relu_quantiser", values=12, lanes=2, input_bits=20, bits=17, shift=1),
        unit("phase_encoder", values=12, lanes=2, input_bits=18, frac_bits=9, steps=8),
    ],
}


@dataclass(frozen=True, kw_only=True)
class Chain(Composition):
    """The units of a row of `CHAINS`, one behind the other."""

    NAME = "chain"

    row: int = integer("row of CHAINS", low=0, high=100)
    seed: int = integer("seed", low=1, high=2**64 - 1, default=1)

    def parts(self):
        units = list(CHAINS.values())[self.row]
        return {f"{part.NAME}_{n}": part for n, part in enumerate(units)}

    def wires(self):
        names = list(self.parts())
        own = {f"{names[0]}.i": "i"} if self.inputs else {}
        between = {f"{b}.i": f"{a}.o" for a, b in pairwise(names)}
        return own | between | {"o": f"{names[-1]}.o"}

    @property
    def inputs(self):
        return next(iter(self.parts().values())).inputs

    @property
    def outputs(self):
        return list(self.parts().values())[-1].outputs

    def cycles(self, **operands):
        return 200  # as a limit of time alone


@pytest.mark.parametrize("stalls", [0.0, 0.4])
@pytest.mark.parametrize("name", CHAINS)
def test_hardware_is_the_golden_model(name, stalls):
    """Three runs in a row, each with its own seed, operands of all of them on offer at once."""
    core = Chain(row=list(CHAINS).index(name), seed=5)
    rng = np.random.default_rng(8)
    runs = [core.random_operands(rng, density) for density in (0.5, 0.3, 0.7)]
    found, _ = run_hardware(core, runs, stalls)
    expected = [core.seeded(n).compute(**operands)["o"] for n, operands in enumerate(runs)]
    assert [x.tolist() for x in found] == [x.tolist() for x in expected]
    assert 0 < np.mean(np.stack(expected) != 0) < 1


@pytest.mark.parametrize("name", CHAINS)
def test_drawings(name):
    core = Chain(row=list(CHAINS).index(name))
    assert not drawing_faults(core.stages(), submodules(core.create()), ports(core))


def test_random_parts_follow_the_seed():
    core = Chain(row=0)
    values = np.full(24, 0.5)
    spikes = [core.with_seed(seed).compute(i=values)["o"] for seed in (1, 2)]
    encoder, bank = CHAINS["the same beats"]
    for seed, found in zip((1, 2), spikes, strict=True):
        encoded = encoder.with_seed(seed).compute(i=values)["o"]
        assert np.array_equal(bank.compute(i=encoded.reshape(4, 6))["o"], found)
    assert not np.array_equal(*spikes)


@dataclass(frozen=True, kw_only=True)
class Seedless(Composition):
    """A random part, and no seed for it."""

    NAME = "seedless"

    def parts(self):
        return {"encoder": unit("bernoulli_encoder", values=4)}

    def wires(self):
        return {"encoder.i": "i", "o": "encoder.o"}

    @property
    def inputs(self):
        return self.parts()["encoder"].inputs

    @property
    def outputs(self):
        return self.parts()["encoder"].outputs


@dataclass(frozen=True, kw_only=True)
class Misfit(Seedless):
    """Outputs of another shape than the part's."""

    NAME = "misfit"

    @property
    def outputs(self):
        return {"o": Port(axes="N", shape=(5,), item=Bit(), beat=(1,), closes="N")}


@dataclass(frozen=True, kw_only=True)
class Forked(Seedless):
    """One stream to two places."""

    NAME = "forked"

    def wires(self):
        return {"encoder.i": "i", "o": "i"}


@pytest.mark.parametrize(
    ("core", "message"),
    [
        (Seedless(), "seedless: encoder draws random numbers; give the composition a key `seed`"),
        (Misfit(), "misfit: encoder.o sends (4,) in beats of 1, o takes (5,) in beats of 1"),
        (Forked(), "forked: encoder.o must be wired once, from a source to a sink"),
    ],
    ids=lambda x: getattr(x, "NAME", ""),
)
def test_what_is_refused(core, message):
    with pytest.raises(InputError) as caught:
        core.create()
    assert str(caught.value) == message
