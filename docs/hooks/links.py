"""Hook of the site: pages from outside ``docs/``, and links that also work in the repository.

A page links to files by their place in the repository. In the site, a link to a Markdown file of
`PAGES` leads to its page, and a link to another file outside ``docs/`` to a page with its text.
"""

import json
import re
from pathlib import Path
from posixpath import dirname, join, normpath, relpath

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "constraints/README.md": "constraints.md",
}
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)")
LANGUAGES = {".py": "python", ".toml": "toml", ".md": "markdown"}


def origin(page):
    """The place in the repository of a page of the site."""
    if page.startswith("source/"):
        return page.removeprefix("source/").removesuffix(".md")
    return next((path for path, name in PAGES.items() if name == page), f"docs/{page}")


def targets(path, text):
    """The places in the repository that the file `path` with this text links to."""
    return {match: normpath(join(dirname(path), match)) for match in LINK.findall(text)}


def place(target):
    """The page or file of the site for a place in the repository."""
    if target in PAGES:
        return PAGES[target]
    return target.removeprefix("docs/") if target.startswith("docs/") else f"source/{target}.md"


def source_page(target):
    """A page with the text of a file, or with the names in a folder."""
    path = ROOT / target
    if path.is_dir():
        names = sorted(one.name for one in path.iterdir() if not one.name.startswith(("_", ".")))
        return f"# `{target}`\n\n" + "\n".join(f"- `{name}`" for name in names) + "\n"
    if path.suffix == ".ipynb":
        return notebook_page(json.loads(path.read_text(encoding="utf-8")))
    language = LANGUAGES.get(path.suffix, "text")
    return f"# `{target}`\n\n````{language}\n{path.read_text(encoding='utf-8')}````\n"


def notebook_page(notebook):
    """A page with the cells of a notebook and the outputs that it holds."""
    parts = []
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(text)
            continue
        parts.append(f"```python\n{text}\n```")
        for output in cell["outputs"]:
            if "text" in output:
                parts.append(f"```text\n{''.join(output['text'])}```")
            elif picture := output.get("data", {}).get("image/png"):
                picture = "".join(picture).replace("\n", "")
                parts.append(f"![drawn by the cell above](data:image/png;base64,{picture})")
    return "\n\n".join(parts) + "\n"


def on_files(files, config):
    """Add the pages of `PAGES` and those of source files that a page links to."""
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in PAGES}
    for path, text in texts.items():
        files.append(File.generated(config, PAGES[path], content=text))
    for file in files.documentation_pages():
        path = origin(file.src_uri)
        text = texts.get(path) or file.content_string
        for target in targets(path, text).values():
            page = place(target)
            if page.startswith("source/") and page not in files.src_uris:
                files.append(File.generated(config, page, content=source_page(target)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Links of the repository as links of the site."""
    name = page.file.src_uri
    if name.startswith("source/") and not name.endswith(".ipynb.md"):
        return markdown
    found = targets(origin(name), markdown)
    return LINK.sub(lambda match: relpath(place(found[match[1]]), dirname(name) or "."), markdown)
