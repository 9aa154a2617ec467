"""Look up what users type in the search field of the site, and say where it is found.

python docs/searches.py                                   # in the sources of the pages
python docs/searches.py docs/_build/html/searchindex.js   # in the index of a built site

A query is found if all its words stand in one title, heading or term of the glossary.
A word of the table of search terms is found if it stands where its row leads.
"""

import json
import re
import sys
from pathlib import Path

DOCS = Path(__file__).parent
SEARCHES = (
    "anomaly detection",
    "backtesting",
    "calendar",
    "calibrated probabilities",
    "callbacks",
    "citation",
    "class weights",
    "cold start",
    "conformal",
    "covariates",
    "custom network",
    "docker",
    "early stopping",
    "embeddings",
    "error message",
    "exogenous variables",
    "fastapi",
    "feature importance",
    "gpu",
    "grid search",
    "hyperparameter tuning",
    "imbalanced",
    "install",
    "learning curves",
    "missing values",
    "multi-label",
    "multivariate",
    "n_jobs",
    "onnx",
    "pipeline",
    "prediction intervals",
    "pretrained",
    "probabilistic",
    "quantile",
    "random_state",
    "save load model",
    "seasons",
    "streaming",
    "window length",
    "zero-shot",
)


def headings_of_sources():
    """Return pairs of a heading and its page."""
    pairs = []
    for path in sorted(DOCS.rglob("*.md")):
        page = path.relative_to(DOCS).as_posix()
        if page.startswith(("_build", "auto_examples")):
            continue
        text = path.read_text("utf-8")
        for glossary in re.findall(r"```\{glossary\}\n(.*?)```", text, re.S):
            pairs += [(t, page) for t in re.findall(r"^(\S.*)$", glossary, re.M)]
        # Comments of code begin with the sign of a heading.
        prose = re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)
        pairs += [(h, page) for h in re.findall(r"^#{1,3} (.*)$", prose, re.M)]
    return pairs


def headings_of_index(path):
    """Return pairs of a title or object and its page from an index of Sphinx."""
    text = Path(path).read_text("utf-8")
    index = json.loads(text[text.index("{") : text.rindex("}") + 1])
    pages = index["docnames"]
    # Glossaries make entries of the index.
    return [
        (text, pages[place[0]])
        for kind in ("alltitles", "indexentries")
        for text, places in index[kind].items()
        for place in places
    ]


def pages_found(query, pairs):
    """Return the pages with a heading that has all words of the query."""
    words = query.lower().split()
    found = [
        page for heading, page in pairs if all(w in heading.lower() for w in words)
    ]
    return list(dict.fromkeys(found))


def glossary():
    """Return the entry of each term of the glossary."""
    text = (DOCS / "reference" / "glossary.md").read_text("utf-8")
    blocks = re.findall(r"```\{glossary\}\n(.*?)```", text, re.S)
    return {
        term: entry
        for block in blocks
        for entry in block.split("\n\n")
        for term in re.findall(r"^(\S.*)$", entry, re.M)
    }


def words_not_found():
    """Return words of the table of search terms that do not stand where it leads."""
    table, entries = DOCS / "reference" / "search_terms.md", glossary()
    rows, missing = table.read_text("utf-8").partition("\n## ")[0], []
    for words, targets in re.findall(r"^\| (?!you)(\S.*?) \| (.*) \|$", rows, re.M):
        texts = [entries[term] for term in re.findall(r"\{term\}`(.+?)`", targets)]
        for link in re.findall(r"\]\((.+?\.md)\)", targets):
            texts.append((table.parent / link).read_text("utf-8"))
        text = " ".join(texts).lower()
        for word in words.split(", "):
            if not all(part in text for part in word.lower().split()):
                missing.append(word)
    return missing


def main(arguments):
    pairs = headings_of_index(*arguments) if arguments else headings_of_sources()
    for query in SEARCHES:
        print(f"{query:24} {', '.join(pages_found(query, pairs)[:3]) or 'NOT FOUND'}")
    print("words of the table that do not stand where it leads:", words_not_found())


if __name__ == "__main__":
    main(sys.argv[1:])
