"""Items and ports: codes, ranges, beats and `last`, against vectors worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeloom import (
    Bit,
    InputError,
    PhaseCode,
    Port,
    Probability,
    SInt,
    Ternary,
    UInt,
    all_cores,
)
from spikeloom.contract import Flag

ITEMS = {
    "bit": Bit(),
    "unsigned": UInt(5),
    "wide": UInt(63),
    "widest": UInt(64),
    "widest signed": SInt(64),
    "signed": SInt(7),
    "ternary": Ternary(),
    "code": PhaseCode(5),
    "unipolar code": PhaseCode(6, bipolar=False),
    "probability": Probability(4),
}


def test_bits_side_by_side():
    """Two rows of three spikes a beat, the first element in the lowest bit."""
    port = Port(axes="ND", shape=(4, 3), item=Bit(), beat=(2, 3), closes="N")
    spikes = [[1, 0, 0], [0, 1, 1], [0, 0, 0], [1, 1, 1]]
    assert port.bits == 6
    assert port.pack(spikes) == [(0b110001, 0), (0b111000, 1)]


def test_last_closes_each_time_step():
    port = Port(axes="TND", shape=(2, 3, 2), item=UInt(4), beat=(1, 1, 2), closes="N")
    beats = port.pack(np.arange(12).reshape(2, 3, 2))
    assert beats[:3] == [(0x10, 0), (0x32, 0), (0x54, 1)]
    assert [last for _, last in beats] == [0, 0, 1, 0, 0, 1]


def test_blocks_that_jut_out_are_filled_with_zeros():
    port = Port(axes="ND", shape=(3, 1), item=SInt(4), beat=(2, 1), closes="N")
    assert port.pack([[-1], [2], [-8]]) == [(0x2F, 0), (0x08, 1)]
    assert (port.unpack([(0x2F, 0), (0xA8, 1)]) == [[-1], [2], [-8]]).all()


def test_codes_worked_out_by_hand():
    # step, spike, sign from the lowest bit up: 2 bits of step for T = 4
    codes = PhaseCode(4).encode([0, 1, -1, 4, -4])
    assert codes.tolist() == [0b0000, 0b0100, 0b1100, 0b0111, 0b1111]
    assert Probability(2).encode([0, 0.1, 0.13, 0.5, 1]).tolist() == [0, 0, 1, 2, 4]
    assert Ternary().encode([-1, 0, 1]).tolist() == [3, 0, 1]
    assert SInt(64).decode(np.array([2**64 - 1], np.uint64)).tolist() == [-1]
    assert UInt(64).decode(np.array([2**64 - 1], np.uint64)).tolist() == [2**64 - 1]


@pytest.mark.parametrize("name", ITEMS)
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_there_and_back(name, data):
    item = ITEMS[name]
    shape = tuple(data.draw(st.lists(st.integers(1, 6), min_size=3, max_size=3)))
    beat = tuple(data.draw(st.integers(1, extent)) for extent in shape)
    closes = data.draw(st.sampled_from("TND"))
    if any(size > 1 for size in beat[: "TND".index(closes)]) and closes != "T":
        closes = "N"
    port = Port(axes="TND", shape=shape, item=item, beat=beat, closes=closes)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    tensor = port.random(rng, data.draw(st.sampled_from([-1, 0, 0.3, 0.9, 1, 2])))
    assert (item.check(tensor, "x") == tensor).all()
    beats = port.pack(tensor)
    assert len(beats) == port.beats
    assert sum(last for _, last in beats) == port.beats // port.frame_beats
    assert all(0 <= word < 2**port.bits for word, _ in beats)
    assert (item.encode(port.unpack(beats)) == item.encode(tensor)).all()
    assert (item.encode(port.from_bytes(port.to_bytes(tensor))) == item.encode(tensor)).all()
    if name != "probability":
        assert port.unpack(beats).dtype == item.dtype


@pytest.mark.parametrize(
    ("item", "values", "message"),
    [
        (Bit(), [0, 2], "x: 2 at [1]; spikes are 0 or 1"),
        (Bit(), [0, 0.5], "x: 0.5 at [1]; spikes are 0 or 1"),
        (UInt(3), [[1, 8]], "x: 8 at [0, 1]; values must be whole numbers 0..7"),
        (SInt(3), [-5], "x: -5 at [0]; values must be whole numbers -4..3"),
        (
            UInt(64),
            [1, 2.0**64],
            "x: 1.8446744073709552e+19 at [1]; values must be whole",
        ),
        (UInt(63), [2.0**63], "x: 9.223372036854776e+18 at [0]"),
        (SInt(64), [2.0**63], "x: 9.223372036854776e+18 at [0]"),
        (SInt(64), [2**63], "x: 9223372036854775808 at [0]"),
        (Ternary(), [-2], "x: -2 at [0]; ternary spikes are -1, 0 or 1"),
        (PhaseCode(4), [5], "x: 5 at [0]; codes are -4..4: 0, or sign * (step + 1)"),
        (Probability(4), [1.5], "x: 1.5 at [0]; values must be in [0, 1]; scale the tensor"),
        (Bit(), [0, np.nan], "x: NaN or infinity at [1]; give finite numbers"),
        (Bit(), ["a"], "x: holds <U1, not real numbers"),
        (Bit(), [1j], "x: holds complex128, not real numbers"),
        (UInt(8), [[1], [2, 3]], "x: not an array of numbers"),
        (Bit(), None, "x: holds object, not real numbers"),
    ],
)
def test_what_is_refused(item, values, message):
    with pytest.raises(InputError) as caught:
        item.check(values, "x")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_beats_that_do_not_make_a_tensor_are_refused():
    port = Port(axes="N", shape=(3,), item=Bit(), beat=(1,), closes="N")
    for beats in ([(1, 0), (1, 1)], [(1, 0), (1, 1), (1, 0)], []):
        with pytest.raises(InputError, match="not 3 beats in frames of 3"):
            port.unpack(beats)


@pytest.mark.parametrize("name", all_cores())
def test_ports_of_every_core_are_its_streams(name):
    """Width of each stream of the component, and every flag, as the core says."""
    for settings_ in all_cores()[name].CASES.values():
        core = all_cores()[name].from_settings(settings_)
        assert tuple(core.views()) == core.VIEWS
        members = core.create().signature.members
        streams = {n for n, member in members.items() if member.is_signature}
        assert streams == core.inputs.keys() | core.loads.keys() | core.outputs.keys()
        for port_name, port in (core.inputs | core.outputs).items():
            assert len(getattr(core.create(), port_name).payload.data) == port.bits
        assert ("seed" in members) == core.takes_seed == ("seed" in core.as_dict())
        control = {"start", "busy", "done"} | {"seed"} & members.keys()
        assert members.keys() - streams - control == core.flags.keys()
        for flag_name, flag in core.flags.items():
            assert len(getattr(core.create(), flag_name)) == flag.bits


@pytest.mark.parametrize(
    ("bits", "before", "run", "after"),
    [
        *[(1, 0, 0, 0), (1, 0, 1, 1), (1, 1, 0, 1), (1, 1, 1, 1), (1, 0, 9, 1)],
        *[(3, 2, 4, 6), (3, 6, 5, 7), (32, 2**32 - 2, 1, 2**32 - 1), (32, 2**32 - 1, 3, 2**32 - 1)],
    ],
)
def test_counters_stay_at_their_greatest_number(bits, before, run, after):
    assert Flag("clamped values", bits).after(before, run) == after
