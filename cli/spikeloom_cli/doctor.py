"""`spikeloom doctor`: find what is missing on this machine and how to fix it."""

import typer

from spikeloom_boards.doctor import examine

from .options import Json, console, print_json


def doctor(json: Json = False) -> None:
    """Check tools, plugged-in boards and permissions; exit code 1 if a needed tool is missing."""
    findings = examine()
    healthy = all(finding.found or finding.optional for finding in findings)
    if json:
        print_json([finding.as_dict() for finding in findings])
    else:
        out = console()
        for finding in findings:
            mark = "ok" if finding.found else ("--" if finding.optional else "MISSING")
            fix = "" if finding.found else f"  {finding.fix}"
            out.print(f"{mark:8}{finding.name:16}{finding.purpose}{fix}", markup=False)
        out.print("all required tools are present" if healthy else "required tools are missing")
    raise typer.Exit(0 if healthy else 1)
