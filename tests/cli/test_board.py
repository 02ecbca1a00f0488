"""`run --backend board` and `selftest` on a simulated board, and their error messages."""

import json

import numpy as np
import pytest

from spikeloom_boards.boards import BOARDS


@pytest.fixture
def operands(tmp_path):
    """Files of real Q and K (4, 3), V (4, 5), two heads; returns their command-line options."""
    rng = np.random.default_rng(0)
    for name, width in (("q", 3), ("k", 3), ("v", 5)):
        np.save(tmp_path / f"{name}.npy", rng.standard_normal((2, 4, width)))
    return ["--q", "q.npy", "--k", "k.npy", "--v", "v.npy"]


@pytest.mark.long
def test_run_on_a_simulated_board(spikeloom, operands, tmp_path):
    """The spiked core with scales fitted to the data, as in the golden model."""
    assert spikeloom("run", "spiked", *operands, "-o", "golden.npy").code == 0
    ran = spikeloom(
        *("run", "spiked", *operands, "-o", "board.npy", "--json"),
        *("--backend", "board", "--port", "sim"),
    )
    assert ran.code == 0, ran.err
    summary = json.loads(ran.out)
    assert (summary["backend"], summary["heads"], summary["mismatches"]) == ("board", 2, 0)
    assert len(summary["cycles"]) == 2
    assert summary["flags"] == {"misframed": 0}
    assert "including waits for the line" in summary["cycles_include"]
    assert summary["seconds_per_head"] >= summary["core_seconds_per_head"] > 0
    assert np.array_equal(np.load(tmp_path / "board.npy"), np.load(tmp_path / "golden.npy"))


@pytest.mark.long
def test_selftest_on_a_simulated_board(spikeloom):
    keys = ["tokens=5", "head_dim=4", "value_dim=6", "k_bits=3"]
    settings = [part for key in keys for part in ("--set", key)]
    ran = spikeloom("selftest", "a2os2a", "--port", "sim", *settings, "--json")
    assert ran.code == 0, ran.err
    summary = json.loads(ran.out)
    assert summary["config"]["value_dim"] == 6
    assert [run["mismatches"] for run in summary["runs"]] == [0] * 5
    assert [run["values"] for run in summary["runs"]] == [30] * 5
    assert all(run["flags"] == {"misframed": 0, "saturated": 0} for run in summary["runs"])
    assert all(run["seconds"] > 0 for run in summary["runs"])
    assert "including waits for the line" in summary["core_cycles_include"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["selftest"], 2, "--port is missing"),
        (["selftest", "--port", "sim"], 2, "--port sim simulates a device: name its core"),
        (
            ["selftest", "--port", "x", "--set", "tokens=4"],
            2,
            "--set, --config and --board need a CORE",
        ),
        (["selftest", "--port", "/dev/none"], 1, "/dev/none: no such port; available ports"),
        (["selftest", "sss", "--port", "sim"], 2, "unknown core 'sss'"),
        (["build", "ssa", "--board", "icebreaker", "-o", "o", "--top", "x"], 2, "unknown top 'x'"),
        (
            ["build", "ssa", "--board", "icebreaker", "-o", "o", "--baud", "5000000"],
            2,
            "baud = 5000000: 48 MHz / 10 is off by 4.0 %",
        ),
    ],
)
def test_refusals(spikeloom, arguments, code, message):
    ran = spikeloom(*arguments)
    assert (ran.code, ran.err.count("\n")) == (code, 1)
    assert message in ran.err


@pytest.mark.parametrize("options", [["--backend", "board"], ["--port", "sim"]])
def test_backend_and_port_go_together(spikeloom, operands, options):
    ran = spikeloom("run", "spiked", *operands, "-o", "o.npy", *options)
    assert ran.code == 2
    assert "--backend board and --port PORT" in ran.err


@pytest.mark.parametrize("board", BOARDS)
def test_every_board_has_its_uart(board):
    platform = BOARDS[board].make_platform()
    pins = platform.request("serial", 0, dir={"rx": "-", "tx": "-"})
    assert (len(pins.rx), len(pins.tx)) == (1, 1)
