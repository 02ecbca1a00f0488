"""Ports for tests: one records the traffic, one damages it."""

import random

from spikeloom.link.frames import ESCAPE, FLAG


class KeptPort:
    """A `port` that ignores close."""

    def __init__(self, port):
        self._port = port

    def __getattr__(self, name):
        return getattr(self._port, name)

    def close(self):
        """Left to whoever made the port."""


class RecordingPort:
    """Forwards all bytes to `port` and records them in order."""

    def __init__(self, port):
        self._port = port
        self.transcript = []

    def __getattr__(self, name):
        return getattr(self._port, name)

    def write(self, data):
        self._note(">", data)
        self._port.write(data)

    def read(self):
        data = self._port.read()
        self._note("<", data)
        return data

    def _note(self, way, data):
        """Bytes of one direction are one entry, however they were cut up."""
        if self.transcript and self.transcript[-1][0] == way:
            data = self.transcript.pop()[1] + data
        self.transcript.append((way, bytes(data)))


class FaultyPort:
    """Damages frames to and from `port`.

    Parameters
    ----------
    rate : share of frames damaged, either way.
    seed : of the damage.
    kinds : names of methods below to choose from.

    Members
    -------
    damaged : number of frames damaged so far, by kind.
    """

    EITHER_WAY = ("flip", "burst", "drop", "insert", "truncate", "double_byte", "lose", "double")
    TO_RTL = ("fast", "slow")  # for ports whose `write` takes a period

    def __init__(self, port, rate, seed, kinds=EITHER_WAY):
        self._port = port
        self._rate = rate
        self._random = random.Random(seed)
        self._kinds = kinds
        self.damaged = dict.fromkeys(kinds, 0)

    def __getattr__(self, name):
        return getattr(self._port, name)

    def close(self):
        """Leave the port open for the next device."""

    def write(self, frame):
        if self._random.random() >= self._rate:
            return self._port.write(frame)
        kind = self._choose(self._kinds)
        if kind in self.TO_RTL:
            off = self._random.uniform(0, 0.03) * (1 if kind == "slow" else -1)
            return self._port.write(frame, self._port.divisor * (1 + off))
        return self._port.write(getattr(self, kind)(bytearray(frame)))

    def read(self):
        data = self._port.read()
        # An opening flag alone is no frame to damage.
        if len(data) < 2 or self._random.random() >= self._rate:
            return data
        kind = self._choose([kind for kind in self._kinds if kind in self.EITHER_WAY])
        return bytes(getattr(self, kind)(bytearray(data)))

    def _choose(self, kinds):
        kind = self._random.choice(kinds)
        self.damaged[kind] += 1
        return kind

    def _place(self, frame):
        return self._random.randrange(len(frame))

    def flip(self, frame):
        for _ in range(self._random.randint(1, 3)):
            frame[self._place(frame)] ^= 1 << self._random.randrange(8)
        return frame

    def burst(self, frame):
        place = self._place(frame)
        frame[place : place + 4] = self._random.randbytes(len(frame[place : place + 4]))
        return frame

    def drop(self, frame):
        del frame[self._place(frame)]
        return frame

    def insert(self, frame):
        byte = self._random.choice((FLAG, ESCAPE, self._random.randrange(256)))
        frame.insert(self._place(frame), byte)
        return frame

    def truncate(self, frame):
        return frame[: self._place(frame)]

    def double_byte(self, frame):
        place = self._place(frame)
        frame.insert(place, frame[place])
        return frame

    def lose(self, frame):
        return b""

    def double(self, frame):
        return frame + frame
