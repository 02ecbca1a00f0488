"""Damage in bulk: sessions of the real driver over a line that spoils frames.

A wrong output, a refused request and a device that does not come back are failures. A session that
is lost (to a reset, or to bad luck eight times in a row) is not, as long as two frames later the
device is there.
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
    """What happened: frames damaged by kind, runs compared, sessions that the driver gave up."""

    damaged: dict = field(default_factory=dict)
    runs: int = 0
    lost: int = 0


class ResettingPort(FaultyPort):
    """Resets the device, too, in the middle of a frame."""

    KINDS = (*FaultyPort.EITHER_WAY, *FaultyPort.TO_RTL) * 3 + ("reset",)

    def __init__(self, port, seed):
        super().__init__(port, RATE, seed, self.KINDS)

    def reset(self, frame):
        """Half of the frame, reset, the other half."""
        self._port.write(bytes(frame))
        self._port.let_pass(self._random.randrange(10 * self._port.divisor * len(frame)))
        self._port.reset(1)
        return b""


def fuzz(port, damaged, seed):
    """Damage at least so many frames to and from a simulated device; returns an `Outcome`."""
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
                    expected = device.config.with_seed(run_seed).compute(**operands)["o"]
                    assert np.array_equal(run.outputs["o"], expected), (
                        f"wrong output, seed {run_seed}"
                    )
                    outcome.runs += 1
        except (NoAnswerError, SessionLostError):
            outcome.lost += 1
    return outcome


def recover(port):
    """The device answers the second of two whole frames at the latest, whatever was before."""
    decoder = FrameDecoder()
    for sequence in (1, 2):
        port.write(encode_frame(bytes([sequence, Command.STATUS, 0])))
        while data := port.read():
            if any(content[0] == sequence for content in decoder.feed(data)):
                return
    raise AssertionError("the device hangs")
