"""Fuzzing of the link: sessions of the driver over a line that damages frames.

A wrong output, a refused request and a device that stops answering are failures. A lost session
(after a reset, or eight damaged frames in sequence) is not, if the device answers within two
frames.
"""

import random
from dataclasses import dataclass, field

import numpy as np

from spikeloom.link.frames import FrameDecoder, encode_frame
from spikeloom.link.protocol import Command
from spikeloom_boards.driver import Device, NoAnswerError, SessionLostError

from .ports import FaultyPort

RATE = 0.3  # of frames damaged, either way


@dataclass
class Outcome:
    """Counts of damaged frames by kind, compared runs and lost sessions."""

    damaged: dict = field(default_factory=dict)
    runs: int = 0
    lost: int = 0


class ResettingPort(FaultyPort):
    """Also resets the device in the middle of a frame."""

    KINDS = (*FaultyPort.EITHER_WAY, *FaultyPort.TO_RTL) * 3 + ("reset",)

    def __init__(self, port, seed):
        super().__init__(port, RATE, seed, self.KINDS)

    def reset(self, frame):
        """Send half of the frame, reset the device, send the other half."""
        self._port.write(bytes(frame))
        self._port.let_pass(self._random.randrange(10 * self._port.divisor * len(frame)))
        self._port.reset(1)
        return b""


def fuzz(port, damaged, seed):
    """Damage at least `damaged` frames to and from a simulated device; returns an `Outcome`."""
    rng = random.Random(seed)
    faulty = ResettingPort(port, seed)
    outcome = Outcome(faulty.damaged)
    while sum(faulty.damaged.values()) < damaged:
        recover(port)
        try:
            with Device(faulty) as device:
                while sum(faulty.damaged.values()) < damaged:
                    run_seed = rng.randrange(1, 2**64)
                    generator = np.random.default_rng(run_seed)
                    operands = device.config.random_operands(generator)
                    run = device.run(**operands, seed=run_seed)
                    expected = device.config.with_seed(run_seed).compute(**operands)
                    for name, output in run.outputs.items():
                        assert np.array_equal(output, expected[name]), (
                            f"wrong {name}, seed {run_seed}"
                        )
                    outcome.runs += 1
        except (NoAnswerError, SessionLostError):
            outcome.lost += 1
    return outcome


def recover(port):
    """Check that the device answers at least the second of two intact frames."""
    decoder = FrameDecoder()
    for sequence in (1, 2):
        port.write(encode_frame(bytes([sequence, Command.STATUS, 0])))
        while data := port.read():
            if any(content[0] == sequence for content in decoder.feed(data)):
                return
    raise AssertionError("the device hangs")
