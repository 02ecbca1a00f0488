"""Selection of configurations and simulators that run by default."""

import pytest

from spikeloom_sim.simulators import SIMULATORS

LARGE = 40  # number of tokens from which Verilator is faster despite its compile time
FIRST = 3  # configurations that run by default; later ones are marked long


def suite_cases(configs, default=None, first=FIRST):
    """Parameters (name, simulator) for every configuration on every simulator.

    Large ones run on Verilator and small ones on Icarus, which needs no compilation; the opposite
    combinations are marked slow, that of the first configuration long. Large ones after the first
    are slow too, and so are all after the first `default` configurations, if that is given. What is
    left after the `first` configurations is marked long, and so is the first large one.
    """
    cases = []
    first_large = next((n for n, config in configs.items() if config.tokens >= LARGE), None)
    for n, (name, config) in enumerate(configs.items()):
        small = config.tokens < LARGE and SIMULATORS["icarus"].available()
        quick = "icarus" if small else "verilator"
        for simulator, kind in SIMULATORS.items():
            wanted = (n < 1 or simulator == quick) and (default is None or n < default)
            wanted = wanted and (small or config.tokens < LARGE or name == first_large)
            by_default = wanted and small and n < first and simulator == quick
            marks = [] if by_default else [pytest.mark.long]
            marks = marks if wanted else [pytest.mark.slow]
            if not kind.available():
                marks.append(pytest.mark.skip(reason=f"{simulator} is not installed"))
            cases.append(pytest.param(name, simulator, marks=marks, id=f"{name}-{simulator}"))
    return cases
