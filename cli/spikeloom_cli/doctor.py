"""`spikeloom doctor`: what is missing on this machine, and the exact fix."""

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
        out.print("everything needed is there" if healthy else "not everything needed is there")
    raise typer.Exit(0 if healthy else 1)
