"""USB devices from Linux /sys, without root access and without a library."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")  # tests replace it by a fake tree
DEVICES = "sys/bus/usb/devices"

SERIAL_GROUP = "dialout"  # default group of serial ports on most systems

# Patterns of device file names by kind, below the folder of a USB device in /sys.
NODES = {"tty": ("*/tty*/tty/*", "*/tty/tty*"), "hidraw": ("*/*/hidraw/hidraw*",)}


@dataclass(frozen=True)
class UsbDevice:
    """One plugged-in device: `usb` is (vendor, product), `title` the names of both."""

    usb: tuple
    title: str
    folder: Path

    @property
    def usb_id(self) -> str:
        """Vendor and product in the format of `lsusb`."""
        return usb_id(self.usb)

    def nodes(self, kind: str) -> list[Path]:
        """Device files of `kind`: "usb", "tty" or "hidraw"."""
        if kind == "usb":
            bus, number = (int(_read(self.folder / name)) for name in ("busnum", "devnum"))
            return [ROOT / f"dev/bus/usb/{bus:03d}/{number:03d}"]
        names = {path.name for pattern in NODES[kind] for path in self.folder.glob(pattern)}
        return [ROOT / "dev" / name for name in sorted(names)]


def usb_id(usb: tuple[int, int]) -> str:
    """A (vendor, product) in the format of `lsusb`."""
    return f"{usb[0]:04x}:{usb[1]:04x}"


def can_look() -> bool:
    """Whether this system lists USB devices under /sys (Linux only)."""
    return (ROOT / DEVICES).is_dir()


def usb_devices() -> list[UsbDevice]:
    """All plugged-in `UsbDevice`s."""
    devices = []
    for folder in sorted((ROOT / DEVICES).glob("*")):
        try:
            usb = tuple(int(_read(folder / name), 16) for name in ("idVendor", "idProduct"))
        except (OSError, ValueError):
            continue  # an interface, or already unplugged
        title = " ".join(_read_if_present(folder / name) for name in ("manufacturer", "product"))
        devices.append(UsbDevice(usb, title.strip(), folder))
    return devices


def may_open(node: Path) -> bool:
    """Whether this user may read and write a device file."""
    return os.access(node, os.R_OK | os.W_OK)


def udev_rule(usb: tuple[int, int]) -> str:
    """The udev rule that lets local users open a device, by its (vendor, product)."""
    return (
        f'SUBSYSTEM=="usb|tty|hidraw", ATTRS{{idVendor}}=="{usb[0]:04x}", '
        f'ATTRS{{idProduct}}=="{usb[1]:04x}", MODE="0660", GROUP="plugdev", TAG+="uaccess"'
    )


def permission_fix(node: Path, usb: tuple[int, int] | None = None) -> str:
    """How to get permission for a device file; without `usb`, it is a serial port."""
    if usb is None or node.name.startswith("tty"):
        return f"run: sudo usermod -aG {serial_group(node)} $USER, and log in again"
    return (
        f"write to /etc/udev/rules.d/70-spikeloom.rules the line: {udev_rule(usb)} "
        "and run: sudo udevadm control --reload && sudo udevadm trigger"
    )


def serial_group(node: Path) -> str:
    """The group that may open a serial port: the device file's own, unless that is root's."""
    try:
        owner = Path(node).stat().st_gid
        return Path(node).group() if owner != 0 else SERIAL_GROUP
    except (OSError, KeyError):
        return SERIAL_GROUP


def _read(path):
    return path.read_text(errors="replace").strip()


def _read_if_present(path):
    return _read(path) if path.exists() else ""
