"""A RISC-V program in a LiteX SoC: it runs an attention and a network, and compares."""

import json
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from spikeloom.tools import locate

from ..commands import run_command
from .test_litex import FIRST, write_designs

COMPILER = shutil.which("riscv64-unknown-elf-gcc")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(find_spec("litex") is None, reason="litex is not installed"),
    pytest.mark.skipif(
        find_spec("pythondata_cpu_picorv32") is None,
        reason="pythondata-cpu-picorv32 is not installed",
    ),
    pytest.mark.skipif(
        COMPILER is None, reason="no compiler: apt-get install gcc-riscv64-unknown-elf"
    ),
]
HERE = Path(__file__).parent


def array(name, rows):
    """Tensors in C, one of bytes for each row, at whole words."""
    values = ", ".join("{" + ", ".join(map(str, row)) + "}" for row in rows)
    size = len(rows[0])
    return (
        f"#define {name.upper()}_BYTES {size}\n"
        f"static const uint8_t {name}[{len(rows)}][{-(-size // 4) * 4}]"
        f" __attribute__((aligned(4))) = {{{values}}};\n"
    )


def in_memory(stream, beats):
    """The bytes of a tensor; a beat takes a power of two of them."""
    size = 1 << (stream["tdata_bits"] // 8 - 1).bit_length()
    return b"".join(word.to_bytes(size, "little") for word, _ in beats)


def vectors(job):
    """Operands of every run, and the results of the golden model, as a C header."""
    text = [f"#define RUNS {len(job['designs'][0]['runs'])}\n"]
    for design in job["designs"]:
        for stream in design["streams"]:
            name = f"{design['name']}_{stream['name']}"
            if stream["once"]:
                text.append(array(name, [in_memory(stream, design["loads"][stream["name"]])]))
                continue
            kind = "inputs" if stream["direction"] == "input" else "outputs"
            tensors = [in_memory(stream, run[kind][stream["name"]]) for run in design["runs"]]
            text.append(array(name + ("_expected" if kind == "outputs" else ""), tensors))
        seeds = [run["seed"] for run in design["runs"]]
        if None not in seeds:
            values = ", ".join(map(str, seeds))
            text.append(f"static const uint64_t {design['name']}_seeds[] = {{{values}}};\n")
    return "#include <stdint.h>\n" + "".join(text)


@pytest.mark.parametrize("wrong", [False, True])
def test_program(wrong, tmp_path):
    """The results are those of the golden model; the program notices one that is not."""
    if locate("iverilog") is None:
        pytest.skip("iverilog is not installed")
    job, pairs = write_designs(FIRST, tmp_path)
    if wrong:
        beats = job["designs"][1]["runs"][2]["outputs"]["logits"]
        beats[-1] = (beats[-1][0] ^ 1, beats[-1][1])
    (tmp_path / "vectors.h").write_text(vectors(job))
    script = HERE / "riscv_soc.py"
    done = run_command([sys.executable, "-W", "ignore", script, tmp_path, COMPILER, *pairs], HERE)
    assert done.returncode == 0, done.stdout[-3000:]
    sources = json.loads((tmp_path / "soc.json").read_text())["sources"]
    icarus = [locate("iverilog"), "-g2005", "-s", "bench", "-o", "bench.vvp"]
    files = [HERE / "riscv" / "bench.v", "soc.v", *sources]
    done = run_command([*icarus, *files], tmp_path)
    assert done.returncode == 0, done.stdout[-3000:]
    done = run_command(["vvp", "-n", "bench.vvp"], tmp_path)
    assert f"verdict {2 if wrong else 1} " in done.stdout, done.stdout[-3000:]
