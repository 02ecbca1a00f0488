"""Estimates and sweeps of a design space: values, resuming, clusters, the front."""

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

import spikeloom
from spikeloom.errors import InputError, JobError
from spikeloom.families import FAMILIES
from spikeloom.outputs import RECORD, GrowingFolder, check_folder
from spikeloom_boards.explore import fmax_model, synthesis
from spikeloom_boards.explore.front import (
    differing,
    picture,
    smallest_and_fastest,
    to_csv,
    to_json,
    with_front,
)
from spikeloom_boards.explore.point import Point, measure_point
from spikeloom_boards.explore.space import read_over, space
from spikeloom_boards.explore.sweep import sweep
from spikeloom_boards.logic_levels import logic_levels
from spikeloom_boards.report_html import explore_page
from spikeloom_boards.technologies import DEFAULT
from tests.pages import DOCS

from .explore_compute import logged

ICE40, ECP5 = FAMILIES["ice40"], FAMILIES["ecp5"]

ROOT = Path(__file__).parents[2]
SETTINGS = {"tokens": 8, "head_dim": 8}
LANES = {"lanes": ["1", "2", "4", "8"]}


def points_of(over=LANES, device="up5k", **options):
    found, _ = space("a2os2a", [device], SETTINGS, over, technology=DEFAULT, **options)
    return found


def events(log, kind):
    """Keys of the points that began or ended."""
    lines = [line.split() for line in log.read_text().splitlines()]
    return [key for what, key, _ in lines if what == kind]


# The space


def test_space_is_a_product_without_what_the_core_refuses():
    over = read_over(["lanes=1,3", "order = qk, kv"])
    assert over == {"lanes": ["1", "3"], "order": ["qk", "kv"]}
    points, refused = space("a2os2a", ["up5k", "hx8k"], SETTINGS, over, technology=DEFAULT)
    assert [(p.device, p.config.lanes, p.config.order) for p in points] == [
        (device, 1, order) for device in ("up5k", "hx8k") for order in ("qk", "kv")
    ]
    assert len(refused) == 4
    assert "divisor" in refused[0].why
    assert len({point.key for point in points}) == 4
    # The key is of the content: two ways to write a configuration are one point.
    same = points_of({"lanes": ["8", "0x8"]})
    assert len(same) == 1
    assert same[0].key != points_of({"lanes": ["8"]}, place_seeds=(1,))[0].key
    assert same[0].key != points_of({"lanes": ["8"]}, densities={"q": 0.1})[0].key


@pytest.mark.parametrize(
    ("over", "message"),
    [
        (["lanes"], "--over 'lanes' is not of the form KEY=VALUE"),
        (["lanes=1,,2"], "is not of the form"),
        (["=1"], "is not of the form"),
        (["lanes=1", "lanes=2"], "--over lanes is given twice"),
        (["lanes=1,1"], "lists a value twice"),
        (["foo=1"], "--over foo: a2os2a has no such key; keys: tokens"),
        (["lanes=1,x"], "--over lanes: a2os2a: lanes = 'x' is not a whole number"),
        (["order=qk,up"], "--over order: 'up' is not one of auto, qk, kv"),
        (["tokens=1,2"], "tokens is given by --set and by --over"),
        (["lanes=3,5"], "no combination is allowed: a2os2a: lanes = 3"),
        (
            ["k_bits=" + ",".join(map(str, range(200))), "steps=" + ",".join(map(str, range(200)))],
            "spans 40,000 points; at most 10,000",
        ),
    ],
)
def test_bad_spaces(over, message):
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        space("a2os2a", ["up5k"], SETTINGS, read_over(over), technology=DEFAULT)


def test_a_key_of_the_preset_is_named():
    """The user did not give the key with which another one does not go together."""
    message = r"cells must be left out .* \(the preset for ecp5-25f sets engine = sampled\)"
    with pytest.raises(InputError, match=message):
        space("ssa", ["ecp5-25f"], {}, {"cells": ["4"]}, technology=DEFAULT)
    with pytest.raises(InputError, match=r"with engine = sampled$"):
        space("ssa", ["ecp5-25f"], {"engine": "sampled"}, {"cells": ["4"]}, technology=DEFAULT)


def test_sweeps_of_the_page_are_allowed():
    """Every combination of its commands."""
    lines = re.findall(r"spikeloom explore (\S+) (.*)", (DOCS / "explore.md").read_text())
    assert len(lines) == 3
    for core, line in lines:
        given = {
            option: re.findall(rf"--{option} (\S+)", line) for option in ("set", "over", "device")
        }
        settings = dict(one.split("=") for one in given["set"])
        over = read_over(given["over"])
        points, refused = space(
            core, given["device"] or ["up5k"], settings, over, technology=DEFAULT
        )
        assert points
        assert not refused, refused[0].why


def test_unknown_devices():
    with pytest.raises(InputError, match=r"unknown device 'vu9p'; devices: .*up5k"):
        points_of(device="vu9p")


# Keeping results


def test_growing_folder(tmp_path):
    folder = GrowingFolder(tmp_path / "a" / "b", "explore")
    folder.write("points/x.json", "1")
    folder.write("points/x.json", "2")  # replaced
    again = GrowingFolder(tmp_path / "a" / "b", "explore")
    assert (again.read("points/x.json"), again.read("points/y.json")) == ("2", None)
    check_folder(again.path, "explore")
    assert [p.name for p in again.path.iterdir() if p.name.startswith(".")] == [RECORD]
    with pytest.raises(InputError, match="output of `spikeloom explore`"):
        check_folder(again.path, "build")
    (again.path / "mine.json").write_text("mine")
    with pytest.raises(InputError, match="not Spikeloom's"):
        again.write("mine.json", "x")
    assert again.read("mine.json") is None
    (again.path / "points" / "x.json").write_text("changed")
    with pytest.raises(InputError, match="was changed since"):
        GrowingFolder(again.path, "explore")
    other = tmp_path / "other"
    other.mkdir()
    (other / "x").write_text("")
    with pytest.raises(InputError, match="holds other files"):
        GrowingFolder(other, "explore")


def test_a_sweep_goes_on_after_a_break(tmp_path):
    points, log = points_of(), tmp_path / "log"
    seen = []
    with pytest.raises(JobError, match=r"lanes = 4.* yosys failed; the finished points are kept"):
        sweep(
            points,
            GrowingFolder(tmp_path / "out", "explore"),
            jobs=1,
            compute=partial(logged, log=log, fails="lanes = 4"),
        )
    first = events(log, "end")
    assert first == [point.key for point in points[:2]]
    folder = GrowingFolder(tmp_path / "out", "explore")
    records = sweep(
        points,
        folder,
        jobs=1,
        compute=partial(logged, log=log),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert sorted(events(log, "end")) == sorted(point.key for point in points)  # each one once
    assert records.keys() == {point.key for point in points}
    assert seen == [(2, 4), (3, 4), (4, 4)]
    # A finished sweep computes nothing; a damaged record is computed again.
    count = len(events(log, "begin"))
    assert sweep(points, folder, jobs=1, compute=partial(logged, log=log)) == records
    assert len(events(log, "begin")) == count
    folder.write(f"points/{points[0].key}.json", "{")
    assert sweep(points, folder, jobs=1, compute=partial(logged, log=log)) == records
    assert len(events(log, "begin")) == count + 1


@pytest.mark.long
def test_processes_of_this_machine(tmp_path):
    points, log = points_of(), tmp_path / "log"
    folder = GrowingFolder(tmp_path / "out", "explore")
    sweep(points, folder, jobs=2, compute=partial(logged, log=log, seconds=0.2))
    assert sorted(events(log, "end")) == sorted(point.key for point in points)
    pids = {line.split()[2] for line in log.read_text().splitlines()}
    assert str(os.getpid()) not in pids


@pytest.mark.long
def test_a_process_of_this_machine_is_killed(tmp_path):
    """One line says so; the same command goes on with the designs that had arrived."""
    points, log = points_of(), tmp_path / "log"
    folder = GrowingFolder(tmp_path / "out", "explore")
    dying = partial(logged, log=log, dies="lanes = 4")
    with pytest.raises(JobError, match=r"^a worker process died, .* with fewer --jobs$"):
        sweep(points, folder, jobs=2, compute=dying)
    kept = {path.stem for path in (tmp_path / "out" / "points").iterdir()}
    assert kept < {point.key for point in points}
    records = sweep(points, folder, jobs=1, compute=partial(logged, log=log))
    assert records.keys() == {point.key for point in points}
    ended = events(log, "end")
    assert {*ended} == records.keys()
    assert all(ended.count(key) == 1 for key in kept)  # what had arrived is not computed again


# A cluster


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def cluster(tmp_path):
    """Address of a scheduler, and a function that starts a worker: processes of their own."""
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    address = f"tcp://127.0.0.1:{free_port()}"
    houses = [str(ROOT / house) for house in ("", "hdl", "sim", "models", "boards", "cli")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(houses)}
    started = []

    def start(*arguments):
        command = [sys.executable, "-m", "dask", *arguments]
        with (tmp_path / f"{len(started)}.log").open("w") as log:
            process = subprocess.Popen(
                command, env=environment, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT
            )
        started.append(process)
        return process

    port = address.rpartition(":")[2]
    start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
    worker = partial(start, "worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", int(port)), 1).close()
            break
        except OSError:
            time.sleep(0.5)
    yield address, worker
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_worker_of_a_cluster_is_killed(cluster, tmp_path):
    """Nothing is lost, and no point that had ended is computed again."""
    address, worker = cluster
    workers = [worker(), worker()]
    points, log = points_of({"k_bits": list("123456789")}), tmp_path / "log"
    log.touch()

    def inside():
        """Whether the first worker is inside a point, and all that ended have arrived."""
        kept = {path.stem for path in (tmp_path / "out" / "points").glob("*.json")}
        lines = [line.split() for line in log.read_text().splitlines()]
        mine = [word for word, _, pid in lines if int(pid) == workers[0].pid]
        return len(kept) > 1 and mine[-1:] == ["begin"] and kept == set(events(log, "end"))

    def kill_one():
        deadline = time.monotonic() + 120
        while not inside() and time.monotonic() < deadline:
            time.sleep(0.02)
        workers[0].send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    folder = GrowingFolder(tmp_path / "out", "explore")
    records = sweep(
        points, folder, scheduler=address, compute=partial(logged, log=log, seconds=1.0)
    )
    killer.join()
    assert workers[0].wait() == -signal.SIGKILL
    assert records.keys() == {point.key for point in points}
    assert len(list((tmp_path / "out" / "points").iterdir())) == len(points)
    ended = events(log, "end")
    assert sorted(ended) == sorted(point.key for point in points)  # each one once
    begun = events(log, "begin")
    assert len(begun) in (len(points), len(points) + 1)  # the one that died with its worker


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", "127.0.0.1:1", "x"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_scheduler_that_does_not_answer(address, tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    monkeypatch.setattr("spikeloom_boards.explore.sweep.CONNECT_SECONDS", 0.5)
    folder = GrowingFolder(tmp_path / "out", "explore")
    with pytest.raises(InputError, match=f"--scheduler {address}: no dask scheduler answers"):
        sweep(points_of(), folder, scheduler=address)


# The front


def record(name, us, lut, energy=1.0, *, fits=True, accuracy=None, at_once=1):
    return {
        **dict.fromkeys(("ff", "bram", "large_rams", "dsp", "levels"), 0),
        **{"name": name, "device": "up5k", "cycles": 1, "us": us, "lut": lut, "fits": fits},
        **{"energy_uj": energy, "accuracy": accuracy, "technology": DEFAULT, "key": name},
        **{"per_second": us and at_once * 1e6 / us},
        **{"fmax_mhz": us and 50.0, "fmax": us and "estimate", "fmax_error": us and 0.2},
        "config": {"lanes": lut // 100, "tokens": 8},
    }


RECORDS = (
    record("small", 9.0, 100),
    record("fast", 1.0, 900),
    record("worse", 9.0, 200),
    record("frugal", 9.0, 300, 0.1),
    record("too large", 0.1, 9000, fits=False),
    record("unknown", None, 50),
    record("small too", 9.0, 100),
)


def test_front():
    found = {one["name"]: one["front"] for one in with_front(RECORDS)}
    assert found == {
        **dict.fromkeys(("small", "fast", "frugal", "small too"), True),
        **dict.fromkeys(("worse", "too large", "unknown"), False),
    }
    better = (record("a", 2.0, 100, accuracy=0.8), record("b", 2.0, 100, accuracy=0.9))
    assert [one["front"] for one in with_front(better)] == [False, True]
    several = (record("one", 2.0, 100), record("two", 2.0, 200, at_once=2))
    assert all(one["front"] for one in with_front(several))


def test_the_line_of_the_picture_falls():
    """`frugal` is on the front by its energy alone."""
    records = [one for one in with_front(RECORDS) if one["front"]]
    assert "frugal" in {one["name"] for one in records}
    assert smallest_and_fastest(records) == [(100, 9.0), (900, 1.0)]


def test_files_of_a_front():
    records = with_front(RECORDS)
    assert differing(records) == ["lanes"]
    rows = list(csv.DictReader(to_csv(records).splitlines()))
    assert [row["lanes"] for row in rows] == [str(one["lut"] // 100) for one in RECORDS]
    assert rows[0]["front"] == "True"
    document = json.loads(to_json("a2os2a", records, []))
    assert (document["schema"], len(document["points"])) == (1, len(RECORDS))
    svg = picture(records)
    assert svg.startswith("<svg")
    page = explore_page("a2os2a", records, [], svg)
    assert "7 designs, 4 on the front" in page
    assert "does not fit" in page
    assert "DSP" not in page
    with_dsp = [records[0] | {"dsp": 26}, *records[1:]]
    assert '<th class="n">DSP</th>' in explore_page("a2os2a", with_dsp, [], svg)
    assert "+- 20 %" in page
    assert "http" not in page.replace("http://www.w3.org", "").replace("https://matplotlib", "")


# Estimates


def cell(kind, *, parameters=None, **ports):
    """A cell with nets by port; outputs are O, DO, COUT and Q."""
    outputs = ("O", "DO", "COUT", "Q", "DOA", "DOB")
    return {
        "type": kind,
        "parameters": parameters or {},
        "port_directions": {port: "output" if port in outputs else "input" for port in ports},
        "connections": {port: [net] for port, net in ports.items()},
    }


def netlist(**cells):
    return {"modules": {"x": {"attributes": {"top": "1"}, "cells": cells}}}


def test_levels_by_hand():
    flip_flops = {"a": cell("SB_DFF", D=9, Q=1), "b": cell("SB_DFF", D=3, Q=4)}
    luts = {"x": cell("SB_LUT4", I0=1, O=2), "y": cell("SB_LUT4", I0=2, I1=1, O=3)}
    assert logic_levels(netlist(**flip_flops), ICE40) == 0
    assert logic_levels(netlist(**flip_flops, **luts), ICE40) == 2
    carry = {"c": cell("SB_CARRY", CI=2, COUT=5), "d": cell("SB_DFF", D=5, Q=6)}
    assert logic_levels(netlist(**flip_flops, **luts, **carry), ICE40) == 2
    ram = {"r": cell("SB_RAM40_4K", RADDR=4, Q=1), "b": flip_flops["b"]}
    assert logic_levels(netlist(**ram, **luts), ICE40) == pytest.approx(3.3)
    register = cell("TRELLIS_FF", DI=3, Q=4)
    slices = {"x": cell("LUT4", A=1, O=2), "y": cell("LUT4", A=2, B=1, O=3)}
    for mode, levels in (("NOREG", 7), ("OUTREG", 2)):
        block = cell("DP16KD", parameters={"REGMODE_A": mode}, ADA=4, DOA=1)
        assert logic_levels(netlist(r=block, b=register, **slices), ECP5) == levels
        # The other port has no register, but nothing reads it.
        block = cell("DP16KD", parameters={"REGMODE_A": "NOREG", "REGMODE_B": mode}, DOA=8, DOB=1)
        assert logic_levels(netlist(r=block, b=register, **slices), ECP5) == levels
    # A memory of LUTs is read through: its write port is a register.
    small = cell("TRELLIS_DPR16X4", RAD=2, WD=2, DO=7)
    registers = {"a": cell("TRELLIS_FF", DI=9, Q=1), "e": cell("TRELLIS_FF", DI=7, Q=8)}
    found = logic_levels(netlist(**registers, **slices, m=small), ECP5)
    assert found == 2
    with pytest.raises(JobError, match="loop of logic"):
        logic_levels(netlist(p=cell("SB_LUT4", I0=2, O=1), q=cell("SB_LUT4", I0=1, O=2)), ICE40)


def test_calibration():
    """Every row is a row of the bench, and no row is further off than the stated error."""
    from spikeloom_boards.bench.designs import designs

    names = {design.name for design in designs()}
    for row in fmax_model.rows():
        assert row["name"] in names
        device = row["name"].rpartition("/")[2]
        mhz, error = fmax_model.fmax_estimate(device, row["levels"], row["lut"])
        assert abs(row["fmax_mhz"] / mhz - 1) <= error
    assert fmax_model.fmax_estimate("ccgm1a1", 5.0, 900) == (None, None)
    devices = [device.id for family in FAMILIES.values() for device in family.DEVICES]
    assert {fmax_model.class_of(one) for one in devices} >= fmax_model.factors().keys()
    slow, large, fast = (
        fmax_model.fmax_estimate("up5k", *size)[0] for size in ((9, 900), (4, 1800), (4, 900))
    )
    assert slow < fast
    assert large < fast


def test_the_page_has_the_table_of_the_calibration():
    page = (DOCS / "explore.md").read_text()
    (table,) = re.findall(r"<!-- calibration -->\n(.*?)\n<!-- end -->", page, re.S)
    assert table.splitlines() == fmax_model.calibration_table()


def test_a_point_is_synthesised_once(tmp_path, monkeypatch):
    monkeypatch.setattr(synthesis, "cache_folder", lambda: tmp_path)
    core = spikeloom.core("relu_quantiser", values=4, lanes=1, input_bits=6, bits=2, shift=1)
    point = Point(core, "up5k", DEFAULT)
    found = measure_point(point)
    assert 0 < found["lut"] < 100
    assert found["fits"]
    assert found["cycles"] == core.cycles()
    assert found["fmax"] == "estimate"
    assert found["us"] == pytest.approx(found["cycles"] / found["fmax_mhz"], rel=0.01)
    assert found["energy_uj"] > 0
    (cached,) = tmp_path.iterdir()
    monkeypatch.setattr(synthesis, "run_tool", None)  # not called
    assert measure_point(point) == found
    assert measure_point(Point(core, "hx8k", DEFAULT))["lut"] == found["lut"]  # the same family
    cached.write_text("damaged")
    with pytest.raises(TypeError):  # synthesised again
        measure_point(point)
