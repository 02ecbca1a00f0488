"""Clock plans: the board's oscillator, a PLL if asked for, and a reset that outlasts start-up."""

from dataclasses import dataclass

from amaranth.hdl import ClockDomain, ClockSignal, Instance, Module, Signal
from amaranth.lib import io, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import Out

from spikeloom.errors import InputError

# iCE40 block RAM reads zeros for about 3 us after configuration; five times that is safe.
RESET_SECONDS = 15e-6


@dataclass(frozen=True)
class IcePll:
    """Dividers of an iCE40 PLL: ``f_out = f_in * (divf + 1) / 2**divq / (divr + 1)``."""

    divr: int
    divf: int
    divq: int
    filter_range: int


def ice_pll(f_in, f_out):
    """Dividers for exactly `f_out` from `f_in` (Hz), or None.

    Limits from the iCE40 data sheet: comparison 10..133 MHz, VCO 533..1066 MHz.
    """
    for divr in range(16):
        compare = f_in / (divr + 1)
        if not 10e6 <= compare <= 133e6:
            continue
        for divf in range(128):
            vco = compare * (divf + 1)
            for divq in range(1, 7):
                if 533e6 <= vco <= 1066e6 and vco / 2**divq == f_out:
                    steps = (17e6, 26e6, 44e6, 66e6, 101e6, 133e6)
                    return IcePll(divr, divf, divq, 1 + sum(compare >= step for step in steps))
    return None


@dataclass(frozen=True)
class EcpPll:
    """Dividers of an ECP5 PLL: ``f_out = f_in * fb_div / in_div``, VCO = ``f_out * out_div``."""

    in_div: int
    fb_div: int
    out_div: int


def ecp_pll(f_in, f_out):
    """Dividers for exactly `f_out` from `f_in` (Hz), or None.

    Limits from the ECP5 data sheet: comparison 3.125..400 MHz, VCO 400..800 MHz.
    """
    for in_div in range(1, 129):
        if f_in / in_div < 3.125e6:
            break
        for fb_div in range(1, 81):
            if f_in * fb_div / in_div != f_out:
                continue
            out_div = round(600e6 / f_out)
            if 1 <= out_div <= 128 and 400e6 <= f_out * out_div <= 800e6:
                return EcpPll(in_div, fb_div, out_div)
    return None


def ice_pll_instance(pll, source, clk, locked):
    """An iCE40 PLL; `source` is (port, signal): PACKAGEPIN for the pad beside the PLL, REFERENCECLK
    for any other clock."""
    port, signal = source
    return Instance(
        "SB_PLL40_PAD" if port == "PACKAGEPIN" else "SB_PLL40_CORE",
        ("p", "FEEDBACK_PATH", "SIMPLE"),
        ("p", "DIVR", pll.divr),
        ("p", "DIVF", pll.divf),
        ("p", "DIVQ", pll.divq),
        ("p", "FILTER_RANGE", pll.filter_range),
        ("i", "RESETB", 1),
        ("i", "BYPASS", 0),
        ("i", port, signal),
        ("o", "PLLOUTGLOBAL", clk),
        ("o", "LOCK", locked),
    )


def ecp_pll_instance(pll, source, clk, locked):
    """An ECP5 PLL with feedback from its output; loop filter as Project Trellis' ecppll sets it."""
    return Instance(
        "EHXPLLL",
        ("a", "ICP_CURRENT", "12"),
        ("a", "LPF_RESISTOR", "8"),
        ("a", "MFG_ENABLE_FILTEROPAMP", "1"),
        ("a", "MFG_GMCREF_SEL", "2"),
        ("p", "CLKI_DIV", pll.in_div),
        ("p", "CLKFB_DIV", pll.fb_div),
        ("p", "CLKOP_DIV", pll.out_div),
        ("p", "CLKOP_CPHASE", pll.out_div - 1),
        ("p", "CLKOP_FPHASE", 0),
        ("p", "CLKOP_ENABLE", "ENABLED"),
        ("p", "FEEDBK_PATH", "CLKOP"),
        ("p", "OUTDIVIDER_MUXA", "DIVA"),
        ("p", "PLLRST_ENA", "DISABLED"),
        ("p", "INTFB_WAKE", "DISABLED"),
        ("p", "STDBY_ENABLE", "DISABLED"),
        ("p", "DPHASE_SOURCE", "DISABLED"),
        ("i", "CLKI", source),
        ("i", "CLKFB", clk),
        ("i", "RST", 0),
        ("i", "STDBY", 0),
        ("i", "ENCLKOP", 0),
        ("o", "CLKOP", clk),
        ("o", "LOCK", locked),
    )


def plan_pll(recipe, frequency):
    """Dividers of the board's PLL for exactly `frequency` Hz; None where the oscillator gives it.

    Raises `InputError` that names the nearest clock where the PLL does not reach it.
    """
    oscillator = recipe.oscillator
    if frequency == oscillator:
        return None
    find = ice_pll if recipe.device.family == "ice40" else ecp_pll
    pll = find(oscillator, frequency)
    if pll is None:
        nearest = nearest_clock(find, oscillator, frequency)
        raise InputError(
            f"{in_mhz(frequency)} MHz cannot be made from the board's {in_mhz(oscillator)} MHz by "
            f"its PLL; the nearest is --mhz {in_mhz(nearest)}"
        )
    return pll


def nearest_clock(find, f_in, f_out):
    """The whole number of Hz nearest to `f_out` for which ``find(f_in, ...)`` has dividers, or the
    oscillator itself."""
    multiples = {
        f_in * up // down
        for down in {divider << shift for divider in range(1, 129) for shift in range(7)}
        for up in range(1, 129)
        if f_in * up % down == 0
    }
    near = sorted(multiples, key=lambda hz: abs(hz - f_out))
    return next(hz for hz in near if hz == f_in or find(f_in, hz) is not None)


def in_mhz(hz):
    """`hz` as a user types it after ``--mhz``: exact, and no longer than needed."""
    return f"{hz / 1e6:.12g}"


class ClockPlan(wiring.Component):
    """A clock of `frequency`, and a reset that lasts for a while after configuration.

    Parameters
    ----------
    recipe : the board.
    frequency : Hz wanted; the PLL is left out where the oscillator gives it.

    Members
    -------
    clk, rst : Out(1), for a clock domain of the parent.

    Raises `InputError` for a frequency that the PLL does not reach.
    """

    def __init__(self, recipe, frequency):
        self._recipe = recipe
        self._frequency = frequency
        self._pll = plan_pll(recipe, frequency)
        super().__init__({"clk": Out(1), "rst": Out(1)})

    def elaborate(self, platform):
        m = Module()

        port = platform.request(self._recipe.clock, dir="-")
        clk = Signal(name="clk_core", attrs={"keep": 1})
        locked = Signal(init=1)
        if self._pll is not None and self._recipe.pll_pad:
            m.submodules.pll = ice_pll_instance(self._pll, ("PACKAGEPIN", port.io), clk, locked)
        else:
            m.submodules.buffer = buffer = io.Buffer("i", port)
            if self._pll is None:
                m.d.comb += clk.eq(buffer.i)
            elif self._recipe.device.family == "ice40":
                pin = ("REFERENCECLK", buffer.i)
                m.submodules.pll = ice_pll_instance(self._pll, pin, clk, locked)
            else:
                m.submodules.pll = ecp_pll_instance(self._pll, buffer.i, clk, locked)
        platform.add_clock_constraint(clk, self._frequency)

        # Count clocks of a domain without reset until memories and PLL are ready.
        m.domains.por = ClockDomain(reset_less=True, local=True)
        ready = Signal()
        settled = Signal()
        waited = Signal(range(int(RESET_SECONDS * self._frequency) + 1))
        m.submodules.lock_sync = FFSynchronizer(locked, settled, o_domain="por")
        m.d.comb += [
            ClockSignal("por").eq(clk),
            self.clk.eq(clk),
            self.rst.eq(~ready),
        ]
        with m.If(~settled):
            m.d.por += [waited.eq(0), ready.eq(0)]
        with m.Elif(waited == int(RESET_SECONDS * self._frequency)):
            m.d.por += ready.eq(1)
        with m.Else():
            m.d.por += waited.eq(waited + 1)

        return m
