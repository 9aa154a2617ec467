"""The documentation's code runs, page by page, and its links lead somewhere."""

import ast
import re
import tomllib
from functools import partial
from pathlib import Path

import pytest

import sklstm

DOCS = Path(__file__).parents[1] / "docs"
WRITTEN = [
    page
    for page in sorted([*DOCS.glob("**/*.md"), *DOCS.parent.glob("*.md")])
    if not {"_build", "auto_examples"} & set(page.parts)
]
# What the code of a page needs beyond NumPy and a backend.
NEEDS = {
    "from_scikeras": "scikeras",
    "scaling_out": "distributed",
    "plotting": "matplotlib",
    "tuning": "optuna_integration",
}
# The build of the site runs these pages.
NOTEBOOKS = [
    page
    for page in WRITTEN
    if page.read_text("utf-8").startswith("---\nfile_format: mystnb\n")
]
PAGES = [
    page
    for page in WRITTEN
    if page not in NOTEBOOKS and "```python\n" in page.read_text("utf-8")
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
# What others say and leave behind: open loops of Dask, pictures that no screen shows.
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore:FigureCanvasAgg is non-interactive:UserWarning",
    # Another cluster may have the port of the dashboard.
    "ignore:Port .* is already in use:UserWarning",
    "ignore:OptunaSearchCV is experimental",
)
def test_code_runs(page, monkeypatch):
    if page.stem in NEEDS:
        pytest.importorskip(NEEDS[page.stem])
    if page.stem == "plotting":
        import matplotlib

        matplotlib.use("Agg")
    if page.stem == "scaling_out":
        from dask import distributed

        # Workers as threads start at once; test_dask.py has processes.
        client = partial(distributed.Client, processes=False, dashboard_address=None)
        monkeypatch.setattr(distributed, "Client", client)
    names = {"__name__": page.stem}
    for block in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.S):
        exec(compile(block, str(page), "exec"), names)


@pytest.mark.parametrize("page", NOTEBOOKS, ids=lambda page: page.stem)
def test_cells_compile(page):
    cells = re.findall(
        r"^```\{code-cell\}.*?\n(.*?)^```$", page.read_text("utf-8"), re.S | re.M
    )
    assert cells
    for cell in cells:
        # Options of the cell stand before its code, as `:tags:` or between dashes.
        code = re.sub(r"\A(---\n.*?^---\n|(:\w+:.*\n)+)", "", cell, flags=re.S | re.M)
        compile(code, str(page), "exec")


def test_only_notebooks_have_cells_and_each_block_of_them_is_one():
    for page in WRITTEN:
        text = page.read_text("utf-8")
        block = "```python\n" if page in NOTEBOOKS else "```{code-cell}"
        assert block not in text, page


def test_the_oldest_environment_has_the_floors_that_installing_names():
    root = DOCS.parent
    oldest = root / ".ci" / "oldest.txt"
    if not oldest.exists():
        pytest.skip("The archive has no .ci.")
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    floors = dict(d.split(">=") for d in project["dependencies"])
    tested = dict(line.split("==") for line in oldest.read_text("utf-8").split())
    for name, floor in floors.items():
        assert f"{tested[name]}.".startswith(f"{floor}."), name


def test_the_api_page_names_all_that_is_public():
    told = set(re.findall(r":: sklstm\.(\S+)", (DOCS / "api.md").read_text("utf-8")))
    for path in sorted((DOCS.parent / "sklstm").glob("[a-z]*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for node in tree.body:
            if isinstance(node, ast.Assign) and node.targets[0].id == "__all__":
                for name in ast.literal_eval(node.value):
                    assert told & {name, f"{path.stem}.{name}"}, name
    assert set(sklstm.__all__) - {"__version__"} <= told


def anchors(page):
    """Return the anchors that Sphinx and repository hosts make of headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.M)
    return {
        re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings
    }


@pytest.mark.parametrize("page", WRITTEN, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_links_lead_to_files_and_headings(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"https?://|mailto:", link):
            continue
        target, _, heading = link.partition("#")
        if "auto_examples/" in target:  # made from the examples
            made = DOCS.parent / "examples" / f"{Path(target).stem}.py"
            assert made.exists() or Path(target).stem == "index", link
            continue
        found = page.parent / target if target else page
        assert found.exists(), link
        if heading:
            assert heading in anchors(found), link
