"""Write docs/licences.md: the dependencies of sklstm and their licences.

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

The table lists the packages that `pip install sklstm` installs, and their licences.
sklstm itself is under BSD-3-Clause. Written by `.ci/licences.py`.

| package | licence |
|---|---|
"""


def needed(name, found):
    """Return the names of a package's direct and indirect dependencies."""
    for line in metadata.requires(name) or ():
        package = re.match(r"[\w.-]+", line).group().lower().replace("_", "-")
        # Dependencies of other platforms are not installed here.
        if "extra ==" not in line and package not in found and installed(package):
            found.add(package)
            needed(package, found)
    return found


def installed(name):
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False


def licence(name):
    fields = metadata.metadata(name)
    # Old packages put the whole text of the licence into the field.
    short = (fields["License-Expression"] or fields["License"] or "").splitlines()
    kinds = [c for c in fields.get_all("Classifier", ()) if c.startswith("License ::")]
    if short and len(short[0]) < 80 and "Copyright" not in short[0]:
        return short[0]
    named = ", ".join(c.rpartition(" :: ")[2] for c in kinds)
    return named or licence_of_text(name) or "see the package"


def licence_of_text(name):
    """Recognise the text of a licence that no field of the package names."""
    for file in metadata.files(name) or ():
        if "licen" in file.name.lower() and "Apache License, Version 2.0" in (
            file.read_text()
        ):
            return "Apache-2.0"
    return None


if __name__ == "__main__":
    rows = (
        f"| {name} | {licence(name)} |\n" for name in sorted(needed("sklstm", set()))
    )
    PAGE.write_text(HEAD + "".join(rows))
