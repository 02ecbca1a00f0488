"""What a training or a tuning reports after each step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Progress:
    """The step, and the time that is left."""

    epoch: int
    step: int
    steps: int
    loss: float
    seconds_left: float


@dataclass
class TrainingProgress(Progress):
    """The same, and what a training alone measures."""

    accuracy: float
    cycles: float
