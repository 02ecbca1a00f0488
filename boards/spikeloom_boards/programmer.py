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
    arguments: tuple
    usb: tuple
    into: str
    node: str = "usb"

    @property
    def usb_id(self):
        """Vendor and product as `lsusb` writes them."""
        return usb_id(self.usb)


FT2232H, FT4232H, FT232H, FT231X = (
    (0x0403, 0x6010),
    (0x0403, 0x6011),
    (0x0403, 0x6014),
    (0x0403, 0x6015),
)


def openfpgaloader(*arguments, usb, into="SRAM"):
    """openFPGALoader with the board or cable in `arguments`."""
    return Programmer("openFPGALoader", arguments, usb, into)


def dfu_util(usb):
    """dfu-util on the DFU bootloader `usb` of a board."""
    return Programmer("dfu-util", ("-d", usb_id(usb), "-a", "0", "-D"), usb, "flash")


# Boards with an FTDI chip that writes the flash an iCE40 boots from.
ICE40_FLASH = (
    Programmer("iceprog", (), FT2232H, "flash"),
    openfpgaloader("-b", "ice40_generic", usb=FT2232H, into="flash"),
)
