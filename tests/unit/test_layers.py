"""Allowed imports between packages; golden models and components are separate."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSES = {"hdl": "spikeloom", "sim": "spikeloom_sim", "models": "spikeloom_models"}
HOUSES |= {"boards": "spikeloom_boards", "cli": "spikeloom_cli"}
LAYERS = list(HOUSES.values())  # each may import those before it


def imports(path):
    """Absolute names of the modules that a file imports, wherever in it."""
    package = list(path.relative_to(ROOT).parts[1:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            yield module
            yield from (f"{module}.{name.name}" for name in node.names)


FILES = [path for house in HOUSES for path in sorted((ROOT / house).rglob("*.py"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_arrow_runs_back_up(path):
    own = HOUSES[path.relative_to(ROOT).parts[0]]
    above = LAYERS[LAYERS.index(own) + 1 :]
    for name in imports(path):
        assert name.split(".")[0] not in above, f"{own} imports {name}"


GOLDEN = [path for path in FILES if "golden" in path.stem or path.parent.name == "golden"]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_golden_models_never_see_hardware(path):
    """Neither do the modules that they import."""
    seen, waiting = set(), [path]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        tree = ast.parse(current.read_text())
        top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        for node in top:
            names = [n.name for n in node.names] if isinstance(node, ast.Import) else [node.module]
            assert not any(str(name).startswith("amaranth") for name in names), current
        for name in imports(current):
            found = ROOT / "hdl" / Path(*name.split("."))
            if found.with_suffix(".py").exists() and _imported_at_once(tree, name):
                waiting.append(found.with_suffix(".py"))


def _imported_at_once(tree, name):
    """Whether an import of the module stands outside functions."""
    last = name.split(".")[-1]
    return any(
        isinstance(node, ast.ImportFrom)
        and (str(node.module).split(".")[-1] == last or last in (n.name for n in node.names))
        for node in tree.body
    )


def test_golden_models_were_found():
    names = {
        path.relative_to(ROOT / "hdl" / "spikeloom").parts[1]
        for path in GOLDEN
        if "cores" in path.parts
    }
    assert {"ssa", "a2os2a", "spiked", "spiking_neurons", "relu_quantiser"} <= names


def test_block_is_a_short_composition():
    """`a2os2a_block` adds at most 80 lines of code to the cores that it uses, besides its keys."""
    path = ROOT / "hdl/spikeloom/cores/a2os2a_block/core.py"
    lines = dict(enumerate(path.read_text().splitlines(), 1))
    for node in ast.walk(ast.parse(path.read_text())):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if documented and ast.get_docstring(node):
            node = node.body[0]
        elif not isinstance(node, ast.Import | ast.ImportFrom | ast.AnnAssign):
            continue
        for number in range(node.lineno, node.end_lineno + 1):
            lines.pop(number, None)
    assert 20 < sum(bool(line.strip()) for line in lines.values()) <= 81  # `if TYPE_CHECKING:`
