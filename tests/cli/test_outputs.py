"""Output options overwrite only files that Spikeloom wrote."""

import json
import os
import threading

import pytest

from spikeloom.errors import InputError
from spikeloom.outputs import RECORD, output_file, output_folder

GENERATE = ("generate", "ssa", "--set", "tokens=2", "--set", "head_dim=2")


def write(folder, command="generate", **files):
    """Fill an output folder; ``a__b="x"`` is file a/b."""
    with output_folder(folder, command) as staging:
        for name, text in files.items():
            path = staging / name.replace("__", "/")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)


def tree(folder):
    """Every file below `folder` with its text, except record files."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != RECORD
    }


def test_a_second_run_replaces_what_the_first_wrote(tmp_path):
    out = tmp_path / "a" / "out"
    write(out, core="1", board__pins="2", board__old="3", gone__deep="4")
    write(out, core="5", board__pins="6")
    assert tree(out) == {"core": "5", "board/pins": "6"}
    assert {path.name for path in out.iterdir()} == {"core", "board", RECORD}
    assert set(json.loads((out / RECORD).read_text())["files"]) == {"core", "board/pins"}


def test_files_of_the_user_stay(tmp_path):
    out = tmp_path / "out"
    write(out, core="1", board__pins="2")
    (out / "bench.v").write_text("mine")
    (out / "board" / "notes").write_text("mine")
    (out / "src").mkdir()
    write(out, core="3")
    assert tree(out) == {"core": "3", "bench.v": "mine", "board/notes": "mine"}
    assert (out / "src").is_dir()


def changed(out):
    (out / "core").write_text("improved by hand")


def linked(out):
    (out / "core").rename(out / "moved")
    (out / "core").symlink_to("moved")


def replaced(out):
    (out / "core").unlink()
    (out / "core").mkdir()


def forged(out):
    record = {"command": "generate", "files": {"../thesis": "0" * 64}}
    (out / RECORD).write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (changed, "core was changed since `spikeloom generate` wrote it"),
        (linked, "core was changed since"),
        (replaced, "core was changed since"),
        (forged, "holds other files"),
        (lambda out: (out / RECORD).unlink(), "holds other files"),
        (lambda out: (out / RECORD).write_text("[]"), "holds other files"),
    ],
)
def test_changed_outputs_are_refused_before_work_begins(harm, message, tmp_path):
    out = tmp_path / "out"
    write(out, core="1")
    harm(out)
    before = tree(tmp_path)
    begun = False
    with pytest.raises(InputError, match=message), output_folder(out, "generate"):
        begun = True
    assert not begun
    assert tree(tmp_path) == before


def test_a_new_file_does_not_replace_one_of_the_users(tmp_path):
    out = tmp_path / "out"
    write(out, core="1")
    (out / "lint").write_text("mine")
    with pytest.raises(InputError, match="lint is not Spikeloom's"):
        write(out, core="2", lint="new")
    (out / "lint").rename(out / "board")
    with pytest.raises(InputError, match="board is in the way"):
        write(out, core="2", board__pins="new")
    assert tree(out) == {"core": "1", "board": "mine"}


def test_output_of_another_command_is_refused(tmp_path):
    write(tmp_path / "out", "demo ssa", core="1")
    with pytest.raises(InputError, match="holds the output of `spikeloom demo ssa`"):
        write(tmp_path / "out", "demo spiked", core="2")


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_job_that_ends_early_leaves_all_as_it_was(error, tmp_path):
    write(tmp_path / "earlier", core="1")

    def job(folder):
        with output_folder(folder, "generate") as staging:
            (staging / "core").write_text("half")
            raise error

    for folder in (tmp_path / "earlier", tmp_path / "new" / "deep" / "out"):
        with pytest.raises((KeyboardInterrupt, OSError)):
            job(folder)
    assert tree(tmp_path) == {"earlier/core": "1"}
    assert [path.name for path in tmp_path.iterdir()] == ["earlier"]


def test_the_folder_at_hand_and_links_to_folders(spikeloom, tmp_path, monkeypatch):
    """``-o .`` and ``-o LINK``, the first time and again."""
    (tmp_path / "it's a füll path").mkdir()
    (tmp_path / "link").symlink_to("it's a füll path")
    for _ in range(2):
        assert spikeloom(*GENERATE, "-o", "link").code == 0
    assert (tmp_path / "link").is_symlink()
    monkeypatch.chdir(tmp_path / "link")
    (tmp_path / "link" / "tb.v").write_text("mine")
    from spikeloom_cli.main import main

    assert main([*GENERATE, "-o", "."]) == 0
    names = {path.name for path in (tmp_path / "it's a füll path").iterdir()}
    assert {"spikeloom_ssa.v", "manifest.json", "tb.v"} <= names


def test_folders_that_merely_look_like_ours(spikeloom, tmp_path):
    for name in ("manifest.json", "report.json", "demo.md", "bench.json"):
        folder = tmp_path / name.partition(".")[0]
        (folder / "src").mkdir(parents=True)
        (folder / "src" / "work.c").write_text("mine")
        (folder / name).write_text("{}")
        before = tree(folder)
        for command in (
            GENERATE,
            ("build", "ssa", "--board", "icestick"),
            ("demo", "spiked"),
            ("bench", "--only", "software"),
        ):
            ran = spikeloom(*command, "-o", folder)
            assert (ran.code, ran.err.count("\n")) == (2, 1), ran.err
            assert "holds other files" in ran.err or "--only" in ran.err
        assert tree(folder) == before


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("file", "file is a file"),
        ("file/out", "file is not a folder"),
        ("dangling", "is a link to nothing"),
        ("fifo", "fifo is a file"),
        ("/dev/null", "/dev/null is a file"),
        ("/proc/out", "No such file"),  # a folder that takes none
    ],
)
def test_places_that_are_no_folders(place, message, spikeloom, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")
    before = sorted(tmp_path.iterdir())
    ran = spikeloom(*GENERATE, "-o", place)
    assert (ran.code, message in ran.err) == (2, True), ran.err
    assert sorted(tmp_path.iterdir()) == before


def test_each_demo_has_a_folder_of_its_own(spikeloom, monkeypatch):
    from spikeloom_boards.demos import Demo, demo_names
    from spikeloom_cli import demo

    asked = []

    def note(folder, begin):
        asked.append(folder)
        raise InputError("enough")

    monkeypatch.setattr(demo, "find_demo", lambda name: Demo(note, steps=1))
    for name in demo_names():
        spikeloom("demo", name)
    assert len(set(asked)) == len(demo_names()) >= 3


def test_run_writes_into_devices_and_pipes(spikeloom, values, tmp_path):
    """Devices and pipes are not replaced by files."""
    os.mkfifo(tmp_path / "pipe")
    found = []
    reader = threading.Thread(target=lambda: found.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    assert spikeloom("run", "ssa", *values, "-o", "pipe").code == 0
    reader.join(10)
    assert spikeloom("run", "ssa", *values, "-o", "o.npy").code == 0
    assert found == [(tmp_path / "o.npy").read_bytes()]
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "null.npy").symlink_to("/dev/null")
    assert spikeloom("run", "ssa", *values, "-o", "null.npy").code == 0
    assert (tmp_path / "null.npy").is_char_device()
    ran = spikeloom("run", "ssa", *values, "-o", "/dev/full")
    assert (ran.code, "No space left" in ran.err, ran.err.count("\n")) == (1, True, 1)


def test_a_file_keeps_its_mode_and_its_link(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    with output_file(tmp_path / "link") as staging:
        staging.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "q.npy"], "-o q.npy is the file of operand q as well"),
        (["-o", "./again.npy"], "is the file of operand v as well"),
        (["-o", "folder"], "folder is a folder"),
        (["-o", "q.npy/o.npy"], "does not exist"),
        (["-o", "away/o.npy"], "does not exist"),
        (["-o", "/proc/o.npy"], "folder /proc takes no file"),
        (["-o", "w.vcd", "--wave", "w.vcd", "--backend", "rtl"], "is the file of -o as well"),
        (["-o", "o.npy", "--wave", "no/w.vcd", "--backend", "rtl"], "folder no does not exist"),
    ],
)
def test_run_refuses_its_outputs_before_it_begins(
    options, message, spikeloom, values, tmp_path, monkeypatch
):
    (tmp_path / "folder").mkdir()
    (tmp_path / "again.npy").symlink_to("v.npy")
    (tmp_path / "away").symlink_to("nowhere")
    monkeypatch.setattr("spikeloom_cli.run.Golden", None)
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    ran = spikeloom("run", "ssa", *values, *options)
    assert (ran.code, message in ran.err, ran.err.count("\n")) == (2, True, 1), ran.err
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    "command",
    [
        ("regress", "ssa", "--only", "ssa: one token", "--junit", "no/r.xml"),
        ("regress", "ssa", "--only", "ssa: one token", "--junit", "."),
    ],
)
def test_regress_refuses_its_output_before_it_begins(command, spikeloom, monkeypatch):
    monkeypatch.setattr("spikeloom_cli.regress.run_suite", None)
    assert spikeloom(*command).code == 2
