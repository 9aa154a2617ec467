"""Sphinx configuration of the documentation site."""

import hashlib
import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
# Pages draw with these settings; the gallery sets those of Matplotlib again.
os.environ["MATPLOTLIBRC"] = str(HERE / "matplotlibrc")

import plotly  # noqa: E402
from publish import folder_of  # noqa: E402

import sklstm  # noqa: E402

PACKAGE = Path(sklstm.__file__).parent
project = "sklstm"
author = "The sklstm developers"
copyright = "The sklstm developers"
release = sklstm.__version__
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_nb",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "api_tables",
]
exclude_patterns = [
    "_build",
    "auto_examples/*.ipynb",
    "auto_examples/*.json",
    "auto_examples/*.py",
]

# Pages
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"

# Code cells run while the site is built, each page in its own process and folder.
# Their outputs are kept as long as neither the page nor the library changes.
nb_execution_mode = "cache"
code = b"".join(path.read_bytes() for path in sorted(PACKAGE.rglob("*.py")))
digest = hashlib.sha256(code).hexdigest()[:12]
nb_execution_cache_path = str(HERE / "_build" / "outputs" / digest)
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 1800  # seconds a cell, for busy machines
# A warning stops the build, because nobody has explained it. A cell whose warning the
# page explains shows it by `mystnb: output_stderr: show`.
nb_output_stderr = "warn"

# Appearance
html_title = "sklstm"
html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "navigation_with_keys": False,
    "navigation_depth": 3,
    "show_nav_level": 2,
    "header_links_before_dropdown": 5,
    # Tables of measurements have the width of the page.
    "secondary_sidebar_items": {"**": ["page-toc", "sourcelink"]}
    | {f"benchmarks/{page.stem}": [] for page in (HERE / "benchmarks").glob("*.md")},
    "navbar_end": ["version-switcher", "theme-switcher", "navbar-icon-links"],
    # `docs/publish.py` writes this file beside the folders of all versions, so a newer
    # version appears in the menu of older ones. Of a site alone the menu is hidden.
    "switcher": {"json_url": "../versions.json", "version_match": folder_of(release)},
    "check_switcher": False,
    "show_version_warning_banner": True,
}
html_sidebars = {"changelog": [], "contributing": [], "design/index": []}
html_show_sourcelink = True
html_copy_source = True
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["versions.js"]

# API pages
default_role = "code"  # of docstrings, where it is a name between single backticks
numpydoc_show_class_members = False
autodoc_mock_imports = ["sktime"]  # sktime needs an older pandas than the site

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_",
    "ignore_pattern": r"(^|/)(demo|first_forecast|imdb_classic)\.py",
    "thumbnail_size": (640, 400),
    "download_all_examples": False,
    "show_memory": False,
    # Times of examples describe the machine that built the site.
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "within_subsection_order": "gallery_order.Reading",
    # Show tables, but not the artists that plotting functions return.
    "capture_repr": ("_repr_html_",),
}


def forget_backend(app, docname, source):
    """Start the process of the next page without the backend that was selected here."""
    os.environ.pop("KERAS_BACKEND", None)


def copy_plotly(app, exception):
    """Copy plotly.js into the site, so that its figures load nothing from elsewhere."""
    static = Path(app.outdir) / "_static"
    if exception is None and static.exists():
        source = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
        shutil.copy(source, static)


def setup(app):
    app.connect("source-read", forget_backend)
    app.connect("build-finished", copy_plotly)
