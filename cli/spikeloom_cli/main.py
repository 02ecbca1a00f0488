"""Entry point: collects the subcommands and turns errors into one line and an exit code."""

import json
import signal
import sys
import warnings

import typer
from rich.console import Console

from spikeloom import __version__
from spikeloom.errors import InputError, JobError

from . import bench, build, demo, doctor, flash, generate, list_, regress, report, run, selftest

INTERRUPTED = 130  # exit code of a program ended by Ctrl-C, as shells have it

app = typer.Typer(
    name="spikeloom",
    help="Spiking-attention hardware: generate, simulate, build, run.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("list")(list_.list_)
app.command("generate")(generate.generate)
app.command("build")(build.build)
app.command("flash")(flash.flash)
app.command("report")(report.report)
app.command("run")(run.run)
app.command("selftest")(selftest.selftest)
app.command("regress")(regress.regress)
app.command("bench")(bench.bench)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)


@app.callback(invoke_without_command=True)
def _version(
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
):
    if version:
        print(__version__)
        raise typer.Exit()


def main(arguments=None):
    """Run the command line; returns its exit code: 0 done, 1 job failed, 2 wrong usage or input."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up as for Ctrl-C
    arguments = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in arguments
    # Amaranth's, of components that an error left unfinished: the error says it all.
    warnings.filterwarnings("ignore", r"<.*> created but never used")
    try:
        code = app(arguments, standalone_mode=False) or 0
        return code if code != INTERRUPTED else _interrupted(as_json)
    except InputError as error:
        return _fail(error, 2, as_json)
    except JobError as error:
        return _fail(error, 1, as_json)
    except typer.Exit as stop:
        return stop.exit_code if stop.exit_code != INTERRUPTED else _interrupted(as_json)
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted(as_json)
    except MemoryError:
        return _fail(
            "the memory of this machine is too small; reduce steps, tokens or heads", 1, as_json
        )
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else error, 2, as_json)
    except Exception as error:
        # Click's own complaints about usage; anything else is a defect and shows itself whole.
        if not hasattr(error, "format_message"):
            raise
        return _fail(error.format_message(), 2, as_json)


def _interrupted(as_json):
    return _fail("interrupted; nothing was written", INTERRUPTED, as_json)


def _fail(message, code, as_json):
    """Report one line on standard error (and as JSON on standard output)."""
    line = " ".join(str(message).split())
    Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(f"spikeloom: {line}")
    if as_json:
        print(json.dumps({"error": line, "exit_code": code}))
    return code


if __name__ == "__main__":
    sys.exit(main())
