"""Strategies that draw valid configurations of any core, of small networks and of their export.

Nothing here knows a core: a key's values are those that the core accepts beside the keys drawn so
far, so a new core is drawn as well.
"""

from dataclasses import MISSING, replace
from math import prod

from hypothesis import assume, reject
from hypothesis import strategies as st

from spikeloom.errors import InputError
from spikeloom.export.axi_top import TDATA
from spikeloom.export.files import Options
from spikeloom.export.interfaces import RESETS
from spikeloom.networks.engine_limits import LANES
from spikeloom.networks.layers import PatchEmbedding
from spikeloom.networks.network import network_core
from spikeloom.shell.buses import BUSES
from tests.networks.random_network import random_network, with_offsets
from tests.networks.stem import stem_network
from tests.networks.test_membrane import membrane_network

SIZE = 12  # largest value of a key that has no limit of its own here
LIMITS = {"steps": 64, "width": 64, "leap": 64, "leak_numerator": 256, "values": 48, "neurons": 48}
WIDE = ("bits", "shift")  # endings of keys that are drawn from their whole range
LARGE = ("threshold", "seed", "densit", "scale", "base")  # in keys of which any value is small
UNROLL = 48  # largest product of the keys that add hardware
CYCLES = 4000
OPERANDS = 4000  # elements of an input


def cores(kind):
    """Valid configurations of the class `kind` that are quick to generate and to simulate."""
    return _settings(kind).map(kind.from_settings).filter(_is_small)


def _is_small(core):
    ports = (core.inputs | core.outputs).values()
    return (
        prod(getattr(core, key) or 1 for key in core.UNROLL) <= UNROLL
        and max(prod(port.shape) for port in ports) <= OPERANDS
        and max(port.bits for port in ports) <= 1024
        and core.cycles() <= CYCLES
    )


@st.composite
def _settings(draw, kind):
    """The required keys first, then some of the others and lists, in any order."""
    keys = kind.keys()
    settings = {n: draw(_values(n, key)) for n, key in keys.items() if key.default is MISSING}
    if not _accepts(kind, settings):
        reject()
    later = [n for n, key in keys.items() if n not in settings or key.metadata.get("list")]
    for name in draw(st.permutations(later)):
        if draw(st.booleans()):
            settings |= draw(_accepted(kind, settings, name))
    return settings


def _accepted(kind, settings, name):
    """Settings of key `name` that go with `settings`; none if there are none."""
    key = kind.keys()[name]

    def setting(value):
        return {name: value} if _accepts(kind, settings | {name: value}) else {}

    values = _values(name, key)
    candidates = _candidates(name, key)
    if candidates:
        kept = [value for value in candidates if setting(value)]
        values = st.sampled_from(kept) if kept else st.nothing()
    if key.metadata.get("list"):
        low = key.metadata["low"]
        counts = [n for n in range(1, SIZE + 1) if setting([low] * n)]
        if counts:
            element = values
            values |= st.sampled_from(counts).flatmap(
                lambda count: st.lists(element, min_size=count, max_size=count)
            )
    return st.just({}) if values.is_empty else values.map(setting)


def _candidates(name, key):
    """The values of a key that has few."""
    meta = key.metadata
    if "choices" in meta:
        return list(meta["choices"])
    if isinstance(meta["low"], int) and not _is_large(name):
        return list(range(meta["low"], _limit(name, meta) + 1))
    return []


def _values(name, key):
    """Values of a key, whatever the others are."""
    meta = key.metadata
    candidates = _candidates(name, key)
    if candidates:
        return st.sampled_from(candidates)
    low, high = meta["low"], meta["high"]
    if isinstance(low, int):  # values of the usual size, and any
        return st.integers(low, min(high, 1 << 12)) | st.integers(low, high)
    usual = st.floats(max(low, 0.05), min(high, 20))
    return usual | st.floats(low, high, exclude_min=meta.get("low_open", False))


def _is_large(name):
    return any(part in name for part in LARGE)


def _limit(name, meta):
    whole = name.endswith(WIDE)
    return min(meta["high"], 64 if whole else LIMITS.get(name, SIZE))


def _accepts(kind, settings):
    missing = any(
        key.default is MISSING and name not in settings for name, key in kind.keys().items()
    )
    try:
        return not missing and kind.from_settings(settings) is not None
    except InputError:
        return False


OPTIONS = st.builds(
    Options,
    name=st.just("dut"),
    tdata=st.sampled_from(sorted(TDATA)),
    reset=st.sampled_from(sorted(RESETS)),
    large_ram=st.booleans(),
    shell=st.sampled_from([None, None, *sorted(BUSES)]),
)

SHARED = {
    "steps": st.sampled_from((2, 1, 3, 4, 7, 16)),
    "leak": st.sampled_from((1, 0)),
    "seed": st.integers(0, 999),
}
RESET = st.sampled_from(("hard", "soft", "mixed"))
PIXEL_BITS = st.sampled_from((8, 1, 3))
WEIGHT_BITS = st.sampled_from((8, 4, 6))


@st.composite
def patch_networks(draw):
    """Networks of patches, of any attention and residual."""
    rows, columns = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    patch = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    heads = draw(st.integers(1, 3))
    form = draw(st.sampled_from(("spikformer", "spike-driven", "a2os2a", "ssa")))
    graph = random_network(
        image=(rows * patch[0], columns * patch[1], draw(st.integers(1, 3))),
        patch=patch,
        pixel_bits=draw(PIXEL_BITS),
        dims=heads * draw(st.sampled_from((1, 5, 8, 16, 19))),
        # Spike-driven attention takes Q, K and V of equal dims.
        value_dims=draw(st.none() | st.sampled_from((heads, 7 * heads)))
        if form != "spike-driven"
        else None,
        heads=heads,
        hidden=draw(st.sampled_from((1, 9, 16, 33))),
        classes=draw(st.integers(1, 9)),
        blocks=draw(st.sampled_from((1, 0, 2))),
        attention=draw(st.sampled_from((True, True, True, False))),
        weight_bits=draw(WEIGHT_BITS),
        residual=draw(st.sampled_from(("iand", "add"))),
        form=form,
        # The engine has no ternary neurons with a soft reset.
        reset="hard" if form == "a2os2a" else draw(RESET),
        **{name: draw(values) for name, values in SHARED.items()},
    )
    embed, *layers = graph.layers
    if graph.image[2] > 1 and draw(st.booleans()):
        assert isinstance(embed, PatchEmbedding)
        try:
            return replace(graph, layers=(replace(embed, position=True), *layers))
        except InputError:  # patches without room for the position
            reject()
    return graph


STEMS = st.builds(
    stem_network,
    image=st.tuples(st.integers(3, 7), st.integers(3, 7), st.integers(1, 3)),
    pixel_bits=PIXEL_BITS,
    widths=st.tuples(*[st.sampled_from((1, 3, 4, 6))] * 2, st.sampled_from((2, 4, 6))),
    pooled=st.integers(0, 2),
    hidden=st.integers(1, 9),
    classes=st.integers(1, 5),
    reset=RESET,
    weight_bits=WEIGHT_BITS,
    stride=st.sampled_from(((1, 1), (2, 2))),
    **SHARED,
)
MEMBRANES = st.builds(
    membrane_network,
    image=st.tuples(st.integers(4, 7), st.integers(4, 7), st.integers(1, 2)),
    dims=st.integers(2, 9),
    reset=st.sampled_from(("hard", "soft")),
    **SHARED,
)


@st.composite
def networks(draw, cycles=3 * CYCLES):
    """Small networks as cores, of at most `cycles` an image; the engine refuses some (see
    `Network.refusal`)."""
    graph = draw(patch_networks() | STEMS | MEMBRANES)
    if draw(st.booleans()):
        graph = with_offsets(graph, seed=draw(SHARED["seed"]), spread=0.5)
    kind = network_core(replace(graph, name="drawn"))
    core = kind(
        lanes=draw(st.sampled_from([n for n in LANES if n <= 64])),
        engines=draw(st.sampled_from((1, 1, 2, 3))),
        weights=draw(st.sampled_from(("initial", "loaded"))),
    )
    assume(core.refusal or core.cycles() <= cycles)
    return core


# Values that a key may be given by mistake.
WRONG = st.one_of(
    st.integers(-(2**70), 2**70),
    st.sampled_from([0, -1, 2**64, 1 << 20000, None, True, False, "", "auto", "none", b"4", 4.0]),
    st.floats(),
    st.text(max_size=8),
    st.integers().map(str),
    st.lists(st.integers(-3, 9) | st.floats() | st.none(), max_size=4),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.tuples(st.integers(), st.integers()),
)


@st.composite
def mistaken_settings(draw, kind):
    """Settings of `kind` of which some keys are wrong, misspelt or missing; a few are valid."""
    settings = draw(_settings(kind))
    for _ in range(draw(st.integers(1, 2))):
        change = draw(st.sampled_from(("value", "number", "name", "missing")))
        name = draw(st.sampled_from(sorted(kind.keys())))
        if change == "value":
            settings[name] = draw(WRONG)
        if change == "number":
            settings[name] = draw(st.integers(-2, 4100).map(str))
        if change == "missing":
            settings.pop(name, None)
        if change == "name":
            settings[draw(st.text(max_size=9)) or name[:-1]] = draw(WRONG)
    return settings
