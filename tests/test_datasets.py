import io
import tarfile
from urllib.error import URLError

import pytest

from sklstm import datasets
from sklstm.datasets import (
    fetch_imdb,
    load_air_passengers,
    load_bike_sharing,
    load_docstrings,
    load_household_power,
    load_monthly_sunspots,
    load_sentiment_sentences,
    load_sunspots,
)


def test_series_are_regular_and_whole():
    for series, length in (
        (load_air_passengers(), 144),
        (load_sunspots(), 309),
        (load_monthly_sunspots(), 2820),
        (load_bike_sharing().target, 17544),
    ):
        assert len(series) == length and series.notna().all()
        assert series.index.freq is not None


def test_bike_sharing_has_weather_for_every_hour():
    X, y = load_bike_sharing(return_X_y=True)
    assert X.index.equals(y.index) and X.notna().all().all()
    assert set(X["weather"]) == {"clear", "mist", "rain"}
    assert X.select_dtypes("number").shape[1] == 6


def test_circuits_are_a_panel_of_whole_days():
    panel = load_household_power()
    assert panel.index.names == ["circuit", "date"] and (panel >= 0).all()
    for _, series in panel.groupby(level=0):
        assert len(series) == 1440
        assert series.droplevel(0).asfreq("D").notna().all()


def test_sentences_are_balanced_in_each_source():
    sentences = load_sentiment_sentences()
    for source in ("amazon", "imdb", "yelp"):
        assert sentences.target[sentences.source == source].sum() == 500
    assert all(text.strip() for text in sentences.data)


@pytest.mark.parametrize("load", [load_bike_sharing, load_sentiment_sentences])
def test_descriptions_name_content_and_licence(load):
    description = load().DESCR
    assert "Returns" in description and "CC BY 4.0" in description
    assert ">>>" not in description


def test_docstrings_are_sentences_of_packages():
    docs = load_docstrings()
    assert len(docs.data) == len(docs.target) == len(set(docs.data)) > 1000
    assert all(sentence.endswith(".") for sentence in docs.data)


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "aclImdb_v1.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        for split in ("train", "test"):
            for kind in ("pos", "neg", "unsup"):
                text = f"a {kind} review, {split}".encode()
                member = tarfile.TarInfo(f"aclImdb/{split}/{kind}/0_7.txt")
                member.size = len(text)
                file.addfile(member, io.BytesIO(text))
    return path


def test_imdb_is_downloaded_once(archive, monkeypatch):
    asked = []
    monkeypatch.setattr(
        datasets, "fetch_file", lambda url, **_: asked.append(url) or archive
    )
    for _ in range(2):
        imdb = fetch_imdb(data_home=archive.parent)
        assert imdb.data == ["a neg review, train", "a pos review, train"]
        assert imdb.target.tolist() == [0, 1]
    assert asked == [datasets.IMDB_URL]
    assert len(fetch_imdb("all", data_home=archive.parent).data) == 4
    with pytest.raises(ValueError, match="subset must be"):
        fetch_imdb("validation")


def test_imdb_offline(tmp_path, monkeypatch):
    with pytest.raises(OSError, match="download_if_missing is False"):
        fetch_imdb(data_home=tmp_path, download_if_missing=False)

    def offline(*args, **kwargs):
        raise URLError("no route to host")

    monkeypatch.setattr(datasets, "fetch_file", offline)
    with pytest.raises(OSError, match="could not be downloaded .* no route to host"):
        fetch_imdb(data_home=tmp_path)
    assert not list(tmp_path.iterdir())
