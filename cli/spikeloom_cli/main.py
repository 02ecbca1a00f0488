"""Entry point: collects the subcommands and turns errors into one line and an exit code."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import suppress

import typer
from rich.console import Console

from spikeloom import __version__
from spikeloom.errors import InputError, InterruptionError, JobError

from . import (
    bench,
    build,
    coverage,
    demo,
    doctor,
    estimate,
    evaluate,
    explore,
    flash,
    generate,
    import_,
    list_,
    mutants,
    regress,
    report,
    run,
    selftest,
    train,
    tune,
)

NO_FAULT_OF_THE_INPUT = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.ENOMEM)
INTERRUPTED = 130  # exit code that shells use after Ctrl-C

app = typer.Typer(
    name="spikeloom",
    help="Spiking-attention hardware: generate, simulate, build, run.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
COMMANDS = {
    "list": list_.list_,
    "generate": generate.generate,
    "build": build.build,
    "flash": flash.flash,
    "report": report.report,
    "run": run.run,
    "evaluate": evaluate.evaluate,
    "estimate": estimate.estimate,
    "explore": explore.explore,
    "selftest": selftest.selftest,
    "regress": regress.regress,
    "mutants": mutants.mutants,
    "coverage": coverage.coverage,
    "bench": bench.bench,
    "demo": demo.demo,
    "train": train.train,
    "tune": tune.tune,
    "import": import_.import_,
    "doctor": doctor.doctor,
}
for _name, _function in COMMANDS.items():
    # The whole first line; by default the command list truncates it.
    app.command(_name, short_help=_function.__doc__.splitlines()[0])(_function)


@app.callback(invoke_without_command=True)
def _begin(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
):
    if version:
        print(__version__)
        raise typer.Exit()
    if context.invoked_subcommand is None:
        print(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns its exit code: 0 done, 1 job failed, 2 wrong usage or input."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up as for Ctrl-C
    arguments = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in arguments
    # Amaranth warns about components left unused after an error; the error is enough.
    warnings.filterwarnings("ignore", r"<.*> created but never used")
    try:
        code = app(arguments, prog_name=app.info.name, standalone_mode=False) or 0
        sys.stdout.flush()
        return code if code != INTERRUPTED else _interrupted(as_json)
    except InputError as error:
        return _fail(error, 2, as_json)
    except InterruptionError as error:
        return _fail(error, INTERRUPTED, as_json)
    except JobError as error:
        return _fail(error, 1, as_json)
    except typer.Exit as stop:
        return stop.exit_code if stop.exit_code != INTERRUPTED else _interrupted(as_json)
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted(as_json)
    except BrokenPipeError:  # the reader closed the pipe, such as `head`
        _silence(sys.stdout)
        return 1
    except MemoryError:
        return _fail("not enough memory; reduce steps, tokens or heads", 1, as_json)
    except OSError as error:
        code = 1 if error.errno in NO_FAULT_OF_THE_INPUT else 2
        return _fail(_os_message(error), code, as_json)
    except Exception as error:
        # Usage errors from Click; anything else is a defect and keeps its traceback.
        complaint = getattr(error, "format_message", None)
        if complaint is None:
            raise
        return _fail(complaint(), 2, as_json)


def _os_message(error):
    """Message for an error of the operating system."""
    if error.filename:
        return f"{error.filename}: {error.strerror}"
    if error.errno == errno.ENOSPC:
        return (
            f"{error.strerror}: free space in the output folder and in {tempfile.gettempdir()} "
            "(or set TMPDIR to another folder)"
        )
    return error


def _silence(stream):
    """Discard the buffer of `stream`, which Python would try to write at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _interrupted(as_json):
    return _fail("interrupted; nothing was written", INTERRUPTED, as_json)


def _fail(message, code, as_json):
    """Report one line on standard error (and as JSON on standard output)."""
    line = " ".join(str(message).split())
    Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(f"spikeloom: {line}")
    try:
        if as_json:
            print(json.dumps({"error": line, "exit_code": code}))
        sys.stdout.flush()
    except OSError:
        _silence(sys.stdout)
    return code


if __name__ == "__main__":
    sys.exit(main())
