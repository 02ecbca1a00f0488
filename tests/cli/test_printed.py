"""What commands print of results, and how they end; the results themselves are made up."""

import errno
import json
import re
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from spikeloom.cores.ssa import SSA
from spikeloom.errors import InputError, JobError
from spikeloom.networks.evaluation import Activity
from spikeloom_boards.driver import Device, jobs
from spikeloom_boards.report import Report
from spikeloom_cli import entry, estimate, import_, main, mutants, options, run, train, tune
from spikeloom_cli.build import print_report
from spikeloom_models.importers.jobs import Fidelity
from spikeloom_models.phase_choice import LayerCode
from spikeloom_models.rounding import Cut
from spikeloom_sim.mutation import Hunt, Mutant
from tests.boards.test_report import REPORT


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (JobError("simulation died"), 1, "simulation died"),
        (InputError("no\n  such key"), 2, "no such key"),
        (KeyboardInterrupt(), 130, "interrupted; nothing was written"),
        (MemoryError(), 1, "not enough memory; reduce steps, tokens or heads"),
        (OSError(errno.ENOSPC, "No space left"), 1, "No space left: free space in the output"),
        (OSError(errno.EACCES, "Permission denied", "a.npy"), 2, "a.npy: Permission denied"),
        (OSError(errno.EBADF, "Bad file"), 2, "[Errno 9] Bad file"),
    ],
)
def test_errors_become_one_line(error, code, line, spikeloom, monkeypatch):
    monkeypatch.setattr(main, "app", raising(error))
    monkeypatch.setattr(main.app, "info", SimpleNamespace(name="spikeloom"), raising=False)
    ran = spikeloom("list")
    assert (ran.code, ran.err.count("\n"), ran.out) == (code, 1, "")
    assert line in ran.err
    ran = spikeloom("list", "--json")
    assert json.loads(ran.out) == {"error": ran.err.strip()[11:], "exit_code": code}


def test_defects_keep_their_traceback(spikeloom, monkeypatch):
    monkeypatch.setattr(main, "app", raising(ZeroDivisionError("a defect")))
    monkeypatch.setattr(main.app, "info", SimpleNamespace(name="spikeloom"), raising=False)
    with pytest.raises(ZeroDivisionError, match="a defect"):
        spikeloom("list")


def test_interrupted_while_importing(monkeypatch, capsys):
    monkeypatch.setattr("builtins.__import__", raising(KeyboardInterrupt()))
    code = entry.main()
    monkeypatch.undo()
    assert (code, capsys.readouterr().err) == (130, "spikeloom: interrupted; nothing was written\n")


def raising(error):
    def fail(*arguments, **options):
        raise error

    return fail


def hunt(config, name, count, seed, **others):
    """A made-up hunt: of four mutants two are killed and one is equivalent."""
    others["progress"](1, 4)
    verdicts = ("killed by the testbench", "killed by the suite", "equivalent", "survived")
    return Hunt(name, [Mutant(n, f"fault {n}", v) for n, v in enumerate(verdicts, 1)], 2.0)


def test_mutants(spikeloom, monkeypatch):
    monkeypatch.setattr(mutants, "hunt", hunt)
    ran = spikeloom("mutants", "relu_quantiser", "--count", "4", "-o", "out")
    assert ran.code == 0, ran.err
    assert re.search(r"relu_quantiser: shifts of channels +4 +1 +1 +1 +1 +66\.7 %", ran.out)
    assert "survived in relu_quantiser: shifts of channels: fault 4" in ran.out
    (found,) = json.loads(spikeloom("mutants", "relu_quantiser", "--json").out)["configurations"]
    assert found["counts"]["survived"] == 1
    ran = spikeloom("mutants", "lfsr", "--only", "nothing")
    assert (ran.code, "unknown configuration 'nothing'" in ran.err) == (2, True)
    monkeypatch.setattr(mutants, "hunt", raising(KeyboardInterrupt()))
    ran = spikeloom("mutants", "lfsr", "-o", "again")
    assert (ran.code, "again keeps the verdicts" in ran.err) == (130, True)


def test_report_of_a_build(capsys):
    entries = {key: value for key, value in REPORT.items() if key != "timing_met"}
    left_out = {field.name: 0 for field in fields(Report) if field.name not in entries}
    print_report(Report(**entries | left_out | {"loaded": []}), Path("out"))
    printed = capsys.readouterr().out
    assert re.search(rf"LUT4 +{REPORT['lut4']:,} \(whole design", printed)
    assert f"{REPORT['fmax_mhz']:.1f} MHz, {REPORT['target_mhz']:g} MHz needed: met" in printed
    assert re.search(r"logic cells +#*\.* [\d,]+ of [\d,]+ \(\d+ %\)", printed)
    assert "out/spikeloom.bin" in printed


RECORD = {
    **{"name": "ssa small", "cycles": 1234, "lut": 900, "ff": 80, "bram": 2, "fits": False},
    **{"large_rams": 0, "dsp": 26},
    **{"fmax": "placed", "fmax_mhz": 41.26, "us": 29.9, "per_second": 33_000.0},
    **{"energy_uj": 0.125, "technology": "horowitz-45nm"},
    "activity": {"toggles": 5000, "cycles": 40, "family": "ice40"},
}


def test_estimate(capsys):
    estimate.print_estimate(RECORD)
    printed = capsys.readouterr().out
    assert "41.3 MHz (placed and routed, core between registers)" in printed
    assert "5,000 toggles of nets in 40 cycles; only to compare designs for ice40" in printed
    assert re.search(r"fits +no", printed)
    assert "0.125 uJ (estimate, horowitz-45nm)" in printed
    assert re.search(r"DSP blocks +26", printed)
    assert "large RAMs" not in printed
    nothing = dict.fromkeys(("fmax", "us", "per_second", "energy_uj"))
    plain = {key: value for key, value in RECORD.items() if key != "activity"}
    estimate.print_estimate(plain | nothing)
    printed = capsys.readouterr().out
    assert "not known: no measured rows for this device; use --place" in printed
    assert not re.search("energy|switching|time of a run", printed)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (["q"], "--input 'q' is not of the form NAME=FILE.npy"),
        (["=q.npy"], "is not of the form NAME=FILE.npy"),
        (["q=a.npy", "q=b.npy"], "operand q is given twice"),
    ],
)
def test_operands(inputs, message):
    with pytest.raises(InputError, match=re.escape(message)):
        run.operand_paths(inputs=inputs)
    assert run.operand_paths(inputs=["q=a.npy"], k=Path("k.npy"), v=None) == {
        "k": Path("k.npy"),
        "q": Path("a.npy"),
    }


def test_flags(capsys):
    options.print_flags({"misframed": 0, "saturated": 1234, "other": 1})
    assert "since its reset: saturated = 1,234, other = 1" in capsys.readouterr().out
    options.print_flags({"misframed": 0})
    assert capsys.readouterr().out == ""


def test_self_test_that_fails(monkeypatch):
    """The names of the runs and the number of wrong values."""
    core = SSA(tokens=2, head_dim=2, steps=2)
    golden, runs = jobs.golden_run, []

    def lie(config, operands):
        expected = golden(config, operands)
        runs.append(1)
        if len(runs) == 2:
            expected.outputs["o"] = expected.outputs["o"] ^ 1
        return expected

    monkeypatch.setattr(jobs, "golden_run", lie)
    (second, _, _) = jobs.VECTORS[1]
    size = core.outputs["o"].shape
    wrong = f"{second}: {np.prod(size)} of {np.prod(size)} values"
    with Device("golden", core) as device, pytest.raises(JobError, match=re.escape(wrong)):
        jobs.self_test(device)


def now(epoch, step, seconds_left):
    return SimpleNamespace(epoch=epoch, step=step, steps=2, loss=0.5, seconds_left=seconds_left)


def test_training(spikeloom, monkeypatch):
    """A line for each epoch that ends, activity and accuracy."""

    def trained(*arguments, report, **settings):
        for epoch in range(2):
            report(now(epoch, 0, 90.4))
            report(now(epoch, 1, 60.0))
        layers = {"first": Activity(0.25, 1000.0)}
        return SimpleNamespace(accuracy=0.875, images=1000, layers=layers, graph=None)

    monkeypatch.setattr(train, "train_task", trained)
    ran = spikeloom("train", "fashion-mnist", "--data", ".", "-o", "n.safetensors", "--epochs", "2")
    assert ran.code == 0, ran.err
    assert ran.err.splitlines() == [
        "epoch 1 of 2, loss 0.500, 0:01:00 left",
        "epoch 2 of 2, loss 0.500, 0:01:00 left",
    ]
    assert "accuracy on 1,000 test images: 87.50 %" in ran.out
    assert re.search(r"first +25\.0 +1,000", ran.out)
    ran = spikeloom(
        *("train", "fashion-mnist", "--data", ".", "-o", "n.safetensors", "--json", "--epochs", "2")
    )
    assert json.loads(ran.out)["layers"] == {"first": {"ones": 0.25, "additions": 1000.0}}
    assert ran.err == ""


def test_tuning(spikeloom, monkeypatch):
    made = SimpleNamespace(given=0.9, rounded=0.5, tuned=0.875, images=2000)
    monkeypatch.setattr(tune, "tune_network", lambda *arguments, **settings: made)
    arguments = ("tune", "fashion-spikformer", "--data", ".", "-o", "four.safetensors")
    ran = spikeloom(*arguments, "--bits", "4")
    assert ran.code == 0, ran.err
    assert "right of 2,000 test images, %" in ran.out
    assert re.search(r"tuned +87\.50", ran.out)
    assert "four.safetensors: weights of 4 bits, of the layer of the image 8" in ran.out
    ran = spikeloom(*arguments, "--json")
    assert json.loads(ran.out)["accuracy"] == {"given": 0.9, "rounded": 0.5, "tuned": 0.875}


@pytest.fixture
def imported(monkeypatch):
    """Calls of the importer; the network it returns is made up."""
    calls = []

    def take(*arguments, **settings):
        calls.append(settings)
        graph = SimpleNamespace(name="n", weights=12_000, accumulator_bits=20)
        tried = [Fidelity(4, 8, 0.75, None), Fidelity(8, 8, 0.9875, 0.5)]
        return SimpleNamespace(
            **{"graph": graph, "bits": 8, "stem_bits": 8, "given": ("heads",), "tried": tried},
            **{"settings": {"heads": 4, "sizes": (1, 2)}, "cuts": {"first": Cut(0.125, 0.01)}},
            **{"biases": {"first": 0.03}, "images": 2, "float_accuracy": 0.5},
            **{"codes": {"second": LayerCode(3, 36, 0.0015)}},
        )

    monkeypatch.setattr(import_, "import_checkpoint", take)
    return calls


def test_import(spikeloom, imported, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((3, 4, 4), np.uint8))
    np.save(tmp_path / "y.npy", np.zeros(3, np.uint8))
    arguments = ("import", "a.pth", "--arch", "spikformer", "-o", "n.safetensors")
    ran = spikeloom(
        *(*arguments, "--calibrate", "x.npy", "--labels", "y.npy", "--limit", "2"),
        *("--classes", "a,b", "--set", "heads=4", "--bits", "8"),
    )
    assert ran.code == 0, ran.err
    (call,) = imported
    assert (call["images"].shape, call["labels"].shape) == ((2, 4, 4, 1), (2,))
    assert (call["classes"], call["bits"], call["name"]) == (("a", "b"), 8, "n")
    assert re.search(r"heads +4  \(given\)", ran.out)
    assert re.search(r"sizes +1,2  \(default\)", ran.out)
    assert re.search(r"first +1\.00 +12\.50", ran.out)
    assert re.search(r"second +1\.1429 +36 +0\.150", ran.out)
    assert "the largest change is 3.0 % of a threshold" in ran.out
    assert re.search(r"4 bits, stem 8 +75\.00 +-", ran.out)
    assert "floating point: 50.00 % of 2 images" in ran.out
    assert "12,000 weights of 8 bits, accumulators of 20 bits" in ran.out
    assert json.loads(spikeloom(*arguments, "--json").out)["weights"] == 12_000


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--set", "heads"], "--set heads: write KEY=VALUE, each key once"),
        (["--set", "a=1", "--set", "a=2"], "--set a=2: write KEY=VALUE, each key once"),
        (["--calibrate", "f.npy"], "--calibrate: float64 of shape (3, 4, 4); give bytes"),
        (
            ["--calibrate", "x.npy", "--labels", "y.npy"],
            "--labels: shape (2,) is not (3,), one an image",
        ),
    ],
)
def test_import_refusals(more, message, spikeloom, imported, tmp_path):
    np.save(tmp_path / "f.npy", np.zeros((3, 4, 4)))
    np.save(tmp_path / "x.npy", np.zeros((3, 4, 4), np.uint8))
    np.save(tmp_path / "y.npy", np.zeros(2, np.uint8))
    ran = spikeloom("import", "a.pth", "--arch", "spikformer", "-o", "n.safetensors", *more)
    assert (ran.code, ran.err.count("\n"), imported) == (2, 1, [])
    assert message in ran.err


def test_reader_that_closed_the_pipe(monkeypatch, capfd):
    """`spikeloom list | head -1` ends without a traceback."""
    monkeypatch.setattr(main, "app", raising(BrokenPipeError()))
    monkeypatch.setattr(main.app, "info", SimpleNamespace(name="spikeloom"), raising=False)
    silenced = []
    monkeypatch.setattr(main, "_silence", silenced.append)
    assert main.main(["list"]) == 1
    assert len(silenced) == 1
