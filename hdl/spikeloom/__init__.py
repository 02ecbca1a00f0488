"""Spikeloom: an open generator of spiking-attention hardware.

    import spikeloom
    core = spikeloom.core("a2os2a", tokens=64, head_dim=64, k_bits=1)
    run = spikeloom.run(core, q=q, k=k, v=v, axes="TBHND")
    run.outputs["o"], run.cycles

Importing the package is cheap: NumPy comes with the first name that needs it, Amaranth with the
first component.
"""

from importlib import import_module

__version__ = "0.2.0"

_PUBLIC = {
    "core": "api",
    "load": "api",
    "run": "api",
    "all_cores": "cores",
    "Backend": "backend",
    "Run": "backend",
    "BenchRow": "contract",
    "Core": "contract",
    "Preset": "contract",
    "Accesses": "work",
    "Operations": "work",
    "Work": "work",
    "choice": "configuration",
    "integer": "configuration",
    "integers": "configuration",
    "number": "configuration",
    "InputError": "errors",
    "JobError": "errors",
    "Bit": "item",
    "Item": "item",
    "PhaseCode": "item",
    "Probability": "item",
    "SInt": "item",
    "Ternary": "item",
    "UInt": "item",
    "Flag": "port",
    "Port": "port",
    "Composition": "composition",
    "StreamUnit": "stream_unit",
}
# Checkers read names, not dictionaries; the names are those of `_PUBLIC`.
__all__ = ["__version__", *_PUBLIC]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
