"""The cocotb test behind ``spikeloom run``: replay a job's beats, write down what comes out."""

import json
import os
from pathlib import Path

import cocotb

from .core_bench import CoreBench


@cocotb.test()
async def replay(dut):
    """Runs of the job file, one after the other, without stalls."""
    folder = Path(os.environ["SPIKELOOM_JOB"])
    job = json.loads((folder / "job.json").read_text())
    bench = CoreBench(dut, job["operands"])
    await bench.reset()

    results = []
    for run in job["runs"]:
        beats = {
            name: [(int(data, 16), last) for data, last in run["beats"][name]]
            for name in job["operands"]
        }
        outcome = await bench.run(
            beats,
            run["seed"],
            job["outputs"],
            timeout=job["timeout"],
            preload=job["preload"],
        )
        assert not int(dut.misframed.value), "the core found `last` where no tensor ends"
        results.append(
            {
                "beats": [[f"{data:x}", last] for data, last in outcome.beats],
                "cycles": outcome.cycles,
                "flags": {name: int(getattr(dut, name).value) for name in job["flags"]},
            }
        )
    (folder / "results.json").write_text(json.dumps(results))
