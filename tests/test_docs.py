"""The documentation's code runs, page by page, and its links lead somewhere."""

import ast
import inspect
import json
import re
import runpy
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
    "scaling_out": "distributed",
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
# What others say and leave behind: open loops of Dask.
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    # Another cluster may have the port of the dashboard.
    "ignore:Port .* is already in use:UserWarning",
    "ignore:OptunaSearchCV is experimental",
)
def test_code_runs(page, monkeypatch):
    if page.stem in NEEDS:
        pytest.importorskip(NEEDS[page.stem])
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
        code = re.sub(r"\A(---\n[\s\S]*?^---\n|(:\w+:.*\n)+)", "", cell, flags=re.M)
        assert code.strip(), cell
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


def test_the_api_pages_name_all_that_is_public():
    pages = [page.read_text("utf-8") for page in (DOCS / "reference").glob("*.md")]
    told = set(re.findall(r":: sklstm\.(\S+)", "\n".join(pages)))
    for path in sorted((DOCS.parent / "sklstm").glob("[a-z]*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for node in tree.body:
            if isinstance(node, ast.Assign) and node.targets[0].id == "__all__":
                for name in ast.literal_eval(node.value):
                    assert told & {name, f"{path.stem}.{name}"}, name
    assert set(sklstm.__all__) - {"__version__"} <= told


@pytest.mark.parametrize("name", ["LSTMForecaster", "LSTMTextClassifier"])
def test_tables_of_the_api_hold_each_parameter_and_method_once(name):
    cls, groups = getattr(sklstm, name), runpy.run_path(DOCS / "api_groups.py")
    parameters = sum(groups["PARAMETERS"][name].values(), ())
    assert sorted(parameters) == sorted(inspect.signature(cls).parameters)
    methods = sum(groups["METHODS"][name].values(), ())
    assert sorted(methods) == sorted(
        own
        for own, value in inspect.getmembers(cls, callable)
        if own[0] != "_" and value.__module__.startswith("sklstm")
    )
    page = next(
        text
        for page in (DOCS / "reference").glob("*.md")
        if f":: sklstm.{name}\n" in (text := page.read_text("utf-8"))
    )
    (members,) = re.findall(r":members: (.*)", page)
    assert sorted(members.split(", ")) == sorted(methods)


def literals(node):
    """Yield texts of an expression; each value in a formatted one is an ellipsis."""
    for part in ast.walk(node):
        if isinstance(part, ast.JoinedStr):
            values = part.values
            yield "".join(
                getattr(value, "value", "") if isinstance(value, ast.Constant) else "…"
                for value in values
            )
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def test_messages_in_troubleshooting_are_those_of_the_library():
    page = (DOCS / "reference" / "troubleshooting.md").read_text("utf-8")
    quoted = re.findall(r"^`(.+?)`.*\n: ", page.partition("## Symptoms")[0], re.M)
    assert len(quoted) > 70
    sources = (DOCS.parent / "sklstm").rglob("*.py")
    texts = [
        text
        for path in sources
        for text in literals(ast.parse(path.read_text("utf-8")))
    ]
    for message in quoted:
        assert any(message in text for text in texts), message


def test_tests_that_a_page_names_are_there():
    tests = DOCS.parent / "tests"
    found = [
        name
        for file in tests.glob("**/test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.M)
    ]
    named = re.findall(
        r"`(test_\w+)(…?)`", (DOCS / "design" / "text_cases.md").read_text("utf-8")
    )
    for name, more in named:
        is_there = any(one.startswith(name) for one in found) if more else name in found
        assert is_there, name


def test_what_users_type_stands_in_a_title_heading_or_term():
    searches = runpy.run_path(DOCS / "searches.py")
    pairs, found = searches["headings_of_sources"](), searches["pages_found"]
    assert [query for query in searches["SEARCHES"] if not found(query, pairs)] == []


def test_words_of_the_table_of_search_terms_stand_where_it_leads():
    assert runpy.run_path(DOCS / "searches.py")["words_not_found"]() == []


def test_commits_of_the_summary_of_benchmarks_stand_on_the_pages_of_details():
    folder = DOCS / "benchmarks"
    rows = re.findall(
        r"\]\(([^)]+\.md)\), (`.*`) \|$", (folder / "index.md").read_text("utf-8"), re.M
    )
    assert len(rows) > 30
    for page, commits in rows:
        details = (folder / page).read_text("utf-8")
        for commit in re.findall(r"\w+", commits):
            assert commit in details, (page, commit)


@pytest.fixture(scope="module")
def publishing():
    return runpy.run_path(DOCS / "publish.py")


def publish_versions(publishing, folder, *releases):
    built = folder / "built"
    (built / "guide").mkdir(parents=True)
    (built / "guide" / "index.html").touch()
    (built / "objects.inv").touch()
    for release in releases:
        publishing["publish"](folder / "site", built, release)
    return json.loads((folder / "site" / "versions.json").read_text("utf-8"))


def test_the_version_switch_lists_every_folder_of_the_site(publishing, tmp_path):
    releases = "0.9.0", "0.10.0", "0.11.0.dev0", "0.10.1"
    entries = publish_versions(publishing, tmp_path, *releases)
    assert [e["version"] for e in entries] == ["dev", "0.10.1", "0.10.0", "0.9.0"]
    assert [e["preferred"] for e in entries] == [False, True, False, False]
    for entry in entries:
        # Addresses are relative to the folder of any version.
        assert (tmp_path / "site" / "dev" / entry["url"] / "guide/index.html").exists()
        assert entry["name"].startswith(entry["version"])
    first = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert "url=0.10.1/index.html" in first


def test_a_development_version_is_preferred_where_there_is_no_release(
    publishing, tmp_path
):
    (entry,) = publish_versions(publishing, tmp_path, "0.1.0.dev0", "0.1.0.dev1")
    assert entry == {
        "version": "dev",
        "name": "dev",
        "url": "../dev/",
        "preferred": True,
    }
    with pytest.raises(FileNotFoundError, match="holds no built site. Run make docs"):
        publishing["publish"](tmp_path / "site", tmp_path / "missing", "0.1.0")
    assert (tmp_path / "site" / "dev" / "guide").exists()


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
