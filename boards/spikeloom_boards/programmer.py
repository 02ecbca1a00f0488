"""The description of a programmer that loads bitstreams into a board."""

from dataclasses import dataclass

from .usb import usb_id


@dataclass(frozen=True)
class Programmer:
    """One way to program a board.

    ``tool`` is its name in `spikeloom.tools.TOOLS`; ``arguments`` precede the bitstream's name.
    ``usb`` is the (vendor, product) of its USB device, ``node`` the kind of device file that it
    opens: "usb", "tty" or "hidraw". ``into`` is the memory it writes: "flash", which is permanent,
    or "SRAM", which is lost at power-off.
    """

    tool: str
    usb: tuple[int, int]
    into: str
    arguments: tuple[str, ...] = ()
    node: str = "usb"

    @property
    def usb_id(self) -> str:
        """Vendor and product in the format of `lsusb`."""
        return usb_id(self.usb)
