"""The cores there are: what to call them, how to configure, build and time them."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from .config import A2OS2ABlockConfig, A2OS2AConfig, CoreConfig, SpikedConfig, SSAConfig
from .errors import unknown


@dataclass(frozen=True)
class Core:
    """One core: its `config` class and where its component and cycle formula are found."""

    summary: str
    config: type[CoreConfig]
    component: str  # "module:class or function", imported on first use: it needs Amaranth
    schedule: str  # module with a function cycles(config)

    def build(self, config):
        """The Amaranth component for `config`."""
        module, name = self.component.split(":")
        return getattr(import_module(module), name)(config)

    def cycles(self, config):
        """Clocks from start to the last output beat, operands on chip."""
        formula: Callable = import_module(self.schedule).cycles
        return formula(config)


CORES = {
    "ssa": Core(
        summary="stochastic spiking attention: LFSRs, AND gates, counters (arXiv 2402.09109)",
        config=SSAConfig,
        component="spikeloom.cores.ssa:build",
        schedule="spikeloom.cores.ssa.schedule",
    ),
    "a2os2a": Core(
        summary="addition-only attention: binary Q, integer K, ternary V (arXiv 2503.00226)",
        config=A2OS2AConfig,
        component="spikeloom.cores.a2os2a:A2OS2A",
        schedule="spikeloom.cores.a2os2a.schedule",
    ),
    "a2os2a_block": Core(
        summary="a2os2a among its neurons: pre-activations in, spikes out (arXiv 2503.00226)",
        config=A2OS2ABlockConfig,
        component="spikeloom.cores.a2os2a:A2OS2ABlock",
        schedule="spikeloom.cores.a2os2a.block_schedule",
    ),
    "spiked": Core(
        summary="one-spike phase codes, trace products, softmax by spike shift (NeurIPS 2024)",
        config=SpikedConfig,
        component="spikeloom.cores.spiked:Spiked",
        schedule="spikeloom.cores.spiked.schedule",
    ),
}


def find_core(name):
    """The core called `name`. Raises `InputError` that suggests one or lists them all."""
    if name not in CORES:
        raise unknown("core", name, CORES)
    return CORES[name]
