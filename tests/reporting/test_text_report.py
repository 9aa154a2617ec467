"""Reports of texts in containers of any kind: case F7."""

import numpy as np
import pandas as pd
import pytest

from sklstm import LSTMTextClassifier

TEXTS, LABELS = ["good film", "very good", "bad film", "very bad"] * 10, [1, 1, 0, 0]
NEW = ["a fine plot", "so dull", "good"]
IDS = np.random.default_rng(0).integers(1, 50, (40, 4))


def fitted(X, y=LABELS * 10):
    clf = LSTMTextClassifier(
        units=1, embedding_dim=1, epochs=0, validation_fraction=0, random_state=0
    )
    return clf.fit(X, y)


@pytest.fixture(scope="module")
def of_texts():
    return fitted(TEXTS)


@pytest.fixture(scope="module")
def of_ids():
    return fitted(IDS)


@pytest.fixture(autouse=True)
def no_rivals(monkeypatch):
    """Rival networks, each of which takes a fit, are no matter here."""
    from sklstm._reporting import text_report

    monkeypatch.setattr(text_report, "clone", lambda _: Rival())


class Rival:
    def set_params(self, **_):
        return self

    def fit(self, X, y):
        self.width = np.shape(X)[1:]
        return self

    def _logits(self, X):
        assert np.shape(X)[1:] == self.width
        return np.zeros((len(X), 1))


def page(clf, folder, *data, **train):
    clf.report(folder / "r.html", *data, **train)
    return (folder / "r.html").read_text("utf-8")


def test_f7_names_by_class_and_missing_labels(of_texts, tmp_path):
    html = page(of_texts, tmp_path, NEW, [1, 0, 1], target_names={0: "sad", 1: "glad"})
    assert "sad" in html and "glad" in html
    with pytest.raises(ValueError, match="misses the label at position 1. Fill"):
        page(of_texts, tmp_path, NEW, [1, None, 0])


KINDS = {
    "list": list,
    "iterator": iter,
    "frame": lambda texts: pd.DataFrame({"column": texts}),
    "series": lambda texts: pd.Series(texts, index=range(5, 5 + len(texts))),
    "bytes": lambda texts: np.array([text.encode() for text in texts]),
    "polars": lambda texts: pytest.importorskip("polars").Series(texts),
}


@pytest.mark.parametrize("kind", KINDS)
def test_f7_texts_of_any_container(kind, of_texts, tmp_path):
    of = KINDS[kind]
    train = of(TEXTS), pd.DataFrame({"y": LABELS * 10})
    clean = page(of_texts, tmp_path, of(NEW), pd.Series([0, 1, 0]), train=train)
    assert "Leakage" not in clean and "so dull" in clean
    train = KINDS["list"](TEXTS), LABELS * 10
    leaky = page(of_texts, tmp_path, of(TEXTS[:3]), LABELS[:3], train=train)
    assert "Leakage: 3 test texts of 3" in leaky


def test_f7_texts_that_are_read_alike_leak(of_texts, tmp_path):
    train = [*TEXTS[1:], ""], LABELS[1:] + LABELS * 9 + [0]
    html = page(of_texts, tmp_path, ["Very  GOOD", "", "new"], [1, 0, 1], train=train)
    assert "Leakage: 1 test text of 3" in html  # an empty text is no leak


def test_pages_of_halves_of_characters_and_for_folders_that_are_not_there(
    of_texts, tmp_path
):
    assert "very bad &#55296;" in page(of_texts, tmp_path, ["very bad \ud800"], [1])
    with pytest.raises(
        FileNotFoundError, match="no folder .* to write r.html to. Make"
    ):
        of_texts.report(tmp_path / "none" / "r.html", NEW, [1, 0, 1])


@pytest.mark.parametrize(
    ("text", "is_near"),
    [
        ("very, GOOD!", True),
        ("Don’t.. <be> 3,5", True),
        ("very\u00a0good…", True),
        ("very good", False),  # a leak
        ("dont <be> 35", False),
        ("very good 👍", False),
        ("?!", False),
    ],
)
def test_near_copies_are_told(text, is_near, of_texts, tmp_path):
    train = [*TEXTS[2:], "don't <be> 3.5", "..."], LABELS[2:] + LABELS * 9 + [0, 1]
    html = page(of_texts, tmp_path, [text, "new"], [1, 0], train=train)
    assert ("Near copies: 1 test text of 2 differs from" in html) == is_near
    assert "<be>" not in html
    assert ("Leakage" in html) == (text in TEXTS)


def test_f7_labels_of_another_kind_are_told(of_texts, tmp_path):
    path, columns = tmp_path / "r.html", np.eye(3, dtype=int)
    with pytest.raises(ValueError, match=r"shape \(3, 3\), .* fitted on one class a"):
        of_texts.report(path, NEW, columns)
    several = fitted(TEXTS, np.eye(2, dtype=int)[LABELS * 10])
    for y in (columns, [0, 1, 0]):
        with pytest.raises(ValueError, match="fitted on an indicator matrix of 2 col"):
            several.report(path, NEW, y)
    with pytest.raises(ValueError, match="class 7, .* Pass as train what the class"):
        of_texts.report(path, NEW, [0, 1, 0], train=(TEXTS, [7, 1] * 20))
    with pytest.raises(ValueError, match="train has no text of the class 0, which"):
        of_texts.report(path, NEW, [0, 1, 0], train=(TEXTS[:2], [1, 1]))


@pytest.mark.parametrize(
    "change",
    [
        lambda ids: ids.astype(np.int32),
        lambda ids: ids.astype(float),
        pd.DataFrame,
        lambda ids: ids.tolist(),
    ],
)
def test_f7_token_ids_of_any_type_and_padding(change, of_ids, tmp_path):
    train = np.pad(IDS, ((0, 0), (2, 0))), LABELS * 10
    leaky = page(of_ids, tmp_path, change(IDS[:3]), LABELS[:3], train=train)
    assert "Leakage: 3 test texts of 3" in leaky
    clean = page(of_ids, tmp_path, change(IDS[:3] + 60), LABELS[:3], train=train)
    assert "Leakage" not in clean


def test_f7_a_class_that_training_had_not_is_named(of_texts, tmp_path):
    with pytest.raises(ValueError, match="class 5, .* Leave out test texts of classes"):
        of_texts.report(tmp_path / "r.html", NEW, [0, 1, 5])


def test_f7_what_cannot_be_reported_is_told(of_texts, tmp_path):
    path = tmp_path / "r.html"
    with pytest.raises(ValueError, match="X holds no text. Pass at least one"):
        of_texts.report(path, [], [])
    for train in ((NEW,), NEW, {"X": NEW, "y": [0, 1, 0]}):
        with pytest.raises(ValueError, match=r"train must be the pair \(X, y\)"):
            of_texts.report(path, NEW, [0, 1, 0], train=train)
