"""The notebooks of ``examples/notebooks`` run, and print what they hold."""

import json

import pytest

from tests.pages import ROOT

NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))


def printed(cells):
    """The text that each cell printed, and the number of its pictures."""
    outputs = [cell["outputs"] for cell in cells if cell["cell_type"] == "code"]
    texts = ["".join("".join(one.get("text", "")) for one in cell) for cell in outputs]
    return texts, sum("image/png" in one.get("data", {}) for cell in outputs for one in cell)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_kept_and_small(path):
    notebook = json.loads(path.read_text())
    texts, _ = printed(notebook["cells"])
    assert any(texts)
    assert path.stat().st_size < 120_000
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "widgets" not in notebook["metadata"]  # the slider is made anew


@pytest.mark.long
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path, tmp_path, monkeypatch):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.read(path, as_version=4)
    expected = printed(notebook.cells)
    place = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=600, resources=place).execute()
    texts, pictures = printed(notebook.cells)
    assert texts == expected[0]
    assert pictures >= expected[1] > 0 or path.stem == "network"
