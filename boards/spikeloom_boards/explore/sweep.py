"""Runs the points of a space on this machine or on a cluster, and keeps every result at once."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from spikeloom.errors import InputError, JobError
from spikeloom.outputs import GrowingFolder

from .point import Point, measure_point

COMMAND = "explore"
RETRIES = 3  # of a point whose worker died
CONNECT_SECONDS = 10

Compute = Callable[[Point], dict[str, Any]]
Results = Iterator[tuple[Point, dict[str, Any]]]


def sweep(
    points: Sequence[Point],
    folder: GrowingFolder,
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
    compute: Compute = measure_point,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, dict[str, Any]]:
    """The record of each point, by its key.

    Records are kept in `folder` by the key of their point as soon as they arrive; those that are
    there are not computed again. `scheduler` is the address of a dask scheduler; without it, `jobs`
    processes of this machine compute (default: one per processor).

    Raises `InputError` if the scheduler does not answer, `JobError` if a point fails.
    """
    records = {point.key: found for point in points if (found := _kept(folder, point))}
    progress(len(records), len(points))
    left = [point for point in points if point.key not in records]
    if not left:
        return records
    arriving = _on_cluster(scheduler, left, compute) if scheduler else _here(jobs, left, compute)
    for point, record in arriving:
        if "error" in record:
            raise JobError(f"{point.name}: {record['error']}; the finished points are kept")
        folder.write(_file(point), json.dumps(record, indent=2) + "\n")
        records[point.key] = record
        progress(len(records), len(points))
    return records


def _file(point: Point) -> str:
    return f"points/{point.key}.json"


def _kept(folder: GrowingFolder, point: Point) -> dict[str, Any] | None:
    """The record of a point from an earlier run; None if there is none or it is damaged."""
    text = folder.read(_file(point))
    try:
        record = json.loads(text) if text else {}
    except ValueError:
        return None
    return record if record.get("key") == point.key else None


def _computed(compute: Compute, point: Point) -> dict[str, Any]:
    """A record, or one with the text of the error of a tool."""
    try:
        return compute(point)
    except (InputError, JobError) as error:
        return {"error": str(error)}


def _here(jobs: int | None, points: Sequence[Point], compute: Compute) -> Results:
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    def one(n: int) -> tuple[int, dict[str, Any]]:
        return n, _computed(compute, points[n])

    parallel: Any = Parallel(jobs or -1, return_as="generator_unordered")  # joblib has no types
    try:
        for n, record in parallel(delayed(one)(n) for n in range(len(points))):
            yield points[n], record
    except BrokenProcessPool:
        raise JobError(
            "a worker process died, perhaps for lack of memory; the finished points are kept: run "
            "the same command again, with fewer --jobs"
        ) from None


def _on_cluster(address: str, points: Sequence[Point], compute: Compute) -> Results:
    try:
        from distributed import Client, as_completed
        from distributed.comm.addressing import get_address_host_port
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise JobError(
            'distributed is missing; install it with: pip install "spikeloom[cluster]"'
        ) from None
    try:
        # A client that finds nobody complains once more when it is deleted.
        socket.create_connection(get_address_host_port(address), CONNECT_SECONDS).close()
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"--scheduler {address}: no dask scheduler answers there ({why[:120]})"
        ) from None
    with client:
        # The key of a point is that of its task: the scheduler computes it once, and again only if
        # its worker dies before the record has arrived here.
        by_key: Mapping[Any, Point] = {
            client.submit(
                _computed, compute, point, key=f"spikeloom-{point.key}", retries=RETRIES
            ): point
            for point in points
        }
        try:
            for future, record in as_completed(by_key, loop=client.loop, with_results=True):
                yield by_key[future], record
                future.release()
        except KilledWorker as error:
            raise JobError(
                f"the workers of {address} died several times at one point "
                f"({' '.join(str(error).split())[:120]}); the finished points are kept"
            ) from None
