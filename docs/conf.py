"""Sphinx configuration of the documentation site."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("KERAS_BACKEND", "jax")

import sklstm  # noqa: E402

project = "sklstm"
author = "The sklstm developers"
copyright = "The sklstm developers"
release = sklstm.__version__
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
myst_heading_anchors = 3
html_title = "sklstm"
html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "navigation_with_keys": False,
    "show_nav_level": 2,
    "header_links_before_dropdown": 4,
    "secondary_sidebar_items": ["page-toc"],
}
# Pages without subpages need no sidebar.
LEAVES = (
    "how_it_works",
    "coming_from",
    "from_scikeras",
    "limits",
    "api",
    "scaling_out",
)
html_sidebars = {
    page: [] for page in (*LEAVES, "design/index", "changelog", "contributing")
}
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
numpydoc_show_class_members = False
exclude_patterns = ["_build", "auto_examples/*.ipynb", "auto_examples/*.json"]
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_",
    "ignore_pattern": r"(^|/)(demo|first_forecast|imdb_classic)\.py",
    "download_all_examples": False,
    "show_memory": False,
    # Times of examples describe the machine that built the site.
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "within_subsection_order": "gallery_order.Reading",
    # Show tables, but not the artists that plotting functions return.
    "capture_repr": ("_repr_html_",),
}
autodoc_mock_imports = ["sktime"]  # sktime needs an older pandas than the site
