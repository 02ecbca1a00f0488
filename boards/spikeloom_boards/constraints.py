"""Pin and timing constraints of a board as text, taken from its recipe."""

from amaranth.build import Attrs, DiffPairs, Pins, Subsignal

from .raw_top import light_ports, tied_ports


def constraints_name(recipe):
    """File name of the board's constraints."""
    return f"{recipe.id}.{'pcf' if recipe.device.family == 'ice40' else 'lpf'}"


def constraints_text(recipe):
    """Constraints for a top module with ports board_clk, led_pass, led_fail, uart_rx, uart_tx, and
    tied_0... for pins that must be held at a level.

    nextpnr passes over ports that a design does not have.
    """
    family = recipe.device.family
    lines = [f"# {recipe.title}: clock, lights and UART"]
    lines += [f"# tied_{n}: hold at {level}" for n, level in enumerate(recipe.tied.values())]
    if recipe.uart.on_light:
        lines.append("# led_pass and uart_tx share a pin: use one of them")
    for port, (pin, attributes) in _pins(recipe):
        if family == "ice40":
            pull_up = " -pullup yes" if attributes.get("PULLUP") else ""
            lines.append(f"set_io -nowarn{pull_up} {port} {pin}")
        else:
            told = " ".join(f"{key}={value}" for key, value in attributes.items())
            lines.append(f'LOCATE COMP "{port}" SITE "{pin}";')
            lines.append(f'IOBUF PORT "{port}" {told};')
    mhz = f"{recipe.oscillator / 1e6:g}"
    if family == "ice40":
        lines.append(f"set_frequency board_clk {mhz}")
    else:
        lines.append(f'FREQUENCY PORT "board_clk" {mhz} MHZ;')
    return "\n".join(lines) + "\n"


def _pins(recipe):
    """Ports with their (pin, attributes) on the board."""
    resources = recipe.make_platform().resources
    yield "board_clk", _pin(resources[recipe.clock, 0])
    for n, port in enumerate(light_ports(recipe)):
        yield port, _pin(resources["light", n])
    for n, port in enumerate(tied_ports(recipe)):
        yield port, _pin(resources["tied", n])
    for part in ("rx", "tx"):
        yield f"uart_{part}", _pin(resources["serial", 0], part)


def _pin(resource, part=None):
    """(pin name, attributes) of a resource of one pin, or of one part of a resource.

    Of a differential pair, nextpnr wants the positive pin.
    """
    io = resource
    if part is not None:
        io = next(io for io in resource.ios if isinstance(io, Subsignal) and io.name == part)
    pins = next(entry for entry in io.ios if not isinstance(entry, Attrs))
    if isinstance(pins, DiffPairs):
        pins = pins.p
    assert isinstance(pins, Pins)
    return pins.names[0], dict(resource.attrs) | dict(io.attrs)
