"""Write a generated core and, for a board, its self-test and constraints."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.export.files import Options, core_files, manifest_text, write_files
from spikeloom.export.verilog import component_to_verilog, without_large_ram
from spikeloom.outputs import output_folder

from .constraints import constraints_name, constraints_text
from .raw_top import RawTop
from .self_test import make_self_test

if TYPE_CHECKING:
    from spikeloom.contract import Core

    from .boards.board import Board


def generate_files(
    config: Core,
    folder: Path,
    board: Board | None = None,
    progress: Callable[[str], None] = lambda step: None,
    options: Options = Options(),  # noqa: B008
) -> dict[str, Any]:
    """Write the files of `config` to `folder`, which stays as it was on failure.

    With a `board`, also writes a top module with the self-test at the board's own clock, and the
    constraints of its ports. It is called ``selftest``, or ``NAME_selftest``.

    Returns the manifest, with the names of all `files`.
    """
    with output_folder(folder, "generate") as staging:
        progress("Verilog")
        large = board is not None and board.device.large_rams > 0
        files = core_files(config, replace(options, large_ram=large))
        if board is not None:
            progress("self-test")
            top = RawTop(board, make_self_test(config))
            selftest = f"{options.name}_selftest" if options.name else "selftest"
            text = component_to_verilog(top, selftest, board.family).text
            files[f"{selftest}.v"] = text if large else without_large_ram(text)
            files[constraints_name(board)] = constraints_text(board)

        manifest = json.loads(files["manifest.json"])
        manifest["board"] = board.id if board else None
        manifest["files"] = sorted(files)
        files["manifest.json"] = manifest_text(manifest)
        write_files(staging, files)
    return manifest
