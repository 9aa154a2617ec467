"""What is said of inputs that do not fit: cases F12 and U1 to U10."""

import bz2
import datetime
import enum
import gzip
import io
import lzma
import zipfile
from array import array

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklstm import LSTMTextClassifier
from sklstm._text.embeddings import first_vectors, read_vectors
from sklstm.inspection import token_attributions
from sklstm.plotting import TokenAttributionDisplay, TrainingHistoryDisplay
from sklstm.preprocessing import TextSequencer

TEXTS, LABELS = ["good film", "very good", "bad film", "very bad"] * 5, [1, 1, 0, 0]
LABELS = LABELS * 5
Y = np.array([[1, 1], [1, 0], [0, 1], [0, 0]] * 5)
FRAME = pd.DataFrame({"n": range(20), "text": TEXTS})
DAY = pd.Timestamp("2020-01-01")
RECORDS = np.array([(text, 1) for text in TEXTS], [("text", "U9"), ("n", int)])
MASKED = np.ma.array(np.array(TEXTS, object), mask=np.arange(20) == 2)


def quick(**parameters):
    defaults = {"units": 1, "embedding_dim": 1, "epochs": 0, "random_state": 0}
    defaults["validation_fraction"] = 0
    return LSTMTextClassifier(**(defaults | parameters))


@pytest.fixture(scope="module")
def fitted():
    return quick().fit(TEXTS, LABELS)


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_matrix, sp.csr_array])
def test_f12_sparse_indicators_are_labels(kind):
    expected = quick().fit(TEXTS, Y).predict_proba(TEXTS)
    np.testing.assert_array_equal(
        quick().fit(TEXTS, kind(Y)).predict_proba(TEXTS), expected
    )
    parts = ((TEXTS[i : i + 4], kind(Y[i : i + 4])) for i in range(0, 20, 4))
    np.testing.assert_array_equal(quick().fit(parts).predict_proba(TEXTS), expected)


def test_f12_labels_may_come_from_an_iterator():
    expected = quick().fit(TEXTS, LABELS).predict_proba(TEXTS)
    for X in (TEXTS, iter(TEXTS)):
        found = quick().fit(X, iter(LABELS)).predict_proba(TEXTS)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "case, X, error, match",
    [
        ("U1", FRAME, ValueError, r"X has 2 columns, one of them.* Pass X\['text'\]"),
        ("U1", FRAME.to_numpy(), ValueError, r"2 columns, .* Pass X\[:, 1\]"),
        ("U1", [[1, "a"]] * 20, ValueError, r"one of them.* \[row\[1\] for row in X\]"),
        ("U1", FRAME[["text", "text"]], ValueError, "2 of them of texts"),
        ("U2", [[1, 2], [3]] * 10, ValueError, "lists of 1 to 2 token ids.* Pad them"),
        ("U2", pd.Series([[1], [2]] * 10), TypeError, "padded with 0, as a 2-D array"),
        ("U2", [["a"], ["b"]] * 10, ValueError, "lists of tokens.* tokenizer=str.spl"),
        ("U3", pd.Series(range(20)), ValueError, r"holds no str.* by astype\(str\)"),
        ("U3", pd.Series([np.nan] * 20), ValueError, "begins with nan. Convert it"),
        ("U3", [None] * 20, ValueError, "holds no str; it begins with None"),
        ("U3", pd.Series([DAY] * 20), TypeError, "of type Timestamp. Convert it"),
        (
            "U3",
            pd.DataFrame({"a": [np.nan] * 20}),
            ValueError,
            "every entry is missing",
        ),
        ("U3", np.full((20, 1), None), ValueError, "every entry is missing"),
        ("U4", b"film", ValueError, "X is one string"),
        ("U4", [], ValueError, "X is empty. Pass at least one text"),
        ("U4", {"text": TEXTS}, ValueError, r"X is a dict, .* list\(X.values\(\)\)"),
        ("U4", set(TEXTS), ValueError, r"of type set, .* Pass list\(X\)"),
        ("F12", sp.csr_matrix(np.eye(20)), TypeError, "sparse matrix.* Pass the texts"),
        ("U1", RECORDS, ValueError, r"records with the fields .* such as X\['text'\]"),
        (
            "U1",
            np.array([TEXTS]),
            ValueError,
            r"20 of them of texts.* Pass X.ravel\(\)",
        ),
        ("U1", np.array(TEXTS)[:, None, None], ValueError, r"Got shape \(20, 1, 1\)"),
        ("U3", MASKED, TypeError, "entry at position 2 is None.* Fill or drop"),
        (
            "U1",
            [{"id": 7, "text": "a"}] * 20,
            ValueError,
            r"dicts.* \[row\['text'\] fo",
        ),
        (
            "U1",
            pd.Series([{"t": "a"}] * 20),
            TypeError,
            r"Pass one field.* \[row\['t'\]",
        ),
        ("U1", FRAME[["n", "text", "text"]], ValueError, r"Pass X.iloc\[:, 1\]"),
        (
            "U2",
            pd.DataFrame([[1, 2]] * 19 + [[3, np.nan]]),
            ValueError,
            r"NaN at row 19, column 1, .* with 0, for example by X.fillna\(0\)",
        ),
        ("U2", [[1, np.nan]] * 20, ValueError, r"NaN at row 0.* by np.nan_to_num\(X\)"),
        ("U3", range(20), ValueError, "holds no str; it begins with 0"),
        ("U3", array("i", range(20)), ValueError, "holds no str; it begins with 0"),
        ("U4", [bytearray(b"film")] * 20, TypeError, r"Decode it, .*decode\('utf-8'\)"),
    ],
)
def test_what_is_no_column_of_texts_is_told(case, X, error, match):
    with pytest.raises(error, match=match):
        quick().fit(X, LABELS)


@pytest.mark.parametrize(
    "X, match",
    [
        (FRAME, r"X has 2 columns, .* Pass X\['text'\]"),
        (FRAME.astype({"n": str})[:1], r"X has 2 columns, .* Pass X\['n'\]"),
        ([[1, 2], [3]], "lists of 1 to 2 token ids"),
        ([["good"], ["bad", "film"]], "lists of tokens"),
        ({"text": TEXTS}, "X is a dict"),
        ([[1, 2], [3, 4]], "X holds token ids, but LSTMTextClassifier was fitted on"),
    ],
)
def test_u1_u2_what_is_no_column_of_texts_is_told_when_predicting(fitted, X, match):
    with pytest.raises(ValueError, match=match):
        fitted.predict(X)


def test_u1_u3_columns_of_polars():
    polars = pytest.importorskip("polars")
    with pytest.raises(ValueError, match=r"2 columns, .* Pass X\['text'\]"):
        quick().fit(polars.from_pandas(FRAME), LABELS)
    with pytest.raises(ValueError, match=r"LazyFrame, .* Pass X.collect\(\)"):
        quick().fit(polars.from_pandas(FRAME[["text"]]).lazy(), LABELS)
    with pytest.raises(ValueError, match="holds no str; it begins with 1"):
        quick().fit(polars.Series([1] * 20), LABELS)
    arrow = pytest.importorskip("pyarrow").Table.from_pandas(FRAME)
    with pytest.raises(ValueError, match=r"2 columns, .* Pass X\['text'\]"):
        quick().fit(arrow, LABELS)
    pyarrow = pytest.importorskip("pyarrow")
    with pytest.raises(ValueError, match="lists of 1 to 2 token ids"):
        quick().fit(pyarrow.array([[1, 2], [3]] * 10), LABELS)


def test_u4_nothing_to_predict(fitted):
    for method in (fitted.predict, fitted.keras_inputs):
        with pytest.raises(ValueError, match="X gave no text"):
            method(iter([]))
    for empty in ([], pd.Series([], dtype=object), pd.DataFrame(), FRAME[["text"]][:0]):
        assert fitted.predict(empty).tolist() == []
    with pytest.raises(ValueError, match="X is one string"):
        fitted.predict(b"film")
    with pytest.raises(ValueError, match="X is None. Pass a collection"):
        fitted.predict(None)
    with pytest.raises(ValueError, match="X is one string"):
        fitted.predict(np.array("film"))
    for value in ({"a": 1}.values(), {"film"}):
        with pytest.raises(ValueError, match=r"is of type .* Pass list\(X\)"):
            fitted.predict(value)
    with pytest.raises(ValueError, match=r"is of type int, .* Pass \[str\(X\)\]"):
        fitted.predict(7)
    with pytest.raises(TypeError, match="sparse matrix.* Pass the texts"):
        fitted.predict(sp.csr_matrix(np.eye(3)))
    with pytest.raises(ValueError, match=r"one of them of texts.* Pass X\['text'\]"):
        quick().fit(FRAME[["n", "n"]].set_axis(["a", "b"], axis=1), LABELS).predict(
            FRAME
        )


def vectors(folder, content):
    (folder / "vectors").write_bytes(content)
    words = {"good", "film", "very good"}
    found = read_vectors(folder / "vectors", words)
    return {word: [float(number) for number in found[word]] for word in found}


def zipped(*names):
    """Return a zip archive of files of two vectors, and of folders."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            is_folder = name.endswith("/")
            archive.writestr(name, "" if is_folder else "good 1 2\nfilm 3 4\n")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"good 1 2\nfilm 3 4\n",
        b"2 2\ngood 1 2\nfilm 3 4\n",
        b"good\t1\t2\r\nfilm  3   4 \r\n",
        b"\xef\xbb\xbfgood 1 2\nfilm 3 4\nfilm noir 9 9\n. . . 7 7\n",
        b"good 1 2\nfilm 3 4\ngood 8 8\n\n",
        b"good 1 2\nfilm 3 4\nother 1\n",
        b"\ngood 1 2\n\n\nfilm 3 4\n",
        gzip.compress(b"\xef\xbb\xbf2 2\r\ngood 1 2 \r\nfilm 3 4 \r\n"),
        bz2.compress(b"good 1 2\nfilm 3 4\n"),
        lzma.compress(b"good 1 2\nfilm 3 4\n"),
        zipped("folder/", "folder/vectors.txt"),
    ],
    ids=["plain", "header", "tabs", "BOM and blanks", "twice", "short", "empty lines"]
    + ["gzip", "bzip2", "xz", "zip"],
)
def test_u5_files_of_vectors(content, tmp_path):
    assert vectors(tmp_path, content) == {"good": [1, 2], "film": [3, 4]}


def test_u5_archives_of_several_files_and_cut_files_are_told(tmp_path):
    with pytest.raises(ValueError, match="zip archive of 2 files, .*: a.txt, b.txt. U"):
        vectors(tmp_path, zipped("a.txt", "b.txt"))
    lines = b"".join(b"word%d %d 0\n" % (i, i) for i in range(5000))
    for module in (gzip, bz2, lzma):
        with pytest.raises(
            ValueError, match="cannot be decompressed: .* fetch or pack"
        ):
            vectors(tmp_path, module.compress(lines)[:-9])
    with pytest.raises(FileNotFoundError):
        first_vectors(tmp_path / "none", {"good": 2}, 3)


@pytest.mark.parametrize("as_file", [True, False])
def test_cased_vectors_are_those_of_words_that_have_no_other(as_file, tmp_path):
    table = {"Good": [1, 2], "GOOD": [3, 4], "FILM": [5, 6], "film": [7, 8]}
    embeddings = table
    if as_file:
        lines = [f"{word} {a} {b}" for word, (a, b) in table.items()]
        embeddings = tmp_path / "vectors"
        embeddings.write_text("\n".join(lines))
    found, n_found = first_vectors(embeddings, {"good": 2, "film": 3, "bad": 4}, 7)
    assert n_found == 2
    assert found[[2, 3, 4]].tolist() == [[1, 2], [7, 8], [4, 5]]


def test_u5_words_with_blanks_and_lines_that_are_cut(tmp_path):
    assert vectors(tmp_path, b"very good 1 2\nfilm 3 4\nso 5 6")["very good"] == [1, 2]
    with pytest.raises(ValueError, match="line 2 has 1 numbers for the word 'film'"):
        vectors(tmp_path, b"good 1 2\nfilm 3\nso 1 2\n")
    with pytest.raises(
        ValueError, match="line 2, with the word 'film', must hold numbers"
    ):
        vectors(tmp_path, b"good 1 2\nfilm 3 x\nso 1 2\n")


def test_u5_files_that_hold_no_vectors(tmp_path):
    for content in (b"", b"\n \n", b"good,1,2\nfilm,3,4\n"):
        with pytest.raises(ValueError, match="holds no vectors: .* by blanks"):
            vectors(tmp_path, content)
    assert vectors(tmp_path, b"1 2\ngood 1 2\n") == {"good": [1, 2]}
    with pytest.raises(ValueError, match=r"array of shape \(1,\)\."):
        first_vectors({"good": 1.0}, {"good": 2}, 3)
    with pytest.raises(ValueError, match="vector of finite numbers"):
        first_vectors({"good": [1e300, 1]}, {"good": 2}, 3)


def test_f3_u5_vectors_are_found_however_their_word_is_coded():
    vectors = {"cafe\u0301": [1, 2], "don\u2019t": [3, 4]}
    found, n_found = first_vectors(vectors, {"caf\xe9": 2, "don't": 3}, 4)
    assert n_found == 2 and found[2:].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("number", ["nan", "-inf", "1e300"])
def test_u5_numbers_that_are_not_finite_are_told_by_their_word(number, tmp_path):
    match = "line 2, with the word 'film', must hold numbers: not finite in 32 bits: 3"
    with pytest.raises(ValueError, match=match):
        vectors(tmp_path, f"good 1 2\nfilm 3 {number}\nso 1 2\n".encode())


def test_u8_a_sequencer_takes_iterators():
    expected = TextSequencer().fit_transform(TEXTS)
    np.testing.assert_array_equal(TextSequencer().fit_transform(iter(TEXTS)), expected)
    for X, match in ((None, "X is None"), (set(TEXTS), "type set"), ({}, "is a dict")):
        with pytest.raises(ValueError, match=match):
            TextSequencer().fit(X)


@pytest.mark.parametrize("linear_skip", [True, False])
def test_u7_a_graph_has_a_row_and_a_column(linear_skip):
    pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    words = " ".join(LSTMTextClassifier.to_onnx.__doc__.split())
    assert (
        "with at least one row and one column; an empty text is a row of padding"
        in words
    )
    clf = quick(linear_skip=linear_skip, epochs=1).fit(TEXTS, LABELS)
    graph = ReferenceEvaluator(clf.to_onnx())
    found = graph.run(None, {"tokens": np.zeros((1, 1), np.int64)})[0]
    np.testing.assert_allclose(found, clf.predict_proba([""]), atol=1e-6)


def test_u9_classes_that_a_graph_cannot_hold():
    pytest.importorskip("onnx")
    days = [datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)]
    for unit in ("M8[D]", "M8[ns]"):
        clf = quick().fit(TEXTS, np.array([days[i] for i in LABELS], unit))
        with pytest.raises(TypeError, match=r"of type date.* y.astype\(str\)"):
            clf.to_onnx()


def pairs_of(text):
    return list(zip(text, text[1:], strict=False))


def test_a_tokenizer_that_gives_one_str_is_told():
    match = r"position 0: it gave 'good film', .* A tokenizer gives a list of str"
    for estimator in (quick(tokenizer=str.lower), TextSequencer(tokenizer=str.lower)):
        with pytest.raises(TypeError, match=match):
            estimator.fit(TEXTS, LABELS)


def test_u9_tokens_that_a_graph_cannot_hold():
    pytest.importorskip("onnx")
    clf = quick(tokenizer=pairs_of).fit(TEXTS, LABELS)
    with pytest.raises(TypeError, match="tokens are of type tuple.* Let tokenizer"):
        clf.to_onnx()


ROWS = pd.Series(range(20), [f"row {i}" for i in range(20)])


@pytest.mark.parametrize("shuffled", ["y", "sample_weight"])
def test_rows_of_pandas_in_another_order_are_told(shuffled, fitted):
    rows = {"y": pd.Series(LABELS, ROWS.index), "sample_weight": ROWS + 1}
    texts = pd.Series(TEXTS, ROWS.index)
    quick().fit(texts, **rows).score(texts, **rows)
    rows[shuffled] = rows[shuffled][::-1]
    match = f"X and {shuffled} have different indexes: row 0 is row 0 in X, and row 19"
    for method in (quick().fit, quick().partial_fit, fitted.score):
        with pytest.raises(ValueError, match=match):
            method(texts, **rows)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_u10_a_missing_label_is_told_by_its_position(missing):
    labels = np.array(["a", "b"] * 10, object)
    labels[3] = missing
    numbers = np.array([0.0, 1.0] * 10)
    numbers[3] = np.nan
    nullable = pd.Series(numbers).astype("Int64")
    frame = pd.DataFrame({"y": labels})
    masked = np.ma.array(LABELS, mask=np.arange(20) == 3)
    forms = [labels, pd.Series(labels), labels.tolist(), numbers, nullable, frame]
    for y in (*forms, masked):
        with pytest.raises(ValueError, match="misses the label at position 3. Fill"):
            quick().fit(TEXTS, y)


def test_u10_labels_of_variable_width_are_str():
    strings = pytest.importorskip("numpy", "2.0").dtypes.StringDType
    names = np.where(LABELS, "good", "not so good")
    clf = quick().fit(TEXTS, names.astype(strings()))
    assert clf.classes_.tolist() == ["good", "not so good"]
    assert clf.score(TEXTS, names) == 1
    missing = np.array([None, *names[1:]], strings(na_object=None))
    with pytest.raises(ValueError, match="misses the label at position 0"):
        quick().fit(TEXTS, missing)


class Name(str, enum.Enum):  # noqa: UP042, not of Python 3.10
    A = "one"
    B = "two"


FORMS = {
    "Int64": pd.array(LABELS, "Int64"),
    "boolean": pd.Series(LABELS).astype("boolean"),
    "categories": pd.Series(LABELS).astype(bool).astype("category"),
    "objects": np.array(LABELS, object),
    "str members": [Name.B if label else Name.A for label in LABELS],
    "one sparse column": sp.csr_matrix(np.array(LABELS)[:, None]),
}


@pytest.mark.filterwarnings("ignore:A column-vector y")
@pytest.mark.parametrize("form", FORMS)
def test_u10_classes_are_of_the_type_of_labels(form):
    clf = quick().fit(TEXTS, FORMS[form])
    types = {"Int64": int, "objects": int, "one sparse column": int, "str members": str}
    assert [type(c) for c in clf.classes_.tolist()] == [types.get(form, bool)] * 2
    assert clf.score(TEXTS, FORMS[form]) == 1


@pytest.mark.parametrize("kind", ["Int64", "boolean", "category", object])
def test_f12_indicators_of_any_type_are_labels(kind):
    expected = quick().fit(TEXTS, Y).predict_proba(TEXTS)
    clf = quick().fit(TEXTS, pd.DataFrame(Y).astype(kind))
    np.testing.assert_array_equal(clf.predict_proba(TEXTS), expected)
    assert clf.score(TEXTS, pd.DataFrame(Y).astype(kind)) == 1


@pytest.mark.parametrize(
    ("y", "match"),
    [
        ([1, "a"] * 10, "of one type, .* but holds str and int. Convert them"),
        ("ab" * 10, r"y is of type str, but a class for each .* Pass a list of them"),
        ({"y": LABELS}, r"y is of type dict, .* Pass list\(y.values\(\)\)"),
        ([(1, 2), (3, 4)] * 10, r"several columns, .* holds \[1, 2, 3, 4\] instead"),
        (np.array([["a", "b"]] * 20), r"several columns, .* holds \['a', 'b'\]"),
    ],
    ids=["types", "str", "dict", "numbers in columns", "names in columns"],
)
def test_u10_labels_of_no_form_are_told(y, match):
    with pytest.raises((TypeError, ValueError), match=match):
        quick().fit(TEXTS, y)


def test_u10_classes_of_fewer_than_two_names():
    for classes in ([], "01", [0, 0]):
        with pytest.raises(ValueError, match="names fewer than two classes. Name all"):
            quick().partial_fit(TEXTS, LABELS, classes=classes)


def test_u10_labels_that_are_no_classes():
    for values in (2 * Y - 1, Y + 1):
        with pytest.raises(ValueError, match="instead of 0 and 1. Pass 1 where"):
            quick().fit(TEXTS, values)
    with pytest.raises(ValueError, match="y has 3 axes, but labels have one, or two"):
        quick().fit(TEXTS, np.zeros((20, 2, 2), int))
    with pytest.raises(TypeError, match="^Support for labels represented as bytes"):
        quick().fit(TEXTS, np.array(LABELS).astype("S"))
    indicator = Y.astype(float)
    indicator[3, 1] = np.nan
    with pytest.raises(ValueError, match="misses the label at row 3, column 1"):
        quick().fit(TEXTS, indicator)
    several = [{"a", "b"} if label else {"c"} for label in LABELS]
    with pytest.raises(ValueError, match="objects of type set, .*MultiLabelBinarizer"):
        quick().fit(TEXTS, several)
    with pytest.raises(ValueError, match="objects of type Period, .* Convert them"):
        quick().fit(TEXTS, [pd.Period(f"202{label}", "Y") for label in LABELS])


@pytest.mark.parametrize("linear_skip", [True, False])
def test_f13_the_keras_model_reads_what_keras_inputs_gives(linear_skip):
    texts = [*TEXTS, "", "never seen"]
    clf = quick(linear_skip=linear_skip, epochs=1, max_length=1).fit(TEXTS, LABELS)
    for X in (texts, iter(texts)):
        inputs = clf.keras_inputs(X)
        for model in (clf.to_keras(), clf.model_):
            logits = model.predict(inputs, verbose=0)[:, 0]
            expected = clf.decision_function(texts)
            np.testing.assert_allclose(logits, expected, atol=1e-5)


def test_u6_attributions_of_a_pipeline_name_what_to_pass(fitted):
    for other in (make_pipeline(fitted), GridSearchCV(fitted, {"epochs": [0]})):
        with pytest.raises(TypeError, match=r"Pass pipeline\[-1\] .* best_estimator_"):
            token_attributions(other, "a good film")
    search = GridSearchCV(fitted, {"epochs": [0]}, cv=2).fit(TEXTS, LABELS)
    for other in (make_pipeline(fitted), search):
        with pytest.raises(TypeError, match=r"Pass pipeline\[-1\] .* best_estimator_"):
            TrainingHistoryDisplay.from_estimator(other)


def test_a_token_that_looks_like_mathematics_is_drawn_as_it_is(tmp_path):
    pytest.importorskip("matplotlib")
    texts = ["a $x^$ b", "c d"] * 9
    clf = quick(tokenizer=str.split).fit(texts, [1, 0] * 9)
    display = TokenAttributionDisplay.from_estimator(clf, texts[0])
    display.figure_.savefig(tmp_path / "words.png")
