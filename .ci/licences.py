"""Write docs/licences.md: what the core of sklstm stands on, and under which licences.

python .ci/licences.py
"""

import re
from importlib import metadata
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "licences.md"
HEAD = """---
orphan: true
---

# Licences

What `pip install sklstm` brings, found by `.ci/licences.py`. sklstm itself is under
BSD-3-Clause.

| package | licence |
|---|---|
"""


def needed(name, found):
    """Names of a package's needs and of theirs, without those of extras."""
    for line in metadata.requires(name) or ():
        part = re.match(r"[\w.-]+", line).group().lower().replace("_", "-")
        # Other platforms' needs are not installed here.
        if "extra ==" not in line and part not in found and installed(part):
            found.add(part)
            needed(part, found)
    return found


def installed(name):
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False


def licence(name):
    told = metadata.metadata(name)
    # Old packages put the whole text into the field.
    short = (told["License-Expression"] or told["License"] or "").splitlines()
    kinds = [c for c in told.get_all("Classifier", ()) if c.startswith("License ::")]
    if short and len(short[0]) < 80 and "Copyright" not in short[0]:
        return short[0]
    return ", ".join(c.rpartition(" :: ")[2] for c in kinds) or "see the package"


if __name__ == "__main__":
    rows = (
        f"| {name} | {licence(name)} |\n" for name in sorted(needed("sklstm", set()))
    )
    PAGE.write_text(HEAD + "".join(rows))
