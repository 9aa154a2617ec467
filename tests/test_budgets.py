"""Sizes that keep the library easy to enter: what is over them is to be cut."""

import ast
import inspect
import io
import sys
import tokenize
from pathlib import Path

import pytest

import sklstm
from sklstm import LSTMForecaster, LSTMTextClassifier

PACKAGE = Path(sklstm.__file__).parent
MODULES = sorted(PACKAGE.glob("**/*.py"))
LINES_OF_A_FILE, LINES_OF_A_FUNCTION, METHODS_OF_A_CLASS, LONGEST_MRO = 500, 40, 40, 9
ARGUMENTS_OF_A_FUNCTION = 9  # self included
# Public ones, whose arguments have names in each call.
MANY_ARGUMENTS = {"__init__", "backtest", "suggest"}
# Files that a reader opens to follow a method through three calls; docs/design names
# those of forecast and predict.
CALLS, FILES = 3, {"fit": 10, "predict": 11, "forecast": 9, "backtest": 7}


def docstring(node):
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def code_of(tree, source):
    """Numbers of lines of code of a module."""
    lines = set()
    ignored = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT}
    ignored |= {tokenize.DEDENT, tokenize.ENDMARKER}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in ignored:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in filter(docstring, ast.walk(tree)):
        lines -= set(range(node.lineno, node.end_lineno + 1))
    return lines


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_functions_and_classes_are_small(path):
    source = path.read_text("utf-8")
    tree = ast.parse(source)
    code = code_of(tree, source)
    assert len(code) <= LINES_OF_A_FILE, f"{len(code)} lines of code"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            span = code & set(range(node.body[0].lineno, node.end_lineno + 1))
            size = len(span)
            assert size <= limit_of(node), f"{node.name}: {size} lines"
            arguments = [*node.args.args, *node.args.kwonlyargs]
            few = (
                node.name in MANY_ARGUMENTS or len(arguments) <= ARGUMENTS_OF_A_FUNCTION
            )
            assert few, f"{node.name}: {len(arguments)} arguments"
        if isinstance(node, ast.ClassDef):
            methods = [n for n in node.body if isinstance(n, ast.FunctionDef)]
            assert len(methods) <= METHODS_OF_A_CLASS, f"{node.name}: methods"


def limit_of(function):
    """A constructor that only assigns its parameters may be as long as these."""
    assigns = (isinstance(node, ast.Assign) for node in function.body)
    alone = function.name == "__init__" and all(assigns)
    return max(len(function.body) if alone else 0, LINES_OF_A_FUNCTION)


@pytest.mark.parametrize("estimator", [LSTMForecaster, LSTMTextClassifier])
def test_estimators_have_few_ancestors(estimator):
    assert len(estimator.__mro__) <= LONGEST_MRO


def test_constructors_name_their_common_parameters_in_one_order():
    orders = [
        [*inspect.signature(estimator).parameters]
        for estimator in (LSTMForecaster, LSTMTextClassifier)
    ]
    common = set(orders[0]) & set(orders[1])
    first, second = ([name for name in order if name in common] for order in orders)
    assert first == second


def test_nothing_is_nonlocal():
    for path in MODULES:
        kinds = {type(node) for node in ast.walk(ast.parse(path.read_text("utf-8")))}
        assert ast.Nonlocal not in kinds, path.name


def files_passed(call):
    """Names of the package's files that a call enters within so many further calls."""
    names, stack = set(), []

    def note(frame, event, _):
        if event == "call":
            path, function = Path(frame.f_code.co_filename), frame.f_code.co_name
            inside = path.is_relative_to(PACKAGE) and function != "<module>"
            if inside and sum(stack) <= CALLS:
                names.add(str(path.relative_to(PACKAGE)))
            stack.append(inside)
        elif event == "return" and stack:
            stack.pop()

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(before)
    return names


def test_methods_pass_few_files(passengers):
    past, new = passengers[:-12], passengers[-12:]
    f = LSTMForecaster(12, 3, epochs=0, random_state=0)
    calls = {
        "fit": lambda: f.fit(past),
        "predict": lambda: f.predict(new),
        "forecast": lambda: f.forecast(3),
        "backtest": lambda: f.backtest(new),
    }
    for method, call in calls.items():
        names = files_passed(call)
        assert 4 < len(names) <= FILES[method], f"{method}: {sorted(names)}"
