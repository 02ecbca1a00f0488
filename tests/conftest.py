"""Shared fixtures: available simulators, and small configurations."""

import os
import sys
from pathlib import Path

import pytest

from spikeloom_sim.simulators import SIMULATORS

from . import parts, proofs

# Find the tools of this Python's environment even if it is not activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def pytest_addoption(parser):
    parser.addoption(
        "--no-skips", action="store_true", help="A skipped test has failed: all tools are there."
    )
    parser.addoption(
        "--slice", metavar="K/N", help="Of the selected tests, only every Nth, from number K on."
    )
    parser.addoption(
        "--configurations", type=int, metavar="N", help="Of tests/random: N random configurations."
    )
    parser.addoption(
        "--first", type=int, default=0, metavar="K", help="The number of the first configuration."
    )
    parser.addoption(
        "--frames",
        type=int,
        default=120_000,
        metavar="N",
        help="Damaged frames of the soak.",
    )
    parser.addoption(
        "--done",
        metavar="FILE",
        help="Note passed tests in FILE; skip those noted before.",
    )
    parser.addoption(
        "--proofs", metavar="FILE", help="Write what tests/formal proved to FILE, as a table."
    )


def pytest_configure(config):
    parts.register(config)
    if config.getoption("--proofs") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(proofs.Proofs(config.getoption("--proofs")))
    if config.getoption("--done") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(parts.Passed(config.getoption("--done")))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Markers before `-m` selects by them; of what it leaves, what `--slice` and `--done` want."""
    parts.mark(items)
    yield
    if config.getoption("--slice"):
        first, count = map(int, config.getoption("--slice").split("/"))
        keep(config, items, items[first % count :: count])
    if config.getoption("--done"):
        passed = parts.Passed(config.getoption("--done")).names()
        keep(config, items, [item for item in items if item.nodeid not in passed])


def keep(config, items, kept):
    """Deselect all `items` but `kept`."""
    config.hook.pytest_deselected(items=[item for item in items if item not in {*kept}])
    items[:] = kept


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = yield
    return _without_skip(report, item.config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(collector):
    report = yield
    return _without_skip(report, collector.config)


def _without_skip(report, config):
    if report.skipped and not hasattr(report, "wasxfail") and config.getoption("--no-skips"):
        _, _, reason = report.longrepr
        report.outcome, report.longrepr = "failed", f"--no-skips: {reason}"
    return report


@pytest.fixture
def icarus():
    """Icarus, for designs that Verilator compiles too slowly; skipped if not installed."""
    if not SIMULATORS["icarus"].available():
        pytest.skip("icarus is not installed")
    return "icarus"


@pytest.fixture(params=sorted(SIMULATORS))
def simulator(request):
    """Each simulator; skipped if not installed."""
    if not SIMULATORS[request.param].available():
        pytest.skip(f"{request.param} is not installed")
    return request.param
