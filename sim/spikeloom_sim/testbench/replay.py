"""The cocotb test of ``spikeloom run``: replay a job's beats and record the output."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.utils import get_sim_time

from .core_bench import CoreBench


def read_beats(streams: dict[str, list]) -> dict[str, list[tuple[int, int]]]:
    """Beats (data, last) of each stream of a job."""
    return {
        name: [(int(data, 16), last) for data, last in beats] for name, beats in streams.items()
    }


@cocotb.test()
async def replay(dut: Any) -> None:
    """Execute the runs of the job file in sequence, without stalls."""
    folder = Path(os.environ["SPIKELOOM_JOB"])
    job = json.loads((folder / "job.json").read_text())
    bench = CoreBench(dut, job["inputs"], job["outputs"], read_beats(job["loads"]))
    await bench.reset()

    results = []
    for run in job["runs"]:
        outcome = await bench.run(
            read_beats(run["beats"]),
            run["seed"],
            timeout=job["timeout"],
            preload=job["preload"],
        )
        flags = {name: int(getattr(dut, name).value) for name in job["flags"]}
        assert not flags.get("misframed"), "the core found `last` where no tensor ends"
        received = {
            name: [[f"{data:x}", last] for data, last in stream]
            for name, stream in outcome.beats.items()
        }
        results.append(
            {
                "beats": received,
                "cycles": outcome.cycles,
                "flags": flags,
                "picoseconds": get_sim_time("ps"),
            }
        )
    (folder / "results.json").write_text(json.dumps(results))
