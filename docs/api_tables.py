"""Tables of parameters and methods for the API pages, generated from the docstrings."""

import inspect
import re

from api_groups import METHODS, PARAMETERS
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from numpydoc.docscrape import NumpyDocString


def first_sentence(lines):
    """Return the first sentence of a description, on one line."""
    text = " ".join(" ".join(lines).split())
    return re.split(r"(?<=[.;])\s", text)[0].rstrip(".;")


def table(title, rows):
    """Return the lines of a table of two columns in reStructuredText."""
    lines = [".. list-table:: " + title, "   :widths: 30 70", ""]
    for left, right in rows:
        lines += [f"   * - {left}", f"     - {right}"]
    return [*lines, ""]


def parameter_tables(name):
    """Return a table for each group of the parameters of a class."""
    import sklstm

    cls = getattr(sklstm, name)
    documented = {
        parameter.name: parameter
        for parameter in NumpyDocString(inspect.getdoc(cls))["Parameters"]
    }
    defaults = inspect.signature(cls).parameters
    lines = []
    for title, names in PARAMETERS[name].items():
        rows = [
            (
                f"``{own}={defaults[own].default!r}``",
                first_sentence(documented[own].desc),
            )
            for own in names
        ]
        lines += table(title, rows)
    return lines


def method_tables(name):
    """Return a table for each group of the methods of a class."""
    import sklstm

    cls = getattr(sklstm, name)
    lines = []
    for title, names in METHODS[name].items():
        rows = [
            (
                f":py:meth:`{own} <sklstm.{name}.{own}>`",
                first_sentence([inspect.getdoc(getattr(cls, own)).split("\n\n")[0]]),
            )
            for own in names
        ]
        lines += table(title, rows)
    return lines


class Tables(Directive):
    """Insert the tables of a class of sklstm, at ``.. api-parameters:: LSTM...``."""

    required_arguments = 1
    tables = staticmethod(parameter_tables)

    def run(self):
        lines = StringList(self.tables(self.arguments[0]), source="sklstm")
        node = nodes.container()
        self.state.nested_parse(lines, self.content_offset, node)
        return node.children


class MethodTables(Tables):
    tables = staticmethod(method_tables)


def setup(app):
    app.add_directive("api-parameters", Tables)
    app.add_directive("api-methods", MethodTables)
    return {"parallel_read_safe": True}
