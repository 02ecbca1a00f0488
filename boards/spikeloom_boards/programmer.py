"""What loads a bitstream into a board, as data."""

from dataclasses import dataclass

from .usb import usb_id


@dataclass(frozen=True)
class Programmer:
    """One way to program a board.

    ``tool`` is its name in `spikeloom.tools.TOOLS`, ``arguments`` stand before the bitstream's
    name. ``usb`` is the (vendor, product) of the USB device it drives, and ``node`` the kind of
    device file it opens: "usb", "tty" or "hidraw". ``into`` says what holds the bitstream
    afterwards: "flash", which keeps it, or "SRAM", which loses it with the power.
    """

    tool: str
    usb: tuple[int, int]
    into: str
    arguments: tuple[str, ...] = ()
    node: str = "usb"

    @property
    def usb_id(self) -> str:
        """Vendor and product as `lsusb` writes them."""
        return usb_id(self.usb)
