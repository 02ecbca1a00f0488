"""Golden models of the units between streams, against their papers' equations in floating point
and against vectors worked out by hand; and their hardware against the golden models."""

import random
from math import ceil, log, sqrt

import numpy as np
import pytest
from amaranth.sim import Simulator

import spikeloom
from spikeloom.cores import find_core
from spikeloom.errors import InputError
from spikeloom.random.random_plan import make_plan, scramble
from spikeloom.random.taps import TAPS

from .spiked_bench import feeder

UNITS = (
    "lfsr",
    "bernoulli_encoder",
    "bitstream_encoder",
    "phase_encoder",
    "trace_product",
    "woss",
    "output_encoder",
)


def output(core, **operands):
    """The output tensor of a run on the golden model."""
    return core.compute(**operands)["o"]


def decode(codes, base):
    """``sign * B**-n`` of codes ``sign * (n + 1)``, number by number."""
    return np.vectorize(
        lambda c: 0.0 if c == 0 else (1 if c > 0 else -1) * base ** -(abs(c) - 1.0)
    )(codes)


def first_step(magnitude, base, steps):
    """The paper's encoder: the first n at which `magnitude` reaches its threshold; None for no
    spike."""
    for n in range(steps):
        if magnitude >= (1 + 1 / base) / 2 * base**-n:
            return n
    return None


def random_codes(rng, steps, shape, density=0.7):
    codes = rng.integers(1, steps + 1, shape) * rng.choice([-1, 1], shape)
    return np.where(rng.random(shape) < density, codes, 0)


# Random bits


def test_lfsr_by_hand():
    """Seed 1 scrambled has bits 4, 8, 14, 20, 24, 26, 40, 46 and 56: a register of 8 bits starts
    with bits 0 and 4. Taps are 0, 2, 3 and 4: bits 0, 1, 1 follow."""
    windows = output(spikeloom.core("lfsr", width=8, steps=4, seed=1))
    assert windows.tolist() == [
        [1, 0, 0, 0, 1, 0, 0, 0],
        [0, 0, 0, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0, 1],
        [0, 1, 0, 0, 0, 0, 1, 1],
    ]


@pytest.mark.parametrize(("width", "leap"), [(3, 1), (7, 7), (16, 5), (33, 32), (64, 59)])
def test_lfsr_follows_its_recurrence(width, leap):
    core = spikeloom.core("lfsr", width=width, leap=leap, steps=20, seed=0xFEDCBA9876543210)
    bits = [core.compute()["o"][0, n] for n in range(width)]
    while len(bits) < width + 20 * leap:
        bits.append(sum(bits[len(bits) - width + tap] for tap in TAPS[width]) % 2)
    windows = [bits[n * leap : n * leap + width] for n in range(20)]
    assert output(core).tolist() == windows


def test_lfsr_has_the_longest_period():
    core = spikeloom.core("lfsr", width=9, steps=512, seed=77)
    numbers = core.views()["numbers"](output(core))
    assert sorted(numbers[:511]) == list(range(1, 512))
    assert numbers[511] == numbers[0]


def test_lfsr_runs_without_operands():
    """A run of 64-bit numbers, which differ for the next seed."""
    core = spikeloom.core("lfsr", width=64, steps=5)
    first = spikeloom.run(core, view="numbers").outputs["o"]
    assert first[0] == scramble(1) | 1
    assert first.dtype == np.uint64
    following = spikeloom.run(core.with_seed(2), view="numbers").outputs["o"]
    assert not set(first) & set(following)


def test_bernoulli_by_hand():
    """Bit after bit through the register of the plan: a spike where the number is below."""
    values = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 0.5, 0.5, 0.5])
    core = spikeloom.core("bernoulli_encoder", values=8, value_bits=2, seed=3)
    plan = make_plan("slices", 1, 2, 0)
    (register,), ((_, (low, high)),) = plan.registers, plan.slots
    state = register.seeded(scramble(3))
    bits = [state >> n & 1 for n in range(64)]
    while len(bits) < 64 + 9 * register.leap:
        bits.append(sum(bits[len(bits) - 64 + tap] for tap in TAPS[64]) % 2)
    starts = [register.leap * n for n in range(1, 9)]  # the first step is made at the start
    numbers = [bits[n + low] + 2 * bits[n + high] for n in starts]
    assert output(core, i=values).tolist() == [
        int(number < 4 * value) for number, value in zip(numbers, values, strict=True)
    ]


@pytest.mark.parametrize("random", ["slices", "own", "permuted"])
def test_bernoulli_fires_as_often_as_its_value(random):
    count = 20_000
    core = spikeloom.core("bernoulli_encoder", values=count, lanes=5, random=random, seed=5)
    for value in (0.0, 1 / 256, 0.3, 0.5, 255 / 256, 1.0):
        rate = output(core, i=np.full(count, value)).mean()
        threshold = round(value * 256) / 256
        assert abs(rate - threshold) <= 5 * sqrt(threshold * (1 - threshold) / count)


def test_bitstream_rates_are_the_values():
    steps = 20_000
    values = np.random.default_rng(0).integers(0, 257, (3, 4)) / 256
    values[0, :2] = 0, 1
    core = spikeloom.core("bitstream_encoder", tokens=3, head_dim=4, lanes=2, steps=steps, seed=9)
    spikes = output(core, i=values)
    rates = core.views()["rate"](spikes)
    assert (abs(rates - values) <= 5 * np.sqrt(values * (1 - values) / steps)).all()

    # Spikes of different values, and of different steps, are unrelated.
    stray = (spikes - values)[:, values % 1 != 0]
    deviation = stray.std(axis=0)
    for x, y in ((stray[:-1], stray[1:]), (stray[:, :-1], stray[:, 1:])):
        related = (x * y).mean(axis=0) / deviation.min() ** 2
        assert (abs(related) < 5 / sqrt(steps) / deviation.min() ** 2).all()


def test_bitstream_by_hand():
    """Thresholds 0 and 2 of 2 fire never and always; the rest is the Bernoulli encoder's, beat
    after beat: lanes of a token first, then the next token of the block."""
    values = np.array([[0.0, 1.0, 0.5], [1.0, 0.5, 0.0]])
    keys = {"value_bits": 1, "seed": 21}
    stream = spikeloom.core("bitstream_encoder", tokens=2, head_dim=3, rows=2, steps=6, **keys)
    spikes = output(stream, i=values)
    assert (spikes[:, 0, :2] == [0, 1]).all()
    assert (spikes[:, 1, [0, 2]] == [1, 0]).all()
    encoder = spikeloom.core("bernoulli_encoder", values=36, lanes=2, **keys)
    beats = output(encoder, i=np.tile(values.T.ravel(), 6)).reshape(6, 3, 2)
    assert (spikes == beats.transpose(0, 2, 1)).all()


# One-spike codes


def test_phase_encoder_by_hand():
    """B = 2: thresholds 0.75, 0.375, 0.1875 and 0.09375 of 256 are 192, 96, 48 and 24."""
    sums = [256, 192, 191, -96, 95, 48, 47, -24, 23, 0]
    core = spikeloom.core("phase_encoder", values=10, input_bits=12, frac_bits=8, steps=4, base=2.0)
    assert output(core, i=sums).tolist() == [1, 1, 2, -2, 3, 3, 4, -4, 0, 0]
    positive = spikeloom.core("phase_encoder", **core.as_dict() | {"output": "positive"})
    assert output(positive, i=sums).tolist() == [1, 1, 2, 0, 3, 3, 4, 0, 0, 0]


@pytest.mark.parametrize(
    ("base", "steps", "scale"), [(1.15, 40, 1.0), (1.4, 16, 1.7), (1.02, 64, 0.01), (2.0, 9, 99.0)]
)
def test_phase_encoder_is_the_papers(base, steps, scale):
    core = spikeloom.core(
        "phase_encoder", values=2000, input_bits=25, base=base, steps=steps, scale=scale
    )
    sums = core.random_operands(np.random.default_rng(1))["i"]
    for x, code in zip(sums, output(core, i=sums), strict=True):
        step = first_step(abs(int(x)) / 2**core.frac_bits / scale, base, steps)
        assert code == (0 if step is None else np.sign(x) * (step + 1))


def test_trace_product_by_hand():
    """B = 2: (1, -1/2) with (1/2, 1/4) is 3/8, with (0, 1) is -1/2; a line without spikes is 0."""
    core = spikeloom.core(
        "trace_product", lines=2, length=2, tokens=2, base=2.0, steps=4, frac_bits=8
    )
    sums = output(core, a=[[1, -2], [0, 0]], b=[[2, 3], [0, 1]])
    assert sums.tolist() == [[96, -128], [0, 0]]
    assert core.views()["values"](sums).tolist() == [[0.375, -0.5], [0, 0]]


@pytest.mark.parametrize(
    ("base", "steps", "frac_bits"), [(1.15, 40, 20), (1.02, 64, 8), (2, 20, 28)]
)
def test_trace_product_is_the_product_of_the_numbers(base, steps, frac_bits):
    """Each product is rounded by half a unit at most."""
    core = spikeloom.core(
        "trace_product",
        **{"lines": 9, "length": 30, "tokens": 7, "base": float(base), "steps": steps},
        frac_bits=frac_bits,
    )
    rng = np.random.default_rng(2)
    a, b = random_codes(rng, steps, (9, 30)), random_codes(rng, steps, (7, 30))
    found = core.views()["values"](output(core, a=a, b=b))
    exact = decode(a, base) @ decode(b, base).T
    assert (abs(found - exact) <= 30 * 0.5 / 2**frac_bits + 1e-12).all()


def test_trace_product_without_operands_counts_the_most():
    core = spikeloom.core("trace_product", lines=6, length=5, tokens=7, lanes=3)
    rng = np.random.default_rng(3)
    dense = core.cycles(a=np.ones((6, 5)), b=np.ones((7, 5)))
    assert core.cycles() == dense
    for density in (0.0, 0.3, 0.8):
        a = random_codes(rng, 40, (6, 5), density)
        spikes = np.count_nonzero(a, axis=1)
        fewer = 3 * sum(5 - max(1, n) for n in spikes)
        # A line of zeros is repeated for other groups while the next part waits to begin.
        assert core.cycles(a=a, b=a) == dense - fewer - (spikes[2] == 0)


def test_woss_by_hand():
    """B = 2 and a scale of 2 ln 2: scores 1, 1/2, 0 and -1 are 0, 1, 2 and 4 doublings below the
    winner, and fire when the threshold has fallen as far, half a step later."""
    core = spikeloom.core("woss", tokens=4, base=2.0, steps=8, score_scale=2 * log(2), encoders=2)
    rows = [[1, 2, 0, -1], [0, 0, 0, 0], [-1, -1, -1, -1], [0, 1, 1, 8]]
    assert output(core, i=rows).tolist() == [
        [2, 3, 4, 6],
        [2, 2, 2, 2],  # no winner: 0 fires after half a step
        [4, 4, 4, 4],  # no winner: 2 doublings below 0
        [4, 2, 2, 4],
    ]
    causal = spikeloom.core("woss", **core.as_dict() | {"mask": "causal"})
    assert output(causal, i=rows).tolist() == [
        [2, 0, 0, 0],
        [2, 2, 0, 0],
        [4, 4, 4, 0],
        [4, 2, 2, 4],
    ]


@pytest.mark.parametrize("mask", ["none", "causal"])
@pytest.mark.parametrize(("base", "steps", "scale"), [(1.15, 40, 2.0), (1.02, 64, 0.7)])
def test_woss_is_the_papers(mask, base, steps, scale):
    """But for scores so near a threshold that fixed point may round them across it."""
    tokens = 24
    core = spikeloom.core(
        "woss", tokens=tokens, base=base, steps=steps, score_scale=scale, mask=mask
    )
    codes = random_codes(np.random.default_rng(4), steps, (tokens, tokens))
    found, decoded = output(core, i=codes), decode(codes, base)
    near = 0
    for i in range(tokens):
        seen = range(i + 1) if mask == "causal" else range(tokens)
        winner = max(0.0, *(decoded[i, j] for j in seen), 0.0)
        for j in range(tokens):
            if j not in seen:
                assert found[i, j] == 0
                continue
            steps_below = 0.5 - scale * (decoded[i, j] - winner) / log(base)
            if abs(steps_below - round(steps_below)) < 1e-3:
                near += 1
                continue
            m = max(0, ceil(steps_below))
            assert found[i, j] == (m + 1 if m < steps else 0)
    assert near < tokens**2 / 20


def test_woss_adds_up_to_softmax():
    """Probabilities over their sum are within half a step of softmax, so within a factor of B."""
    core = spikeloom.core("woss", tokens=16, base=1.05, steps=64, score_scale=1.0)
    codes = random_codes(np.random.default_rng(5), 64, (16, 16))
    found = core.views()["values"](output(core, i=codes))
    softmax = np.exp(decode(codes, 1.05))
    ratio = found / found.sum(1, keepdims=True) / (softmax / softmax.sum(1, keepdims=True))
    assert (abs(np.log(ratio)) < log(1.05)).all()


def test_output_encoder_by_hand():
    """B = 2, z = 1 and 2: quotients 1, 0.47, -0.08 and 0 spike at steps 0, 1, 4 and never."""
    core = spikeloom.core("output_encoder", tokens=2, value_dim=4, base=2.0, steps=8, frac_bits=8)
    lines = [[256, 512], [256, 512], [120, 240], [-20, -40], [0, 0]]
    assert output(core, i=lines).tolist() == [[1, 1], [2, 2], [-5, -5], [0, 0]]
    doubled = spikeloom.core("output_encoder", **core.as_dict() | {"output_scale": 0.5})
    assert output(doubled, i=lines).tolist() == [[1, 1], [1, 1], [-4, -4], [0, 0]]


@pytest.mark.parametrize(("log_bits", "equal"), [(4, 0.75), (9, 0.99), (12, 0.998)])
def test_output_encoder_is_the_papers(log_bits, equal):
    """With logarithms of so many bits so many quotients get their very code, the others the one
    next to it."""
    core = spikeloom.core(
        "output_encoder", tokens=20, value_dim=100, log_bits=log_bits, output_scale=1.3
    )
    rng = np.random.default_rng(6)
    z = rng.integers(1 << core.frac_bits, 20 << core.frac_bits, 20)
    sums = z * 1.5 * rng.choice([-1, 1], (100, 20)) * core.base ** -rng.uniform(0, 42, (100, 20))
    sums = sums.clip(-(20 << core.frac_bits), 20 << core.frac_bits).astype(np.int64)
    found = output(core, i=np.vstack([z[None], sums]))
    steps = [
        [first_step(abs(x) / z[n] / 1.3, core.base, core.steps) for n, x in enumerate(line)]
        for line in sums
    ]
    exact = np.array([[core.steps if n is None else n for n in line] for line in steps])
    step = np.where(found != 0, abs(found) - 1, core.steps)
    assert abs(step - exact).max() <= 1
    assert (step == exact).mean() >= equal
    assert (np.sign(found) == np.where(found != 0, np.sign(sums), 0)).all()


# What any unit does


@pytest.mark.parametrize("name", UNITS)
def test_cases_fill_their_ports(name):
    """At least ten configurations; outputs pass through their port's beats unchanged."""
    cases = find_core(name).CASES
    assert len(cases) >= 10
    for settings in cases.values():
        core = spikeloom.core(name, **settings)
        for density in (-1, 0.5, 2):
            operands = core.random_operands(np.random.default_rng(7), density)
            found = core.compute(**operands)
            assert 0 < core.cycles(**operands) <= core.cycles()
            for port_name, port in core.outputs.items():
                assert (port.unpack(port.pack(found[port_name])) == found[port_name]).all()


def run_hardware(core, runs, stalls):
    """Outputs of `runs` on the component, one after the other, and the cycles of each; all operands
    are on offer from the beginning, every end pausing with probability `stalls`."""
    dut = core.create()
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    (port,) = core.outputs.values()
    found, cycles = [], []

    async def take(ctx):
        pause = random.Random(1)
        for n in range(len(runs)):
            if core.takes_seed:
                ctx.set(dut.seed, core.seeded(n).seed)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            beats, clock, done = [], 0, False
            while not done:
                ctx.set(dut.o.ready, pause.random() >= stalls)
                sampled = dut.o.valid & dut.o.ready, dut.o.payload.data, dut.o.payload.last
                *_, taken, data, last, done = await ctx.tick().sample(*sampled, dut.done)
                beats += [(data, last)] * taken
                clock += 1
                assert clock < 10 * core.time_limit()
            found.append(port.unpack(beats))
            cycles.append(clock - 1)  # `done` comes a clock later
        assert not ctx.get(dut.busy)
        assert not ctx.get(dut.misframed)

    for seed, (name, port_in) in enumerate(core.inputs.items()):
        beats = [beat for operands in runs for beat in port_in.pack(operands[name])]
        payloads = [data | last << port_in.bits for data, last in beats]
        simulator.add_testbench(feeder(getattr(dut, name), payloads, stalls, seed), background=True)
    simulator.add_testbench(take)
    simulator.run()
    return found, cycles


@pytest.mark.parametrize("stalls", [0.0, 0.4])
@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("lfsr", "narrowest, all new"),
        ("bernoulli_encoder", "partial beat"),
        ("bitstream_encoder", "blocks"),
        ("phase_encoder", "partial beat"),
        ("trace_product", "many groups, few spikes"),
        ("woss", "causal, partial block"),
        ("output_encoder", "partial block"),
    ],
)
def test_hardware_is_the_golden_model(name, case, stalls):
    """Bit for bit for three runs in a row, and to the cycle where nothing pauses; the suite of
    `spikeloom regress` does the same for every case."""
    core = find_core(name).from_settings(find_core(name).CASES[case])
    rng = np.random.default_rng(8)
    runs = [core.random_operands(rng, density) for density in (0.5, 0.2, 0.8)]
    found, cycles = run_hardware(core, runs, stalls)
    for n, operands in enumerate(runs):
        assert (found[n] == core.seeded(n).compute(**operands)["o"]).all()
        if not stalls:
            assert cycles[n] == core.cycles(**operands)


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        ("lfsr", {"width": 5, "steps": 3, "leap": 6}, "leap must be at most width (5)"),
        ("lfsr", {"width": 2, "steps": 3}, "width must be 3..64"),
        ("bitstream_encoder", {"tokens": 4, "head_dim": 4, "lanes": 3}, "a divisor of head_dim"),
        ("bitstream_encoder", {"tokens": 4, "head_dim": 4, "rows": 3}, "a divisor of tokens"),
        ("phase_encoder", {"values": 1, "input_bits": 18, "frac_bits": 8}, "frac_bits + 9 (17)"),
        ("trace_product", {"lines": 1, "length": 1, "tokens": 2, "lanes": 3}, "at most tokens (2)"),
        ("woss", {"tokens": 2, "encoders": 3}, "at most tokens (2)"),
        ("woss", {"tokens": 2, "score_scale": 0.0}, "score_scale must be a number in"),
        ("output_encoder", {"tokens": 2, "value_dim": 1, "encoders": 3}, "at most tokens (2)"),
    ],
)
def test_keys_that_do_not_fit_are_refused(name, keys, message):
    with pytest.raises(InputError, match="is not allowed") as error:
        spikeloom.core(name, **keys)
    assert message in str(error.value)
    assert str(error.value).startswith(f"{name}: ")


def test_each_seed_draws_its_own():
    values = np.full((4, 8), 0.5)
    core = spikeloom.core("bitstream_encoder", tokens=4, head_dim=8, steps=8)
    runs = {output(core.seeded(n), i=values).tobytes() for n in range(6)}
    assert len(runs) == 6
