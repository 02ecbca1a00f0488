"""A network behind the host link: weights that are loaded once, and images."""

import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from spikeloom.errors import InputError, JobError
from spikeloom.families.family import Synthesis
from spikeloom.link.frames import FrameDecoder, encode_frame
from spikeloom.link.identity import Identity
from spikeloom.link.protocol import MAX_PAYLOAD, Code, Command, State
from spikeloom.link.slots import join_outputs, output_bytes, split_outputs
from spikeloom.networks.file import digest, load
from spikeloom.networks.network import network_core
from spikeloom_boards.boards import find_board
from spikeloom_boards.build import Build, build, design_files
from spikeloom_boards.driver import Device, SessionLostError, WrongBitstreamError
from spikeloom_boards.driver.backend import Board, run_batch
from spikeloom_boards.driver.golden_port import GoldenPort
from spikeloom_boards.driver.jobs import self_test
from spikeloom_boards.driver.line import LineLoad
from spikeloom_boards.driver.sim_port import SimPort
from spikeloom_boards.fit import fits, needs
from spikeloom_boards.flash import plan
from spikeloom_boards.rates import rates
from spikeloom_boards.report import notes

from ..link.ports import KeptPort, RecordingPort
from .random_network import random_network

SIZES = {"image": (4, 6, 1), "patch": (2, 3), "dims": 4, "hidden": 4, "classes": 3, "blocks": 1}
GRAPH = random_network(**SIZES, name="board-net")
CORE = network_core(GRAPH)(lanes=4, weights="loaded")
IMAGE, WEIGHTS = 0, 1  # numbers of the streams


def images(count, seed=1):
    rng = np.random.default_rng(seed)
    return [CORE.random_operands(rng) for _ in range(count)]


def check(runs, batch):
    """Runs equal the golden model; the label waits for the bytes of the last logit."""
    assert len(runs) == len(batch)
    for run, operands in zip(runs, batch, strict=True):
        expected = CORE.compute(**operands)
        assert run.outputs.keys() == expected.keys()
        for name, tensor in expected.items():
            assert np.array_equal(run.outputs[name], tensor)
        assert 0 <= run.cycles - CORE.cycles(**operands) <= output_bytes(CORE.outputs)


def requests(port):
    """(command, argument) of each request that went over a `RecordingPort`."""
    found = []
    decoder = FrameDecoder()
    for way, data in port.transcript:
        if way == ">":
            found += [(Command(content[1]), content[2]) for content in decoder.feed(data)]
    return found


def written(port):
    """Numbers of the streams that were written, in order."""
    return [argument & 0x7F for command, argument in requests(port) if command == Command.WRITE]


@pytest.fixture(scope="module")
def simulated():
    """A simulated device of `CORE`."""
    port = SimPort(CORE, silence=20)
    yield KeptPort(port)
    port.close()


@pytest.fixture(params=["golden", "sim"])
def device_port(request):
    """A device right after its configuration: the golden one, then the RTL."""
    if request.param == "golden":
        return KeptPort(GoldenPort(CORE))
    port = request.getfixturevalue("simulated")
    port.reset()
    return port


@pytest.mark.parametrize("board", ["icebreaker", "hx8k-breakout", "tang-nano-20k", "ulx3s-25f"])
def test_loaded_weights_suit_the_device(board):
    """Only the UP5K is asked for its large RAM; elsewhere, Yosys refuses such a memory."""
    target = find_board(board)
    texts = "".join(design_files(Build(CORE, target, target.frequency)).values())
    assert ("huge" in texts) == bool(target.device.large_rams)
    assert target.device.large_rams == (4 if board == "icebreaker" else 0)


def test_every_line_of_the_flash_memory_has_a_buffer():
    """The chip select too, which is driven by the core that loads its weights."""
    target = find_board("icebreaker")
    text = design_files(Build(CORE, target, target.frequency))["spikeloom.il"]
    for line in target.make_platform().resources["spi_flash_1x", 0].ios:
        pin = f"spi_flash_1x_0__{line.name}__io"
        buffer = rf"cell \\spikeloom\.flash_\w+ .*\n(?:    .*\n)*?    connect \\{pin} "
        assert re.search(buffer, text), line.name


def test_weights_are_loaded_once(device_port):
    """By the first session after configuration, with progress; later sessions find them."""
    batch = images(3)
    recording = RecordingPort(device_port)
    seen = []
    with Device(recording, CORE) as device:
        assert not State.LOADED & device._session.state
        device.load(lambda *done: seen.append(done))
        check(run_batch(device, CORE, batch), batch)
    beats = CORE.loads["weights"][0].beats
    assert seen == sorted(seen)
    assert seen[-1] == (2 * beats, 2 * beats)
    chunks = -(-2 * beats // MAX_PAYLOAD)
    assert chunks > 1
    assert written(recording) == chunks * [WEIGHTS] + 3 * [IMAGE]

    recording = RecordingPort(device_port)
    with Device(recording) as device:
        assert device.config == CORE
        check([device.run(**batch[0])], batch[:1])
    assert written(recording) == [IMAGE]


def test_the_next_image_is_sent_while_the_core_computes(device_port):
    recording = RecordingPort(device_port)
    batch = images(3)
    with Device(recording, CORE) as device:
        device.load()
        recording.transcript.clear()
        check(list(device.runs(batch, [1, 1, 1])), batch)
    order = [command.name for command, _ in requests(recording)]
    starts = [n for n, name in enumerate(order) if name == "START"]
    assert order[: starts[0]].count("WRITE") == 1
    for start in starts[:-1]:
        assert order[start + 1] == "WRITE"
    assert order[starts[-1] :].count("WRITE") == 0


@pytest.mark.long
def test_several_engines():
    """Images that the driver sends ahead are computed ahead; a reset drops them."""
    core = replace(CORE, engines=2)
    port = SimPort(core, silence=20)
    try:
        for batch in (images(5), images(2, seed=2)):
            with Device(KeptPort(port), core) as device:
                device.load()
                runs = list(device.runs(batch, [1] * len(batch)))
                for run, operands in zip(runs, batch, strict=True):
                    expected = core.compute(**operands)
                    for name, tensor in expected.items():
                        assert np.array_equal(run.outputs[name], tensor)
                    assert run.cycles <= core.cycles(**operands) + output_bytes(core.outputs)
                device._session.ask(Command.RESET)
    finally:
        port.close()


def test_self_test(device_port):
    with Device(device_port, CORE) as device:
        verdicts = self_test(device)
    assert [verdict.values for verdict in verdicts] == 5 * [4]


def test_weights_that_are_cut_off_are_loaded_again(device_port):
    """Another host stops in the middle, or ends the tensor too early."""
    for last in (0, 0x80):
        frames = ((1, 0, b""), (2, 0, b""), (3, WEIGHTS | last, bytes(10)))
        for sequence, frame in enumerate(frames):
            device_port.write(encode_frame(bytes([sequence, *frame[:2]]) + frame[2]))
            while device_port.read():
                pass
        recording = RecordingPort(device_port)
        batch = images(1)
        with Device(recording, CORE) as device:
            check([device.run(**batch[0])], batch)
        assert WEIGHTS in written(recording)


def test_reset_in_the_middle(simulated):
    """Of the weights, and of a run: the session is lost; the next one loads the weights again."""
    batch = images(2)

    def reset(done, total):
        simulated.reset()

    for loading in (True, False):
        simulated.reset()
        with Device(simulated, CORE) as device:
            if loading:
                job = partial(device.load, reset)
            else:
                device.load()
                job = partial(run_batch, device, CORE, batch, reset)
            with pytest.raises(SessionLostError, match="the device was reset"):
                job()
        recording = RecordingPort(simulated)
        with Device(recording, CORE) as device:
            check([device.run(**batch[1])], batch[1:])
        assert WEIGHTS in written(recording)


def test_no_start_without_weights(device_port):
    """Nor with a part of them."""
    with Device(device_port, CORE) as device:
        start = partial(device._session.ask, Command.START, payload=bytes(8))
        assert start()[0] == Code.BUSY
        device._session.ask(Command.WRITE, WEIGHTS, bytes(10))
        assert start()[0] == Code.BUSY
        device._session.ask(Command.RESET)
        device.load()
        assert start()[0] == Code.OK


def test_a_run_that_was_left(simulated):
    """A session that begins during a run of another resets the core; the weights stay."""
    simulated.reset()
    batch = images(2)
    with Device(simulated, CORE) as device:
        device.load()
        device.run(**batch[0])
        operands = CORE.inputs["image"].to_bytes(batch[0]["image"])
        device._session.ask(Command.WRITE, IMAGE | 0x80, operands)
        code, _ = device._session.ask(Command.START, payload=bytes(8))
        assert code == Code.OK
        recording = RecordingPort(simulated)
        with Device(recording, CORE) as other:
            check([other.run(**batch[1])], batch[1:])
    assert written(recording) == [IMAGE]


def test_backend():
    batch = images(2)
    seen = []
    check(Board("golden").run(CORE, batch, lambda *done: seen.append(done)), batch)
    assert seen[-1] == (2, 2)


def test_identity_names_network_and_contents():
    data = Identity.of(CORE, 8_000_000).to_bytes()
    assert b'"core":"board-net"' in data
    assert digest(GRAPH)[:16].encode() in data
    assert len(data) <= 512  # a block RAM
    identity = Identity.from_bytes(data)
    assert identity.config == CORE
    assert identity.outputs == {"logits": CORE.outputs["logits"].bits, "label": 2}
    assert identity.loads == ["weights"]


def test_another_network_of_the_same_name():
    graph = random_network(**SIZES, name="board-net", seed=2)
    other = network_core(graph)(lanes=4, weights="loaded")
    message = f"content = {other.content}, not {CORE.content}; load another"
    with pytest.raises(WrongBitstreamError, match=message):
        Device(GoldenPort(other), CORE)
    with pytest.raises(WrongBitstreamError, match="lanes = 8, not 4"):
        Device(GoldenPort(network_core(GRAPH)(weights="loaded")), CORE)


def test_a_network_that_the_host_does_not_know():
    data = Identity.of(CORE, 8_000_000).to_bytes()
    unknown = data.replace(CORE.content.encode(), b"0123456789abcdef")
    with pytest.raises(JobError) as caught:
        Identity.from_bytes(unknown)
    assert "network 'board-net' with content '0123456789abcdef', which is not known" in str(
        caught.value
    )
    assert "\n" not in str(caught.value)


def test_output_slots():
    """Each beat is behind the number of its stream, padded to the widest; any order is read."""
    ports = CORE.outputs
    tensors = {"logits": np.array([-1, 5, 300]), "label": np.array(2)}
    data = join_outputs(ports, tensors)
    size = 1 + ports["logits"].beat_bytes
    assert len(data) == output_bytes(ports) == 4 * size
    slots = [data[n : n + size] for n in range(0, len(data), size)]
    assert [slot[0] for slot in slots] == [0, 0, 0, 1]
    assert int.from_bytes(slots[1][1:], "little") == 5
    shuffled = b"".join([slots[0], slots[3], slots[1], slots[2]])
    for name, tensor in split_outputs(ports, shuffled).items():
        assert np.array_equal(tensor, tensors[name])
    with pytest.raises(JobError, match="2 beats of logits, not 3"):
        split_outputs(ports, b"".join(slots[n] for n in (0, 1, 3, 3)))


def test_rates():
    """The line's time of an image overlaps with the core's."""
    core, worst, line = rates(CORE, 8, 1_000_000)
    load = LineLoad.of(CORE, 1_000_000)
    assert core.cycles < worst.cycles == CORE.cycles()
    assert "random images" in core.includes
    assert load.ahead < load.bytes
    rest = load.us - load.ahead_us
    assert line.us == pytest.approx(rest + max(load.ahead_us, core.us))
    assert (line.run, line.per_second) == ("image", pytest.approx(1e6 / line.us))


def test_presets_follow_the_weights():
    """64 bits of weights a cycle on the UP5K, in RAM that is loaded; else block RAM."""
    for bits, lanes in ((8, 8), (6, 8), (4, 16)):
        graph = random_network(**SIZES, weight_bits=bits, name="preset-net")
        core = network_core(graph)
        for board in ("icebreaker", "upduino-v3", "icesugar"):
            settings = core.PRESETS[find_board(board).device.presets].settings
            assert settings == {"lanes": lanes, "weights": "loaded"}
    boards = "ulx3s-25f ulx3s-85f orangecrab-r0.2 colorlight-5a75b tang-nano-20k gatemate-a1-evb"
    for board in boards.split():
        settings = CORE.PRESETS[find_board(board).device.presets].settings
        assert CORE.from_settings(settings).weights == "initial"


def test_what_does_not_fit_is_named():
    device = find_board("icebreaker").device
    small = Synthesis(lut4=100, registers=100, block_rams=30, large_rams=4)
    assert fits(small, device)
    large = replace(small, large_rams=5)
    assert not fits(large, device)
    assert needs(large, device) == ("100 cells of 5280, 30 block RAMs of 30 and 5 large RAMs of 4")
    assert not fits(replace(small, block_rams=31), device)
    assert needs(small, find_board("hx8k-breakout").device).endswith("4 large RAMs of 0")
    plain = replace(small, large_rams=0)
    assert needs(plain, find_board("hx8k-breakout").device).endswith("30 block RAMs of 32")


@pytest.mark.parametrize(("board", "bits"), [("hx8k-breakout", "131,072"), ("icestick", "65,536")])
def test_devices_without_memory_for_the_weights(board, bits, tmp_path):
    """One line, before synthesis."""
    graph = random_network(name="large-net")
    core = network_core(graph)
    device = find_board(board).device
    config = core.from_settings(core.PRESETS[device.presets].settings)
    job = Build(config, find_board(board), 36_000_000, top="link")
    with pytest.raises(
        InputError, match=rf"large-net does not fit .*, the device has {bits}; take"
    ):
        build(job, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_up5k_build(tmp_path):
    """Weights in the large RAM, from the flash memory; the folder holds the network, and the report
    its rates."""
    board = find_board("icebreaker")
    core = type(CORE).from_settings(CORE.PRESETS[board.device.presets].settings)
    report = build(Build(core, board, 24_000_000), tmp_path / "out")
    assert report.timing_met
    assert (report.large_rams, report.large_rams_available) == (4, 4)
    assert report.block_rams < report.block_rams_available == 30
    assert report.loaded == []
    assert digest(load(tmp_path / "out" / str(report.network))) == CORE.DIGEST
    assert [rate["what"] for rate in report.rates] == ["core", "core, worst case", "with the line"]
    assert notes(report.as_dict() | {"loaded": ["weights"]}) != notes(report.as_dict())
    flashing = plan(tmp_path / "out")
    assert flashing.data == tmp_path / "out" / "weights.bin"
    ((port, weights),) = core.loads.values()
    assert flashing.data.read_bytes()[8:] == port.to_bytes(weights)
    assert flashing.commands[0][-2:] == [str(board.flash_at), str(flashing.data)]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "images/s" in page
    assert "large RAMs" in page
