"""A fake /sys and /dev with USB devices."""

from spikeloom_boards import usb

DEVICES = {
    "icebreaker": ("0403", "6010", "1BitSquared", "iCEBreaker V1.0e"),
    "orangecrab-r0.2": ("1209", "5af0", "GsD", "OrangeCrab r0.2 DFU Bootloader"),
    "tinyfpga-bx": ("1d50", "6130", "", ""),
    "icesugar": ("1d50", "602b", "MuseLab", "iCELink"),
}
# Beside the device's own folder: where Linux keeps the names of its device files.
NODES = {
    "icebreaker": ("1.1/ttyUSB0/tty/ttyUSB0",),
    "tinyfpga-bx": ("1.0/tty/ttyACM0",),
    "icesugar": ("1.0/0003:1D50:602B.0001/hidraw/hidraw0", "1.1/tty/ttyACM0"),
}


class FakeUsb:
    """Adds devices to the fake tree at `root`; files in `forbidden` cannot be opened."""

    def __init__(self, root, monkeypatch):
        self.root = root
        self.forbidden = set()
        (root / "sys/bus/usb/devices/usb1").mkdir(parents=True)  # a hub without IDs
        monkeypatch.setattr(usb, "ROOT", root)
        real = usb.may_open
        monkeypatch.setattr(
            usb, "may_open", lambda node: node.name not in self.forbidden and real(node)
        )

    def plug_in(self, board, number=5):
        vendor, product, maker, title = DEVICES[board]
        folder = self.root / f"sys/bus/usb/devices/1-{number}"
        folder.mkdir(parents=True)
        attributes = {
            "idVendor": vendor,
            "idProduct": product,
            "busnum": "1",
            "devnum": str(number),
        }
        if title:
            attributes |= {"manufacturer": maker, "product": title}
        for name, text in attributes.items():
            (folder / name).write_text(text + "\n")
        self._touch(f"dev/bus/usb/001/{number:03d}")
        for path in NODES.get(board, ()):
            (folder / f"1-{number}:{path}").mkdir(parents=True)
            self._touch("dev/" + path.rsplit("/", 1)[1])

    def _touch(self, path):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).touch()
