"""Every public function outside `elaborate` says what it takes and what it gives back."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import spikeloom
import spikeloom_boards
import spikeloom_cli
import spikeloom_sim

PACKAGES = (spikeloom, spikeloom_sim, spikeloom_boards, spikeloom_cli)


def functions(node: ast.AST, method: bool = False) -> Iterator[tuple[ast.FunctionDef, bool]]:
    """Functions of a module and of its classes, and whether each is a method."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield child, method
        elif not isinstance(child, ast.expr):
            yield from functions(child, isinstance(child, ast.ClassDef) or method)


def bare(source: str) -> list[str]:
    """Public functions of `source` without an annotation, each with its line and what it lacks."""
    found = []
    for function, method in functions(ast.parse(source)):
        name, given = function.name, function.args
        if name == "elaborate" or (name.startswith("_") and name != "__init__"):
            continue
        static = any(getattr(one, "id", "") == "staticmethod" for one in function.decorator_list)
        parameters = [*given.posonlyargs, *given.args][int(method and not static) :]
        parameters += [*given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
        lacks = [one.arg for one in parameters if one.annotation is None]
        lacks += ["return"] * (function.returns is None)
        if lacks:
            found.append(f"{function.lineno} {name}: {', '.join(lacks)}")
    return found


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_every_public_function_is_annotated(package):
    folder = Path(package.__file__).parent
    files = sorted(folder.rglob("*.py"))
    assert files
    assert [
        f"{path.relative_to(folder)}:{one}"
        for path in files
        for one in bare(path.read_text(encoding="utf-8"))
    ] == []


@pytest.mark.parametrize(
    ("source", "lacks"),
    [
        ("def f(a): pass", ["1 f: a, return"]),
        ("def f(a: int): pass", ["1 f: return"]),
        ("def f(*, a) -> int: pass", ["1 f: a"]),
        ("def f(*a, **b) -> int: pass", ["1 f: a, b"]),
        ("async def f() -> None: pass", []),
        ("def _f(a): pass", []),
        ("class A:\n    def f(self, a) -> int: pass", ["2 f: a"]),
        ("class A:\n    def __init__(self, a): pass", ["2 __init__: a, return"]),
        ("class A:\n    @staticmethod\n    def f(a) -> int: pass", ["3 f: a"]),
        ("class A:\n    def elaborate(self, platform): pass", []),
        ("if True:\n    def f(a) -> int: pass", ["2 f: a"]),
    ],
)
def test_the_search_finds_what_lacks(source, lacks):
    assert bare(source) == lacks
