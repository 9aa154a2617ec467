import json
import re
import shutil
import subprocess
import threading
import warnings
from functools import partial
from html import escape
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_recall_fscore_support

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm._reporting.forecast_report import lead_in_words
from sklstm._reporting.html_page import table, training_warnings, warning_list, write
from sklstm.plotting import PredictionDisplay
from tests.fitted import with_network

UNTRAINED = {"epochs": 0, "validation_fraction": 0, "units": 3, "random_state": 0}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
VOID = {"meta", "link", "br", "img", "path", "circle", "line", "polyline"}


class Page(HTMLParser):
    """Parser that checks that the tags of a page are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def read(estimator, path, *args, **options):
    estimator.report(path, *args, **options)
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def of_series(passengers, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    f = LSTMForecaster(13, **UNTRAINED).fit(passengers[:-24])
    return read(f, path, passengers[-24:]), path, f


def test_the_page_needs_nothing_else(of_series):
    page, path, _ = of_series
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe"}
    for attributes in (attributes for _, attributes in page.tags):
        assert attributes.get("href", "#").startswith("#") and "src" not in attributes
    assert "url(" not in path.read_text() and "@import" not in path.read_text()


def test_headings_landmarks_and_names_are_there(of_series):
    page, _, _ = of_series
    assert len(page.all("h1")) == 1 and len(page.all("main")) == 1
    assert page.all("html")[0]["lang"] == "en"
    targets = {attributes["href"][1:] for attributes in page.all("a")}
    assert targets == {attributes["id"] for attributes in page.all("section")}
    for svg in page.all("svg"):
        assert svg["role"] == "img" and len(svg["aria-label"]) > 20
    # what scrolls is reached by keyboard, and says what it is
    for box in page.all("div"):
        if box["class"] == "scroll":
            assert box["tabindex"] == "0" and box["aria-label"]
    assert len(page.all("caption")) == len(page.all("table"))


def test_scores_are_those_of_predict(of_series, passengers):
    page, _, f = of_series
    error = passengers[-24:] - f.predict(passengers[-24:])
    assert f"{np.mean(error**2):,.4g}" in page.text
    for name in ("LSTM alone", "GRU alone", "simple RNN alone", "last value", "MASE"):
        assert name in page.text
    # no epoch was trained, so that the page is not about an LSTM
    own = "mean of linear model and pretrained network"
    assert f"One step ahead, the {own} has an RMSE" in page.text
    assert "pretrained network alone" in page.text
    assert "linear model alone" in page.text
    assert "There are only 24 test rows" in page.text
    assert "1949-01-01" in page.text and "120" in page.text
    assert "of these" not in page.text


def test_exogenous_forecasts_are_one_step_ahead(regression, tmp_path):
    X, y = regression
    f = LSTMForecaster(6, 4, pretrained=False, **UNTRAINED).fit(X[:200], y[:200])
    test = X[200:], y[200:]
    errors = f._copy().observe(*test)
    rmse = np.sqrt(np.mean(errors**2))
    page = read(f, tmp_path / "a.html", *test)
    assert f"an RMSE of {rmse:.4g} over 20 test rows" in page.text
    display = PredictionDisplay.from_estimator(f, *test)
    np.testing.assert_allclose(display.y_pred, test[1] - errors)


def test_the_validation_block_is_shown(passengers, tmp_path):
    f = LSTMForecaster(13, **UNTRAINED | {"validation_fraction": 0.25})
    f.fit(passengers[:-24])
    page = read(f, tmp_path / "a.html", passengers[-24:])
    assert "The last 30 training rows are the validation block" in page.text
    assert "and was then trained on as well" in page.text
    assert "of these, validation 30 1956-07-01 1958-12-01" in page.text
    both = page.all("svg")[:2]  # one for screens, one for telephones
    assert [svg["width"] for svg in both] == ["680", "340"]


def test_without_test_rows_the_last_are_held_out(regression, tmp_path):
    X, y = regression
    f = LSTMForecaster(4, **UNTRAINED).fit(X, y)
    page = read(f, tmp_path / "report.html")
    assert "so the last 20% of the history were held out" in page.text
    assert " 176 " in page.text and " 44 " in page.text


@pytest.mark.parametrize("with_test_rows", [False, True])
def test_of_many_series(regression, tmp_path, with_test_rows):
    X, y = regression
    noise = pd.Series(np.random.default_rng(0).normal(size=220), y.index)
    X, y = pd.concat({"p": X, "q": X}), pd.concat({"p": y, "q": noise})
    f = LSTMForecaster(4, **UNTRAINED)
    if with_test_rows:
        known = y.index.get_level_values(1) < y.index[200][1]
        f.fit(X[known], y[known])
        page = read(f, tmp_path / "report.html", X[~known], y[~known])
        expected = f.update(X[~known], y[~known]).predict(X[~known])
        error = np.abs(expected - y[~known]).groupby(level=0).mean()
    else:
        page = read(f.fit(X, y), tmp_path / "report.html")
        assert "so the last 20% of each series were held out" in page.text
        rows = np.concatenate([np.arange(176), 220 + np.arange(176)])
        own = LSTMForecaster(4, **UNTRAINED).fit(X.iloc[rows], y.iloc[rows])
        later = np.setdiff1d(np.arange(440), rows)
        own.update(X.iloc[later], y.iloc[later])
        expected = own.predict(X.iloc[later])
        error = np.abs(expected - y.iloc[later]).groupby(level=0).mean()
    assert "over 2 series, the absolute error is" in page.text
    assert "The worst series is q" in page.text and "The best series, p" in page.text
    assert "linear model" in page.text and "last value" in page.text
    assert f"{error.mean():.4g}" in page.text and f"{error['q']:.4g}" in page.text


def test_of_ready_made_windows(passengers, tmp_path):
    X = np.lib.stride_tricks.sliding_window_view(passengers.to_numpy(), 6)
    X, y = X[:, :5], X[:, 5]
    f = LSTMForecaster(**UNTRAINED, scaler=None).fit(X[:100], y[:100])
    page = read(f, tmp_path / "a.html", X[100:], y[100:])
    assert "windows cut from one series overlap" in page.text
    assert "Pass train=" in page.text and "last value" in page.text
    page = read(f, tmp_path / "b.html", X[100:], y[100:], train=(X[:100], y[:100]))
    assert "simple RNN alone" in page.text
    with pytest.raises(ValueError, match="Pass test rows to report as X and y"):
        f.report(tmp_path / "c.html")


def test_forecasts_that_lag_behind_are_named(tmp_path):
    walk = pd.Series(np.random.default_rng(0).normal(size=300).cumsum())
    f = LSTMForecaster(3, window_norm="last", **UNTRAINED).fit(walk[:200])
    # Weights of zero repeat the last value.
    with_network(f, weights={name: 0 * w for name, w in f.weights_.items()})
    page = read(f, tmp_path / "report.html", walk[200:])
    assert "Lag: the forecasts follow the actual values 1 row behind" in page.text
    assert "100% of the error of repeating the last value" in page.text


def test_warnings_of_rivals_are_silent(passengers, tmp_path):
    f = LSTMForecaster(
        13, **UNTRAINED | {"validation_fraction": 0.2}, linear_skip=False
    )
    f.set_params(pretrained=False).fit(passengers[:-24])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # each network alone is worse than naive
        page = read(f, tmp_path / "a.html", passengers[-24:])
    assert "GRU alone" in page.text


def test_target_names_are_for_texts(of_series, tmp_path):
    with pytest.raises(ValueError, match="but this is a forecaster"):
        of_series[2].report(tmp_path / "a.html", target_names=["a"])


TEXTS = [f"{noun} was {word}" for noun in "abcdefgh" for word in ("good", "bad", "so")]
LABELS = [text.split()[-1] for text in TEXTS]


def test_of_texts(tmp_path):
    clf = LSTMTextClassifier(**UNTRAINED).fit(TEXTS, LABELS)
    X, y = [*TEXTS[:4], "x was <good>", "y was bad"], [*LABELS[:4], "good", "so"]
    page = read(clf, tmp_path / "a.html", X, y, train=(TEXTS, LABELS))
    assert f"{clf.score(X, y):.1%} of 6 test texts right" in page.text
    assert "Leakage: 4 test texts of 6 are among the training texts" in page.text
    assert "The n-gram model gets" in page.text  # because no epoch was trained
    for name in ("LSTM alone", "GRU alone", "shares of classes", "Confusion matrix"):
        assert name in page.text
    assert "y was bad" in page.text  # a mistake
    with pytest.raises(ValueError, match="Pass test texts to report as X and y"):
        clf.report(tmp_path / "b.html")
    two = LSTMTextClassifier(**UNTRAINED).fit(TEXTS, [y == "so" for y in LABELS])
    page = read(two, tmp_path / "c.html", TEXTS * 5, 119 * [False] + [True])
    assert "Class True is 0.8% of the test texts" in page.text
    names = {"target_names": ["other", "so-so"]}
    page = read(two, tmp_path / "d.html", TEXTS * 5, 119 * [False] + [True], **names)
    assert "Class so-so is 0.8% of the test texts" in page.text
    assert "other" in page.text and "False" not in page.text
    with pytest.raises(ValueError, match="has 1 name, but there are 2 classes"):
        two.report(tmp_path / "e.html", TEXTS, 24 * [True], target_names=["a"])


def test_of_token_ids_and_labels(tmp_path):
    X = np.array([[2, 5, 0], [3, 6, 0], [2, 6, 6], [3, 5, 5]] * 6)
    y = np.column_stack([X[:, 0] == 2, X[:, 1] == 5]).astype(int)
    clf = LSTMTextClassifier(**UNTRAINED).fit(X, y)
    page = read(clf, tmp_path / "a.html", X, y, train=(X, y))
    assert f"{clf.score(X, y):.1%} of 24" in page.text
    assert "Confusion" not in page.text and "24 test texts of 24 are" in page.text
    names = ["odd", "never"]
    page = read(clf, tmp_path / "b.html", X, y * [1, 0], target_names=names)
    precision, recall, f1, _ = precision_recall_fscore_support(
        y[:, 0], clf.predict(X)[:, 0], average="binary"
    )
    assert f"odd 12 {precision:.4g} {recall:.4g} {f1:.4g} never 0" in page.text


@pytest.mark.parametrize(
    "history, best, words",
    [
        ({"loss": [2, 1, 0.5], "val_loss": [1, 0.9, 2]}, 2, "rose from 0.9 to 2"),
        ({"loss": [2, 1], "val_loss": [4, 3]}, 2, "more than twice the training loss"),
        ({"loss": [2, 1]}, 2, "There was no validation block"),
        ({"loss": [2, 1], "val_loss": [2, 1.5]}, 0, "No epoch beat the linear model"),
    ],
)
def test_loss_curves_are_read(history, best, words):
    clf = LSTMTextClassifier()
    clf.history_, clf.best_epoch_ = history, best
    assert len(training_warnings(clf)) == 1
    assert words in training_warnings(clf)[0]
    clf.history_, clf.best_epoch_ = {"loss": [2, 1], "val_loss": [2, 1.5]}, 2
    assert training_warnings(clf) == []
    # Without epochs there is nothing to overfit.
    clf.history_, clf.best_epoch_ = {"loss": [], "val_loss": []}, 0
    assert training_warnings(clf) == []


def test_models_of_equal_errors_as_shown_are_level():
    scores = {"LSTM": {"RMSE": 1.00004}, "last value": {"RMSE": 1.00001}}
    assert lead_in_words(scores, "LSTM", 9).endswith("No other model has a lower one.")
    scores["last value"]["RMSE"] = 0.99
    assert "The last value has a lower one, 0.99." in lead_in_words(scores, "LSTM", 9)


def test_columns_are_named(tmp_path):
    rng, index = np.random.default_rng(0), pd.date_range("2024", periods=70, freq="D")
    frame = pd.DataFrame(rng.normal(size=(70, 2)), index, ["load (MW)", "price"])
    f = LSTMForecaster(3, pretrained=False, **UNTRAINED).fit(frame[:50])
    page = read(f, tmp_path / "a.html", frame[50:])
    assert "test load (MW) 20 2024-02-20" in page.text
    assert "of 2 targets, load (MW)" in page.text and "target 1" not in page.text
    wide = pd.DataFrame(rng.normal(size=(70, 11)), index)
    f = LSTMForecaster(3, pretrained=False, **UNTRAINED).fit(wide[:50])
    assert "The first 10 of 11 targets" in read(f, tmp_path / "b.html", wide[50:]).text


def test_charts_of_many_series_have_dates(tmp_path):
    index = pd.date_range("2024", periods=40, freq="D")
    walks = np.random.default_rng(0).normal(size=(2, 40)).cumsum(axis=1)
    panel = pd.concat({i: pd.Series(walk, index) for i, walk in enumerate(walks)})
    f = LSTMForecaster(3, pretrained=False, **UNTRAINED)
    f.fit(panel.groupby(level=0).head(30))
    page = read(f, tmp_path / "a.html", panel.groupby(level=0).tail(10))
    assert page.text.count("2024-01-31") and page.text.count("2024-02-09")


def test_what_users_wrote_is_escaped(tmp_path):
    rows = [["<b>", float("nan"), 1234.5]]
    html = table(["<i>", "a", "b"], rows, caption="<u>", own="<b>")
    assert not {"<b>", "<i>", "<u>"} & set(re.findall("<.>", html))
    assert "–" in html and "1,234" in html and 'class="own"' in html
    assert warning_list(["<s>"]).count("<s>") == 0
    write(tmp_path / "a.html", "<t>", "<l>", {"<h>": ""})
    assert not re.search("<[tlh]>", (tmp_path / "a.html").read_text())


# What a page looks like from outside: as a browser of some width lays it out.
ASK = """
const page = this.contentDocument, window = this.contentWindow;
const reached = [...page.querySelectorAll('a, .scroll')].filter(
  e => (e.focus(), page.activeElement === e)).length;
const cut = [...page.querySelectorAll('.scroll')].filter(
  e => e.scrollWidth > e.clientWidth && window.getComputedStyle(e).overflowX != 'auto');
const seen = [...page.querySelectorAll('svg')].filter(e => e.checkVisibility()).length;
document.title = JSON.stringify({
  width: page.documentElement.scrollWidth, height: page.documentElement.scrollHeight,
  requests: window.performance.getEntriesByType('resource').length,
  reached, cut: cut.length, seen});
"""


@pytest.fixture
def laid_out(tmp_path):
    """Return the result of `ASK` on a page in a frame of the given width."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    # Browsers tell of requests on served pages only.
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as s:
        threading.Thread(target=s.serve_forever).start()

        def look(page, width):
            shutil.copy(page, tmp_path / "page.html")
            (tmp_path / "frame.html").write_text(
                f'<iframe src="page.html" style="width:{width}px;height:900px;border:0"'
                f" onload='{escape(ASK)}'></iframe>"
            )
            found = browse("--dump-dom", f"http://127.0.0.1:{s.server_port}/frame.html")
            return json.loads(re.search("<title>({.*?})</title>", found)[1])

        yield look
        s.shutdown()


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_it(of_series, width, laid_out):
    page, path, _ = of_series
    found = laid_out(path, width)
    assert found["width"] <= width and 1000 < found["height"] < 9000
    assert found["requests"] == found["cut"] == 0
    assert found["reached"] == len(page.all("a")) + len(page.all("table"))
    # every chart is drawn for screens and for telephones, and the network once
    assert found["seen"] == (len(page.all("svg")) + 1) / 2


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_requests_and_what_is_cut_would_be_seen(laid_out, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        '<img src="missing.png"><script src="http://localhost:9/missing.js"></script>'
        '<div class="scroll" style="width:99px"><p style="width:999px">a</p></div>'
    )
    found = laid_out(page, 390)
    assert found["requests"] == 2 and found["cut"] == 1 and found["reached"] == 0
    assert found["width"] > 390


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_prints_it(of_series, tmp_path):
    browse(f"--print-to-pdf={tmp_path / 'report.pdf'}", of_series[1].as_uri())
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


def browse(*options):
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.stdout
