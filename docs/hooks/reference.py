"""Hook of the site: the reference, written from the cores and commands themselves."""

import inspect
from dataclasses import MISSING
from importlib.resources import files
from textwrap import dedent

import typer.main
from mkdocs.structure.files import File

import spikeloom
from spikeloom.cores import all_cores, find_core
from spikeloom.networks.finding import network_names
from spikeloom.stream_unit import StreamUnit
from spikeloom_cli.main import app


def table(header, rows):
    """A Markdown table; a bar inside a cell is no border."""
    lines = [header, ["---"] * len(header), *rows]
    cells = ([str(cell).replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"


def key_row(name, key):
    """Name, type, range, default and meaning of a key."""
    meta = key.metadata
    if "choices" in meta:
        kind, allowed = "word", ", ".join(f"`{word}`" for word in meta["choices"])
    else:
        kind = "number" if isinstance(meta["low"], float) else "whole number"
        kind += ", or a list" if meta.get("list") else ""
        allowed = f"{'above ' if meta.get('low_open') else ''}{meta['low']} to {meta['high']}"
    default = "required" if key.default is MISSING else key.default
    default = "derived" if default is None else f"`{default}`" if default != "required" else default
    return f"`{name}`", kind, allowed, default, meta["help"]


def port_rows(core):
    """Name, direction, axes, shape, element, width and beats of each stream."""
    return [
        (
            f"`{name}`",
            way,
            " ".join(port.axes) or "one element",
            " x ".join(map(str, port.shape)) or "1",
            f"`{type(port.item).__name__}`",
            f"{port.bits} bits",
            port.beats,
        )
        for way, ports in (("in", core.inputs), ("out", core.outputs))
        for name, port in ports.items()
    ]


def core_section(name, level="#"):
    """The reference of a core: keys, ports, flags and cycles in its first configuration."""
    core = find_core(name)
    case, settings = next(iter(core.CASES.items())) if core.CASES else ("default", {})
    one = core.from_settings(settings)
    formula, _, explained = one.cycle_formula().partition("; ")
    keys = " ".join(f"{key}={value}" for key, value in settings.items())
    flags = [(f"`{flag}`", spec.bits, spec.meaning) for flag, spec in one.flags.items()]
    streams = ("stream", "way", "axes", "shape", "element", "beat", "beats")
    parts = [
        f"{level} `{name}`\n\n{core.SUMMARY}\n",
        f"Source: {core.SOURCE}.\n" if core.SOURCE else "",
        f"{level}# Keys of `{name}`\n",
        table(
            ("key", "type", "range", "default", "meaning"),
            [key_row(*key) for key in core.keys().items()],
        ),
        f"{level}# Ports of `{name}`\n",
        f"Besides `clk` and `rst`: `start`, `busy`, `done`{', `seed`' if one.takes_seed else ''}"
        f", the flags, and these streams, here for the configuration `{case}`"
        f"{f' (`{keys}`)' if keys else ''}.\n",
        table(streams, port_rows(one)),
        table(("flag", "bits", "meaning"), flags),
        f"{level}# Cycles of `{name}`\n",
        f"From `start` to the last output beat, in that configuration: {one.cycles():,}"
        f"{' at most, as zeros save cycles' if core.CYCLES_FOLLOW_DATA else ''}.\n",
        f"    {formula}\n" if formula != str(one.cycles()) else "",
        f"With {explained}.\n" if explained else "",
        f"Views of the output: {', '.join(f'`{view}`' for view in core.VIEWS)}.\n",
    ]
    return "\n".join(part for part in parts if part)


def command_section(name, command):
    """A command: what it does, its arguments and options."""
    with command.make_context(name, [], resilient_parsing=True) as context:
        records = [one.get_help_record(context) for one in command.get_params(context)]
    rows = [(f"`{' '.join(record[0].split())}`", record[1]) for record in records if record]
    help_ = dedent(command.help or "").strip()
    return f"## `spikeloom {name}`\n\n{help_}\n\n{table(('argument or option', 'meaning'), rows)}"


def commands():
    """The page of all commands."""
    found = typer.main.get_command(app).commands
    head = "# Commands and options\n\nEvery command and what it takes. [Command line](../cli.md) "
    head += "explains operands, keys, outputs and exit codes.\n"
    return "\n".join([head, *(command_section(*one) for one in found.items())])


def python():
    """The page of the public functions of `spikeloom`."""
    parts = ["# Python\n\nThe functions of the package; [examples](../python.md).\n"]
    for name in spikeloom.__all__:
        value = getattr(spikeloom, name)
        if callable(value):
            doc = inspect.getdoc(value) or ""
            arguments = inspect.signature(value) if inspect.isfunction(value) else ""
            signature = f"spikeloom.{name}{arguments}"
            parts.append(f"## `spikeloom.{name}`\n\n```text\n{signature}\n\n{doc}\n```\n")
    return "\n".join(parts)


def card(name):
    """The card of a shipped network, as a section."""
    text = files("spikeloom_models.networks").joinpath(f"{name}.md").read_text()
    return "\n" + "".join(
        f"#{line}" if line.startswith("#") else line for line in text.splitlines(True)
    )


def reference():
    """Text of each page by its name."""
    cores = {name: issubclass(core, StreamUnit) for name, core in all_cores().items()}
    units = [core_section(name, "##") for name, unit in cores.items() if unit]
    pages = {name: core_section(name) for name, unit in cores.items() if not unit}
    head = "# Units\n\n[Units](../units.md) explains them.\n"
    pages |= {"commands": commands(), "python": python(), "units": "\n".join([head, *units])}
    pages["networks"] = "\n".join(["# Shipped networks\n", *map(card, network_names())])
    return {f"reference/{name}.md": text for name, text in pages.items()}


def on_files(files, config):
    """Add the pages of the reference."""
    for name, text in reference().items():
        files.append(File.generated(config, name, content=text))
    return files
