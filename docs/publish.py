"""Add the built documentation to a site that has a folder for each version.

python docs/publish.py SITE [BUILT]

Copies BUILT, by default docs/_build/html, to SITE/VERSION, where VERSION is the release
or "dev". Writes SITE/versions.json, which the version switch of every version reads,
and SITE/index.html, which leads to the newest release. Any address may serve SITE.
"""

import json
import re
import shutil
import sys
from pathlib import Path

BUILT = Path(__file__).parent / "_build" / "html"
FIRST_PAGE = """<!doctype html>
<meta charset="utf-8">
<title>sklstm</title>
<meta http-equiv="refresh" content="0; url={0}/index.html">
<a href="{0}/index.html">Documentation of sklstm</a>
"""


def folder_of(release):
    """Return the folder of a release; all development versions share one."""
    return "dev" if "dev" in release else release


def newest_first(folder):
    """Return a key by which numbers compare as numbers; "dev" comes first."""
    numbers = tuple(int(n) for n in re.findall(r"\d+", folder))
    return folder == "dev", numbers


def versions(site):
    """Return what the version switch needs to know of each version of the site."""
    folders = [page.parent.name for page in Path(site).glob("*/objects.inv")]
    folders.sort(key=newest_first, reverse=True)
    newest = next((f for f in folders if f != "dev"), "dev")
    return [
        {
            "version": folder,
            "name": folder + " (newest release)" * (folder == newest != "dev"),
            "url": f"../{folder}/",
            "preferred": folder == newest,
        }
        for folder in folders
    ]


def publish(site, built, release):
    """Copy a built version into the site, and tell the site's versions of it."""
    if not (Path(built) / "objects.inv").exists():
        raise FileNotFoundError(f"{built} holds no built site. Run make docs first.")
    site, target = Path(site), Path(site) / folder_of(release)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(built, target, ignore=shutil.ignore_patterns(".doctrees"))
    entries = versions(site)
    (site / "versions.json").write_text(json.dumps(entries, indent=2) + "\n", "utf-8")
    newest = next(entry["version"] for entry in entries if entry["preferred"])
    (site / "index.html").write_text(FIRST_PAGE.format(newest), "utf-8")


if __name__ == "__main__":
    import sklstm

    site, *built = sys.argv[1:]
    publish(site, *(built or [BUILT]), sklstm.__version__)
