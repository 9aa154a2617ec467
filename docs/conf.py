"""Sphinx configuration of the documentation site."""

import sklstm

project = "sklstm"
author = "The sklstm developers"
release = sklstm.__version__
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
]
html_theme = "pydata_sphinx_theme"
numpydoc_show_class_members = False
exclude_patterns = ["_build"]
autodoc_mock_imports = ["sktime"]  # it asks for an older pandas
