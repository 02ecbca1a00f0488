"""`load_tensor`: any .npy file is loaded completely or refused in one line, without a warning."""

import io
import os
import struct
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spikeloom import memory
from spikeloom.errors import InputError
from spikeloom_sim.tensors import load_tensor

MAGIC = b"\x93NUMPY"


def npy(header, data=b"", version=(1, 0), length=None):
    """A .npy file of a header, as text or bytes, and what follows it."""
    header = header.encode() if isinstance(header, str) else header
    field = "<H" if version == (1, 0) else "<I"
    length = len(header) if length is None else length
    limit = 256 ** struct.calcsize(field) - 1
    return MAGIC + bytes(version) + struct.pack(field, min(length, limit)) + header + data


def header_of(shape, descr="'<f8'", fortran="False"):
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n"


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def refusal_of(path, content):
    """The error message for a file with `content`."""
    path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        load_tensor(path, "q")
    line = str(refused.value)
    assert line.startswith("q: ")
    assert "\n" not in line
    return line


# Every file of these loads, and is then equal to what NumPy makes of it.


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4),
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(24, dtype=">i4").reshape(2, 3, 4),
        np.asfortranarray(np.arange(24, dtype=">f8").reshape(2, 3, 4)),
        np.arange(4, dtype=np.float16),
        np.arange(4, dtype=np.longdouble) / 3,
        np.array([[True, False]]),
        np.array(2, np.uint8),
        np.array([2**64 - 1], np.uint64),
    ],
    ids=lambda array: f"{array.dtype.str} {array.shape}",
)
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_what_numpy_saves_loads(tmp_path, array, version):
    with (tmp_path / "q.npy").open("wb") as file:
        np.lib.format.write_array(file, array, version)
    tensor = load_tensor(tmp_path / "q.npy", "q")
    assert np.array_equal(tensor, array.astype(tensor.dtype))
    assert tensor.flags.c_contiguous
    assert tensor.dtype.isnative
    assert tensor.dtype.itemsize <= 8


HUGE = header_of("(1000000000000, 8)")
BAD = {
    "empty": (b"", "is empty"),
    "text": (b"1 2 3", "is not a .npy file"),
    "archive": (b"PK\x03\x04rest", "is an .npz archive; save each array by itself"),
    "magic alone": (MAGIC, "unknown .npy format version"),
    "version": (npy(header_of("(4,)"), bytes(32), (9, 1)), "unknown .npy format version"),
    "no length": (MAGIC + b"\x01\x00", "its header cannot be read"),
    "header cut": (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (4,"), "header cannot"),
    "header shorter than said": (npy(header_of("(4,)"), length=9000), "header cannot be read"),
    "long header": (npy(header_of("(4,)") + " " * 10_001), "has a header of 100"),
    "very long header": (npy("{}", version=(2, 0), length=2**32 - 1), "header of 4294967295 bytes"),
    "deep header": (npy("(" * 9000), "header cannot be read"),
    "long number": (npy(header_of(f"({'9' * 5000},)")), "header cannot be read"),
    "escape": (npy(header_of("(4,)", descr=r"'\d'")), "header cannot be read"),
    "keys": (npy("{'descr': '<f8', 'shape': (4,)}"), "header cannot be read"),
    "list shape": (npy(header_of("[4]"), bytes(32)), "header cannot be read"),
    "float shape": (npy(header_of("(4.0,)"), bytes(32)), "header cannot be read"),
    "negative shape": (npy(header_of("(-4,)"), bytes(32)), "(-4,) is not a shape"),
    "bool shape": (npy(header_of("(True, 4)"), bytes(32)), "(True, 4) is not a shape"),
    "many axes": (npy(header_of((1,) * 100), bytes(8)), "is not a shape"),
    "fortran word": (npy(header_of("(4,)", fortran="'no'"), bytes(32)), "header cannot be read"),
    "descr": (npy(header_of("(4,)", descr="'<f9'"), bytes(36)), "header cannot be read"),
    "huge": (npy(HUGE, bytes(64)), "needs 64000000000000 bytes and 64 follow the header"),
    "beyond 64 bits": (npy(header_of("(10**30,)".replace("10**30", str(10**30)))), "follow the"),
    "huge and zero": (npy(header_of("(0, 1000000000000)")), "holds no numbers"),
    "cut off": (saved(np.ones(4))[:-9], "needs 32 bytes and 23 follow the header"),
    "trailing": (saved(np.ones(4)) + b"x", "1 bytes follow its array"),
    "two arrays": (2 * saved(np.ones(4)), "follow its array; save one array in a file"),
    "structured": (saved(np.zeros(2, "i4,f8")), "not real numbers"),
    "subarray": (npy(header_of("(2,)", descr="('<f8', (2,))"), bytes(32)), "not real numbers"),
    "complex": (saved(np.ones(2) * 1j), "holds complex128, not real numbers"),
    "strings": (saved(np.array(["a"])), "holds <U1, not real numbers"),
    "bytes": (saved(np.array([b"a"])), "holds |S1, not real numbers"),
    "dates": (saved(np.array(["2020"], "M8[Y]")), "not real numbers"),
    "void": (saved(np.zeros(2, "V4")), "not real numbers"),
    "objects": (npy(header_of("(1,)", descr="'|O'"), b"cpickle"), "holds pickled objects"),
    "NaN": (saved(np.array([[0, np.nan]])), "NaN or infinity at (0, 1)"),
    "half infinite": (saved(np.array([np.inf], np.float16)), "NaN or infinity at (0,)"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files(tmp_path, case):
    content, message = BAD[case]
    assert message in refusal_of(tmp_path / "q.npy", content)


@pytest.mark.skipif(np.finfo(np.longdouble).maxexp <= 1024, reason="longdouble is a double here")
def test_beyond_a_double(tmp_path):
    content = saved(np.array([np.longdouble("1e4000")]))
    assert "NaN or infinity" in refusal_of(tmp_path / "q.npy", content)


def test_places_without_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "closed.npy").symlink_to("closed.npy")
    for path, message in (
        (tmp_path, "is a folder"),
        (tmp_path / "pipe", "is a pipe or a device"),
        ("/dev/zero", "is a pipe or a device"),
        (tmp_path / "none.npy", "cannot be read (No such file or directory)"),
        (tmp_path / "closed.npy", "cannot be read (Too many levels of symbolic links)"),
        (tmp_path / ("n" * 300), "cannot be read (File name too long)"),
    ):
        with pytest.raises(InputError) as refused:
            load_tensor(path, "q")
        assert message in str(refused.value)


def test_more_than_the_memory(tmp_path):
    """A sparse file as large as its header says, beyond any machine's memory."""
    path = tmp_path / "q.npy"
    content = npy(header_of("(100000000000, 8)"))
    path.write_bytes(content)
    os.truncate(path, len(content) + 64 * 10**11)
    with pytest.raises(InputError, match=r"takes about 6\.4 TB of memory .* reduce the tensor"):
        load_tensor(path, "q")


def test_available_memory_heeds_the_control_group(tmp_path, monkeypatch):
    everything = memory.available_memory()
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("2000\n")
    assert memory.available_memory() == 3000 < everything
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available_memory() > 3000


# Headers like a real one, pieces of it replaced, cut or doubled.

NUMBERS = st.one_of(
    st.integers(-3, 9),
    st.integers(),
    st.booleans(),
    st.none(),
    st.floats(),
    st.sampled_from([2**31, 2**63 - 1, 2**64, 10**12, 10**40]),
    st.text(max_size=3),
)
SHAPES = st.one_of(
    st.lists(st.integers(0, 4), max_size=4).map(tuple),
    st.lists(NUMBERS, max_size=5).map(tuple),
    NUMBERS,
)
DTYPES = st.sampled_from(
    [
        *("<f8", ">f4", "<f2", "|b1", "<i8", ">u2", "|i1", "<f16", "<c8", "|O", "<U3", "|S2"),
        *("|V3", "<M8[s]", "f", "", "<f3", "q", "O8", "<f8,<i4", "🐍"),
    ]
)
DESCRS = st.one_of(
    DTYPES.map(repr),
    st.lists(st.tuples(st.sampled_from("abñ"), DTYPES), max_size=2).map(repr),
    st.tuples(DTYPES, SHAPES).map(repr),
    st.text(max_size=6),
)
HEADERS = st.builds(
    lambda shape, descr, fortran, end: header_of(shape, descr, fortran).rstrip() + end,
    SHAPES.map(repr),
    DESCRS,
    st.sampled_from(["False", "True", "1", "None", "'no'"]),
    st.sampled_from(["\n", "", "  \n", "\n\n", "x", "\0", "L\n"]),
).map(lambda text: text.encode("utf-8", "surrogatepass"))


@st.composite
def files(draw):
    """A .npy file, most of them damaged."""
    header = draw(HEADERS)
    match draw(st.sampled_from(["as it is", "cut", "replaced", "doubled", "noise"])):
        case "cut":
            header = header[: draw(st.integers(0, len(header)))]
        case "replaced":
            at = draw(st.integers(0, len(header)))
            header = header[:at] + draw(st.binary(max_size=4)) + header[at + draw(NEAR) :]
        case "doubled":
            at = draw(st.integers(0, len(header)))
            header = header[:at] * draw(st.integers(1, 400)) + header[at:]
        case "noise":
            header = draw(st.binary(max_size=80))
    version = draw(st.sampled_from([(1, 0), (1, 0), (2, 0), (3, 0), (0, 0), (4, 2)]))
    length = draw(st.one_of(st.none(), st.none(), st.integers(0, 2**32)))
    data = draw(st.one_of(st.binary(max_size=200), st.integers(0, 300).map(bytes)))
    content = npy(header, data, version, length)
    return content[: draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))]


NEAR = st.integers(0, 4)


@st.composite
def arrays_cut_or_not(draw):
    """Arrays saved by NumPy, some with a byte changed, removed or added."""
    dtype = draw(st.sampled_from(["<f8", ">f8", "<f4", "<f2", "|b1", "<i4", ">u2", "|u1", "<i8"]))
    shape = draw(st.lists(st.integers(1, 4), max_size=4))
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    content = bytearray(saved(np.asfortranarray(array) if draw(st.booleans()) else array))
    for _ in range(draw(st.integers(0, 2))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: len(content) - draw(st.sampled_from([0, 0, 0, 1, 8]))])


def loads_or_says_why(path, content):
    """Either the loaded tensor equals NumPy's, or the error is one line."""
    path.write_bytes(content)
    with warnings.catch_warnings(action="error"):
        try:
            tensor, message = load_tensor(path, "q"), None
        except InputError as error:
            message = str(error)
    if message is not None:
        assert message.startswith("q: ")
        assert message.splitlines() == [message]
        assert len(message) < 400 + len(str(path))
        return
    with warnings.catch_warnings(action="ignore"):
        expected = np.load(path, allow_pickle=False)
    assert np.array_equal(tensor, expected.astype(tensor.dtype))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "q.npy"


def fuzz(examples):
    """Load `examples` random files."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(content=st.one_of(files(), arrays_cut_or_not(), st.binary(max_size=200)))
    def test(path, content):
        loads_or_says_why(path, content)

    return test


test_fuzz = fuzz(500)
test_fuzz_long = pytest.mark.slow(fuzz(10_000))
