"""The timing diagrams of docs/use-a-core.md: they are what the core does, and as the page says."""

import json
import re

import pytest
from examples import timing_diagrams as timing

from ..pages import DOCS


@pytest.mark.parametrize("name", timing.DIAGRAMS)
def test_diagrams_are_up_to_date(name):
    """The core, simulated again, does the same, and the picture is the drawing of that."""
    text = (DOCS / "timing" / f"{name}.json").read_text()
    assert json.loads(text) == timing.DIAGRAMS[name].as_json()
    assert f"](timing/{name}.svg)" in (DOCS / "use-a-core.md").read_text()
    pytest.importorskip("wavedrom")
    assert (DOCS / "timing" / f"{name}.svg").read_text() == timing.draw(text)


def test_start_is_as_the_page_says():
    """`busy` follows `start`, the last beat comes in the cycle of the formula, `done` after it."""
    core, first = timing.CORE, timing.FIRST
    ports = timing.record(timing.start, timing.END + 3, 1)
    (begun,) = [n for n, level in enumerate(ports["start"]) if level]
    beats = [n for n, valid in enumerate(ports["m_axis_o_tvalid"]) if valid]
    assert begun == first
    assert beats[-1] - begun == core.cycles()
    assert [n for n, level in enumerate(ports["done"]) if level] == [beats[-1] + 1]
    busy = [n for n, level in enumerate(ports["busy"]) if level]
    assert busy == list(range(begun + 1, beats[-1] + 1))


def test_stalled_beats_do_not_change():
    ports = timing.record(timing.stalls, timing.END + 8, 1)
    waiting = 0
    for n, (valid, ready) in enumerate(
        zip(ports["m_axis_o_tvalid"], ports["m_axis_o_tready"], strict=True)
    ):
        if valid and not ready:
            waiting += 1
            for part in ("tvalid", "tdata", "tlast"):
                port = ports[f"m_axis_o_{part}"]
                assert port[n + 1] == port[n]
    assert waiting > 2


def test_a_reset_drops_the_run():
    """No output and no `done`; the inputs are ready again."""
    ports = timing.record(timing.reset, timing.END + 8, 2)
    (cycle,) = [n for n, level in enumerate(ports["rst"]) if level]
    assert ports["busy"][cycle : cycle + 2] == [1, 0]
    assert ports["s_axis_q_tready"][cycle : cycle + 2] == [0, 1]
    for port in ("done", "m_axis_o_tvalid"):
        assert not any(ports[port])


def test_runs_follow_each_other():
    """The second run takes as many cycles as the first."""
    ports = timing.record(timing.again, 2 * timing.END, 3)
    starts, ends = (
        [n for n, level in enumerate(ports[name]) if level] for name in ("start", "done")
    )
    assert starts[1] == ends[0]
    assert {end - begin for begin, end in zip(starts, ends, strict=True)} == {
        timing.CORE.cycles() + 1
    }


def test_conversion_to_waves():
    assert timing.repeats("0011101") == "0.1..01"
    assert timing.bus([None, 10, 10, 11, None, None]) == {"wave": "x=.=x.", "data": ["a", "b"]}
    assert re.fullmatch(r"[0-9a-f]+", timing.bus([255])["data"][0])
