"""Pin and timing constraints of a board as text, taken from its recipe."""

from amaranth.build import Pins, Subsignal


def constraints_name(recipe):
    """File name of the board's constraints."""
    return f"{recipe.id}.{'pcf' if recipe.device.family == 'ice40' else 'lpf'}"


def constraints_text(recipe):
    """Constraints for a top module with ports board_clk, led_pass, led_fail, uart_rx, uart_tx.

    nextpnr passes over ports that a design does not have.
    """
    pins = dict(_pins(recipe))
    family = recipe.device.family
    lines = [f"# {recipe.title}: clock, lights and UART"]
    for port, (pin, io_type) in pins.items():
        if family == "ice40":
            lines.append(f"set_io -nowarn {port} {pin}")
        else:
            lines.append(f'LOCATE COMP "{port}" SITE "{pin}";')
            lines.append(f'IOBUF PORT "{port}" IO_TYPE={io_type};')
    mhz = f"{recipe.oscillator / 1e6:g}"
    if family == "ice40":
        lines.append(f"set_frequency board_clk {mhz}")
    else:
        lines.append(f'FREQUENCY PORT "board_clk" {mhz} MHZ;')
    return "\n".join(lines) + "\n"


def lights_inverted(recipe):
    """For the pass and the fail light, whether a low level lights it."""
    resources = recipe.make_platform().resources
    return tuple(resources[key].ios[0].invert for key in recipe.leds)


def _pins(recipe):
    """Ports with their (pin, IO type) on the board."""
    resources = recipe.make_platform().resources
    yield "board_clk", _pin(resources[recipe.clock, 0])
    for port, key in zip(("led_pass", "led_fail"), recipe.leds, strict=True):
        yield port, _pin(resources[key])
    for part in ("rx", "tx"):
        yield f"uart_{part}", _pin(resources["serial", 0], part)


def _pin(resource, part=None):
    """(pin name, IO type) of a resource of one pin, or of one part of a resource."""
    io = resource
    if part is not None:
        io = next(io for io in resource.ios if isinstance(io, Subsignal) and io.name == part)
    pins = next(entry for entry in io.ios if isinstance(entry, Pins))
    attributes = dict(resource.attrs) | dict(io.attrs)
    return pins.names[0], attributes.get("IO_TYPE", "")
