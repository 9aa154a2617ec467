"""The documentation's code runs, page by page."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [DOCS / "index.md", *sorted(DOCS.glob("guide/*.md"))]
PAGES = [page for page in PAGES if "```python" in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_runs(page):
    matplotlib = pytest.importorskip("matplotlib")
    pytest.importorskip("safetensors")
    matplotlib.use("Agg")
    names = {"__name__": page.stem}
    for block in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.S):
        exec(compile(block, str(page), "exec"), names)


@pytest.mark.parametrize("page", sorted(DOCS.glob("**/*.md")), ids=lambda p: p.stem)
def test_links_lead_to_files(page):
    if "_build" in page.parts or "auto_examples" in page.parts:
        return
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("auto_examples"):
            assert (page.parent / target).exists(), target
