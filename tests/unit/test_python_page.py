"""Every program of ``docs/python.md`` runs and prints what the page says it does."""

import re

from tests.pages import DOCS

PAGE = (DOCS / "python.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def test_programs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kinds = [kind for kind, _ in BLOCK.findall(PAGE)]
    assert kinds == ["python", "text"] * (len(kinds) // 2)
    names, printed = {}, ""
    for kind, text in BLOCK.findall(PAGE):
        if kind == "python":
            exec(compile(text, "docs/python.md", "exec"), names)
            printed = capsys.readouterr().out
        else:
            assert printed == text
    assert not list(tmp_path.iterdir())
