"""The demos: each subfolder is a demo of that name and defines a `DEMO`."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from spikeloom.errors import unknown

if TYPE_CHECKING:
    from .result import DemoResult


@dataclass(frozen=True)
class Demo:
    """A demo: ``run(folder, progress)`` writes its files to `folder`, which stays as it was on
    failure, and calls `progress` with the name of each of its `steps` when it begins."""

    run: Callable[[Path, Callable[[str], None]], DemoResult]
    steps: int


def demo_names() -> list[str]:
    """Names of all demos."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


def find_demo(name: str) -> Demo:
    """The demo called `name`. Raises `InputError` that suggests one or lists them all."""
    if name not in demo_names():
        raise unknown("demo", name, demo_names())
    return import_module(f"{__name__}.{name}").DEMO
