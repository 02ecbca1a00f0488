"""A serial port as a pseudo-terminal: sessions and errors."""

import errno
import os
import stat
import tempfile
import termios
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from spikeloom.cores.ssa import SSA
from spikeloom_boards.driver import Device, PortError
from spikeloom_boards.driver.golden_port import GoldenPort
from spikeloom_boards.driver.serial_port import SerialPort
from spikeloom_boards.usb import serial_group

pty = pytest.importorskip("pty", reason="no pseudo-terminals on this system")

SMALL = SSA(tokens=2, head_dim=4, steps=1)
OPERANDS = SMALL.random_operands(np.random.default_rng(0))


class Board:
    """A golden device behind a pseudo-terminal that is unplugged after `bytes_left` bytes in both
    directions.

    Members
    -------
    name : of the port. count : bytes transferred so far.
    """

    def __init__(self, bytes_left=10**9):
        self._left = bytes_left
        self.count = 0
        self._master, self._slave = pty.openpty()
        self.name = os.ttyname(self._slave)
        self._server = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_):
        with suppress(OSError):
            os.close(self._slave)
        self._server.join(10)
        assert not self._server.is_alive()

    def _serve(self):
        peer = GoldenPort(SMALL)
        with suppress(OSError):  # the host has closed the port, and it is not open elsewhere
            while self._left:
                byte = os.read(self._master, 1)
                self._pass()
                peer.write(byte)
                answer = peer.read()[: self._left]
                os.write(self._master, answer)
                self._pass(len(answer))
        os.close(self._master)

    def _pass(self, count=1):
        self._left -= count
        self.count += count


def session(name):
    """Open the device at a port and run once."""
    with Device(name, SMALL) as device:
        return device.run(**OPERANDS, seed=3)


def test_session():
    with Board() as board:
        run = session(board.name)
    expected = SMALL.with_seed(3).compute(**OPERANDS)["o"]
    assert np.array_equal(run.outputs["o"], expected)
    assert run.flags == {"misframed": 0}


def test_unplugged_after_every_byte():
    """Each ends in a `PortError` that names the port, whichever call fails."""
    with Board() as board:
        session(board.name)
    whole = board.count
    assert whole > 500
    for left in range(whole):
        with Board(left) as board, pytest.raises(PortError, match=f"^{board.name}: "):
            session(board.name)


@pytest.mark.parametrize("left", [0, 1, 5, 15, 300])
def test_unplugged_under_the_command(left, capsys):
    from spikeloom_cli.main import main

    with Board(left) as board:
        assert main(["selftest", "--port", board.name]) == 1
    message = capsys.readouterr().err
    assert message.startswith(f"spikeloom: {board.name}: ")
    assert message.count("\n") == 1


@pytest.mark.parametrize("error", [OSError(errno.EIO, "boom"), termios.error(errno.EIO, "boom")])
@pytest.mark.parametrize("call", ["write", "flush", "read", "in_waiting", "reset_input_buffer"])
def test_errors_of_the_system(call, error, monkeypatch):
    """Any error, raised from any call."""

    def fail(*_):
        raise error

    replacement = property(fail) if call == "in_waiting" else fail
    with Board() as board:
        monkeypatch.setattr(f"serial.Serial.{call}", replacement)
        with pytest.raises(PortError, match=f"^{board.name}: .*{os.strerror(errno.EIO)}"):
            session(board.name)


@pytest.mark.parametrize("error", [OSError(errno.EIO, "boom"), termios.error(errno.EIO, "boom")])
def test_close_of_a_port_that_is_gone(error, monkeypatch):
    with Board() as board:
        port = SerialPort(board.name, 1_000_000, 0.25)
        real = port._serial.close

        def fail():
            real()
            raise error

        monkeypatch.setattr(port._serial, "close", fail)
        port.close()


def test_a_port_that_takes_no_bytes(monkeypatch):
    """The other end does not read: no hang."""
    monkeypatch.setattr("spikeloom_boards.driver.serial_port.PATIENCE", 0.2)
    master, slave = pty.openpty()
    try:
        port = SerialPort(os.ttyname(slave), 1_000_000, 0.25)
        with pytest.raises(PortError, match="the port accepts no more bytes"):
            port.write(bytes(1_000_000))
        termios.tcflush(slave, termios.TCIOFLUSH)
        port.close()
    finally:
        os.close(slave)
        os.close(master)


def test_second_host_is_refused():
    with Board() as board, Device(board.name, SMALL) as device:
        with pytest.raises(PortError, match=f"{board.name}: another program has the port open"):
            Device(board.name)
        device.run(**OPERANDS, seed=3)
    with Board() as board:  # and closed, it is free again
        session(board.name)
        session(board.name)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (errno.ENOENT, "no such port; available ports: "),
        (errno.ENXIO, "no such port; available ports: "),
        (errno.EACCES, r"permission denied; run: sudo usermod -aG dialout \$USER"),
        (errno.EPERM, r"permission denied; run: sudo usermod -aG dialout \$USER"),
        (errno.EBUSY, "another program has the port open"),
        (errno.EAGAIN, "another program has the port open"),
        (errno.EISDIR, "a folder, not a serial port"),
        (errno.EIO, r"not a serial port that supports 1000000 baud \(Input/output error\)"),
        (None, r"not a serial port that supports 1000000 baud \(boom\)"),
    ],
)
def test_ports_that_do_not_open(code, message, monkeypatch):
    def refuse(*_, **__):
        raise OSError(code, "boom") if code else ValueError("boom")

    monkeypatch.setattr("serial.Serial", refuse)
    with pytest.raises(PortError, match=f"^/dev/ttyUSB7: {message}"):
        Device("/dev/ttyUSB7")


def test_things_that_are_no_port(tmp_path):
    (tmp_path / "file").touch()
    for name, message in (
        (tmp_path, "a folder, not a serial port"),
        (tmp_path / "file", "not a serial port that supports 1000000 baud"),
        ("/dev/null", "not a serial port that supports 1000000 baud"),
        (tmp_path / "none", "no such port"),
        (tmp_path / "file" / "below", "no such port"),
        ("a\0b", "not a serial port"),
        ("x" * 5000, "not a serial port"),
    ):
        with pytest.raises(PortError, match=message) as refused:
            Device(str(name))
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("baud", [7, 123_457, 2**31, 2**40])
def test_any_baud(baud):
    """Accepted, or refused in one line."""
    refused = ""
    with Board() as board:
        try:
            SerialPort(board.name, baud, 0.25).close()
        except PortError as error:
            refused = str(error)
    assert not refused or f"not a serial port that supports {baud} baud" in refused


def test_group_of_a_port(tmp_path):
    """The group that the message names is the device file's own."""
    node = tmp_path / "ttyUSB0"
    node.touch()
    group = node.stat().st_gid
    assert serial_group(node) == ("dialout" if group == 0 else node.group())
    assert serial_group(tmp_path / "none") == "dialout"
    if os.geteuid() == 0:
        os.chown(node, 0, 5)
        assert serial_group(node) == node.group() != "root"


@pytest.fixture
def unprivileged():
    """Root may open every file, so permissions are tested as another user."""
    if root := os.geteuid() == 0:
        os.seteuid(65_534)
    yield
    if root:
        os.seteuid(0)


def test_permission(unprivileged):
    with tempfile.TemporaryDirectory() as folder:
        node = Path(folder) / "ttyUSB0"
        node.touch()
        node.chmod(stat.S_IWUSR)
        with pytest.raises(PortError, match="permission denied; run: sudo usermod -aG"):
            Device(str(node))
