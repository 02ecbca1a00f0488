"""The bench: selection of rows, measurement of one design, table and plot."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from examples.bench_picture import table_rows
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from spikeloom.contract import BenchRow
from spikeloom.cores import all_cores
from spikeloom.cores.ssa import SSA
from spikeloom.errors import InputError, JobError
from spikeloom.export.verilog import VerilogModule
from spikeloom.families import FAMILIES, find_part
from spikeloom_boards.bench import bench, measure
from spikeloom_boards.bench.designs import Design, choose, designs
from spikeloom_boards.bench.measure import Measurement, simulated_cycles
from spikeloom_boards.bench.plot import draw, plot_bench

ROOT = Path(__file__).parents[2]
DESIGNS = designs()

SMALL = {"tokens": 8, "head_dim": 8, "steps": 2, "engine": "sampled", "random": "own"}


def test_rows_have_names_of_their_own():
    names = [design.name for design in DESIGNS]
    assert len(set(names)) == len(names)
    assert {design.core for design in DESIGNS} == set(all_cores().values())


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_rows_are_valid(design):
    assert design.config.NAME == design.core.NAME
    assert design.part.device.cells > 1000


def test_choice():
    assert choose(full=True) == DESIGNS
    assert 0 < len(choose()) < len(DESIGNS)
    assert {design.device for design in choose(["hx8k"])} == {"hx8k"}
    assert len(choose(["hx8k", "up5k"])) > len(choose(["up5k"]))
    with pytest.raises(InputError, match="no row's name contains it; rows: a2os2a/"):
        choose(["nothing like it"])


def test_default_rows():
    """The default set has every core that attends, `spiked` at three unrolls."""
    names = {design.name for design in choose()}
    assert {"spiked/trace/8/ecp5-25f", "spiked/trace/49/ecp5-85f"} <= names
    assert {design.core.NAME for design in choose()} == {
        *("ssa", "spiked", "a2os2a", "a2os2a_block")
    }


@pytest.mark.parametrize("core", [core for core in all_cores().values() if core.IN_NETWORKS])
def test_trained_operands_have_their_densities(core):
    """For `a2os2a_block`, the outputs of the neurons have them."""
    config = core.from_settings({"tokens": 40, "head_dim": 48})
    operands = config.trained_operands(np.random.default_rng(1))
    if hasattr(config, "qkv"):
        operands = config.check(operands) and config.qkv(**operands)
    found = {name: np.mean(operand != 0) for name, operand in operands.items()}
    assert found == pytest.approx(core.IN_NETWORKS.densities, abs=0.03)


def test_table_names_the_densities_and_their_source():
    counts = dict.fromkeys(("lut", "ff", "bram", "dsp", "attentions_per_s"), 1)
    times = dict.fromkeys(("fmax_mhz", "us", "us_loading", "lut_us"), 1.0)
    trained = {"cycles_trained": 33, "us_trained": 44.4, "cycles_loading": 9, "fmax_runs": (1.0,)}
    row = Measurement(name="spiked/trace/1/x", cycles=2, path="", **counts, **times, **trained)
    unit = Measurement(
        name="woss/default/1/x", cycles=2, path="", **counts, **times, **dict.fromkeys(trained)
    )
    text = bench.markdown(bench.Bench([row, unit], []))
    table = [line.split(" | ") for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1
    assert table[2][-3:-1] == ["33", "44.4"]
    assert table[3][-3:-1] == ["", ""]
    assert "- spiked: q 0.97, k 0.97, v 0.97; trained SpikedAttention networks" in text


@pytest.mark.long
def test_cycles_of_trained_operands():
    """They are simulated where zeros save cycles, beside those of random operands."""
    config = all_cores()["a2os2a"].from_settings({"tokens": 8, "head_dim": 8, "lanes": 8})
    cycles, loading, trained = simulated_cycles(config)
    assert trained < cycles <= loading


def test_row_that_fails(tmp_path, monkeypatch):
    """The remaining rows are not started, and no files are left."""
    begun = []

    def measure(design, *_):
        begun.append(design)
        time.sleep(0.1)  # the first failure is reported before the next
        raise JobError("no such luck")

    monkeypatch.setattr(bench, "measure", measure)
    with pytest.raises(JobError, match="no such luck"):
        bench.run_bench(DESIGNS, tmp_path / "out", jobs=1)
    assert len(begun) < len(DESIGNS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_one_design(tmp_path):
    """Simulate, synthesise, and place with two seeds."""
    design = Design(SSA, BenchRow("sampled", "1x1", "hx8k", SMALL))
    steps = []
    found = bench.run_bench([design], tmp_path / "out", seeds=(1, 2), progress=steps.append)
    (row,) = found.rows
    assert row.name == "ssa/sampled/1x1/hx8k"
    assert len(row.fmax_runs) == 2
    assert row.fmax_mhz == min(row.fmax_runs) > 50
    assert row.us == pytest.approx(row.cycles / row.fmax_mhz, rel=1e-3)
    assert row.cycles < row.cycles_loading < 2 * row.cycles
    assert row.cycles_trained == row.cycles
    assert 100 < row.lut < 1500
    assert row.bram > 0
    assert len(steps) == 1 + 2 + 2

    rows = json.loads((tmp_path / "out/bench.json").read_text())
    assert {"name", "cycles", "lut", "ff", "bram", "fmax_mhz", "us"} <= rows[0].keys()
    assert any("software/numpy" in row["name"] for row in rows)
    table = (tmp_path / "out/bench.md").read_text()
    assert row.name in table
    assert "reported, arXiv 2402.09109" in table
    assert (tmp_path / "out/bench.png").stat().st_size > 10_000


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.NAME)
def test_ports_have_pins_where_they_need_them(family, tmp_path):
    """All ports of a bench, for each device."""
    module = VerilogModule("bench", "", tuple((name, "input", 1) for name in ("clk", "rst", "i")))
    for device in family.DEVICES if family.SOME_PINS else ():
        name = measure._constraints(module, find_part(device.id), tmp_path)
        text = (tmp_path / name).read_text()
        assert [line.split('"')[1] for line in text.splitlines()] == ["clk", "rst", "i"]
        assert len(set(family.SOME_PINS[device.id])) == 4


@pytest.mark.long
@pytest.mark.parametrize("device", ["gw1nr-9c", "gw2ar-18c", "ccgm1a1"])
def test_other_families(device):
    """Place a small core without a board."""
    design = Design(SSA, BenchRow("sampled", "1x1", device, SMALL))
    (report,) = measure.place(design, [1], lambda step: None)
    assert report["fmax_mhz"] > 20


def rows_of(*names):
    return [SimpleNamespace(name=name, lut=1000 + n, us=10.0) for n, name in enumerate(names)]


@pytest.mark.long
def test_picture_of_every_core_on_every_device(tmp_path):
    devices = [device.id for family in FAMILIES.values() for device in family.DEVICES]
    names = [f"{core}/engine/1/{device}" for core in all_cores() for device in devices]
    plot_bench(SimpleNamespace(rows=rows_of(*names)), tmp_path / "bench.png")
    assert picture_rows(tmp_path / "bench.png") == names


def test_texts_of_the_plot_do_not_overlap():
    """Plot the rows of docs/numbers.md: mark numbers, product labels and legend do not overlap."""
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure, table_rows((ROOT / "docs/numbers.md").read_text()))
    figure.draw_without_rendering()
    (ax,) = figure.axes
    texts = [*ax.texts, *ax.get_legend().get_texts(), ax.title, ax.xaxis.label, ax.yaxis.label]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    assert len(boxes) > 25
    page = figure.bbox
    for n, (name, box) in enumerate(boxes):
        assert page.x0 <= box.x0, name
        assert box.x1 <= page.x1, name
        for other, its in boxes[:n]:
            assert not box.overlaps(its), (name, other)


def picture_rows(path):
    """The rows listed in a plot's metadata."""
    with Image.open(path) as picture:
        return picture.text["Description"].split()


def test_picture_has_the_rows_of_the_table():
    rows = [row.name for row in table_rows((ROOT / "docs/numbers.md").read_text())]
    assert picture_rows(ROOT / "docs/images/bench.png") == rows
