"""Toggles of nets in a waveform, and of netlists."""

import re

import numpy as np
import pytest

import spikeloom
from spikeloom.errors import JobError
from spikeloom.tools import locate
from spikeloom_sim.activity import count_toggles, switching
from tests.pages import blocks_of

HEAD = """$timescale 1ps $end
$scope module top $end
$var wire 1 ! clk $end
$var wire 1 " busy $end
$var wire 1 # a $end
$var wire 1 $ alias_of_a $end
$var wire 4 % sum [3:0] $end
$var wire 1 & core.clk $end
$scope module cell $end
$var wire 1 ( inside $end
$upscope $end
$upscope $end
$enddefinitions $end
"""


def test_toggles_by_hand(tmp_path):
    wave = tmp_path / "x.vcd"
    body = """#0
0!
0"
x#
x$
b0 %
0&
0(
#10
1#
1$
1!
#20
1"
0#
0$
b101 %
1(
1&
#30
1#
1$
b1010 %
0&
#40
bx %
#50
b0 %
#60
0"
#70
0#
0$
"""
    wave.write_text(HEAD + body)
    # While busy, a falls and rises, and its alias too; bits 0 and 2 of the sum rise and fall, and
    # bits 1 and 3 rise, as x does not count. busy itself rises and falls.
    assert sorted(count_toggles(wave)) == [1, 2, 2, 2]
    wave.write_text(HEAD.replace("busy", "idle") + body)
    with pytest.raises(JobError, match="no signal busy"):
        count_toggles(wave)


@pytest.mark.long
def test_more_ones_toggle_more():
    """The same hardware with operands of zeros and with random ones."""
    if locate("iverilog") is None:
        pytest.skip("iverilog is not installed")
    core = spikeloom.core("a2os2a", tokens=4, head_dim=4, k_bits=2)
    zeros = {name: np.zeros(port.shape, int) for name, port in core.inputs.items()}
    quiet = switching(core, zeros, "ice40")
    busy = switching(core, core.random_operands(np.random.default_rng(1)), "ice40")
    assert 0 < quiet.toggles < busy.toggles
    assert busy.as_dict()["measure"] == "relative"


@pytest.mark.long
def test_the_program_of_the_page(capsys):
    if locate("iverilog") is None:
        pytest.skip("iverilog is not installed")
    (block,) = [one for one in blocks_of("docs/energy.md") if "switching" in one.text]
    exec(compile(block.text, "docs/energy.md", "exec"), {})
    printed = re.fullmatch(r"(\d+) toggles in (\d+) cycles\n", capsys.readouterr().out)
    toggles, cycles = map(int, printed.groups())
    core = spikeloom.core("a2os2a", tokens=8, head_dim=8, k_bits=2)
    assert 0 < cycles <= core.cycles() + 1
    assert toggles > cycles
