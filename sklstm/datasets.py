"""Small data sets that ship with the package, and IMDB, which is downloaded.

``data/README.md`` of the package names the sources and licences.
"""

import importlib
import inspect
import logging
import re
import tarfile
from importlib import resources
from pathlib import Path

import pandas as pd
from sklearn.datasets import fetch_file, get_data_home
from sklearn.utils import Bunch

__all__ = [
    "fetch_imdb",
    "load_air_passengers",
    "load_bike_sharing",
    "load_docstrings",
    "load_household_power",
    "load_monthly_sunspots",
    "load_sentiment_sentences",
    "load_sunspots",
]

logger = logging.getLogger(__name__)

IMDB_URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
IMDB_SHA256 = "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"


def _read(name, date=None):
    """Return a file of the package as a frame, on the dates of a column if named."""
    compression = "xz" if name.endswith(".xz") else None
    with resources.files("sklstm.data").joinpath(name).open("rb") as file:
        dated = {} if date is None else {"index_col": date, "parse_dates": [date]}
        return pd.read_csv(file, compression=compression, **dated)


def load_air_passengers():
    """Load monthly totals of international airline passengers, 1949-1960, in thousands.

    Source: Box and Jenkins (1976), "Time Series Analysis: Forecasting and Control",
    series G.

    Returns
    -------
    pandas.Series of shape (144,)

    Examples
    --------
    >>> from sklstm.datasets import load_air_passengers
    >>> load_air_passengers().iloc[-1]
    np.float64(432.0)
    """
    frame = _read("air_passengers.csv", "month")
    return frame["passengers"].astype(float).asfreq("MS")


def load_sunspots():
    """Load yearly mean sunspot numbers, 1700 to 2008.

    Source: SIDC, Royal Observatory of Belgium; public domain.

    Returns
    -------
    pandas.Series of shape (309,)
        With a yearly PeriodIndex.

    Examples
    --------
    >>> from sklstm.datasets import load_sunspots
    >>> load_sunspots().iloc[0]
    np.float64(5.0)
    """
    frame = _read("sunspots_yearly.csv")
    index = pd.PeriodIndex(frame["year"].astype(int).astype(str), freq="Y", name="year")
    return pd.Series(frame["sunspots"].to_numpy(), index=index, name="sunspots")


def load_monthly_sunspots():
    """Load monthly mean sunspot numbers of Zürich, 1749 to 1983.

    The sunspot cycle lasts between 9 and 14 years, so no season of fixed length
    describes it. Source: Andrews and Herzberg (1985), "Data"; public.

    Returns
    -------
    pandas.Series of shape (2820,)

    Examples
    --------
    >>> from sklstm.datasets import load_monthly_sunspots
    >>> load_monthly_sunspots().iloc[0]
    np.float64(58.0)
    """
    return _read("sunspots_monthly.csv", "month")["sunspots"].asfreq("MS")


def load_bike_sharing(*, return_X_y=False):
    """Load hourly rentals of the bike sharing of Washington, with weather [1]_.

    Parameters
    ----------
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch
        ``data``, a frame of shape (17544, 7), hourly from 2011 to 2012: "holiday" and
        "workingday" (0 or 1), "weather" ("clear", "mist" or "rain"), temperature "temp"
        and felt temperature "atemp" in °C, humidity "hum" in per cent, "windspeed" in
        km/h. ``target``, a Series of users an hour; ``DESCR``, a str.

    References
    ----------
    .. [1] Fanaee-T and Gama (2014), "Event labeling combining ensemble detectors and
       background knowledge", Progress in Artificial Intelligence 2. CC BY 4.0.

    Examples
    --------
    >>> from sklstm.datasets import load_bike_sharing
    >>> X, y = load_bike_sharing(return_X_y=True)
    >>> X.shape, y.name
    ((17544, 7), 'users')
    """
    data = _read("bike_sharing.csv.xz", "date").asfreq("h")
    target = data.pop("users").astype(float)
    if return_X_y:
        return data, target
    return Bunch(data=data, target=target, DESCR=_description(load_bike_sharing))


def load_household_power():
    """Load the daily electricity of four circuits of a house in Sceaux, France [1]_.

    Returns
    -------
    pandas.Series of shape (5760,)
        Watt-hours a day by (circuit, date), 17 December 2006 to 25 November 2010. The
        circuits are "heating" (water heater and air conditioner), "kitchen", "laundry"
        and "other".

    References
    ----------
    .. [1] Hebrail and Berard (2012), "Individual household electric power consumption",
       UCI Machine Learning Repository. CC BY 4.0.

    Examples
    --------
    >>> from sklstm.datasets import load_household_power
    >>> panel = load_household_power()
    >>> panel.groupby(level="circuit").size().to_dict()
    {'heating': 1440, 'kitchen': 1440, 'laundry': 1440, 'other': 1440}
    """
    frame = _read("household_power.csv.xz", "date").astype(float)
    circuits = {name: frame[name] for name in sorted(frame)}
    return pd.concat(circuits, names=["circuit"]).rename("watt_hours")


def load_sentiment_sentences():
    """Load 3,000 sentences of reviews of products, films and restaurants [1]_.

    Returns
    -------
    sklearn.utils.Bunch
        ``data``, a list of str; ``target``, an array of 0 (negative) and 1 (positive),
        half each; ``target_names``; ``source``, an array of "amazon", "imdb" and
        "yelp"; ``DESCR``, a str.

    References
    ----------
    .. [1] Kotzias et al. (2015), "From group to individual labels using deep features",
       KDD. CC BY 4.0.

    Examples
    --------
    >>> from sklstm.datasets import load_sentiment_sentences
    >>> sentences = load_sentiment_sentences()
    >>> sentences.data[1], sentences.target[1]
    ('Good case, Excellent value.', np.int64(1))
    """
    frame = _read("sentiment_sentences.csv.xz")
    return Bunch(
        data=frame["text"].tolist(),
        target=frame["label"].to_numpy(),
        target_names=["negative", "positive"],
        source=frame["source"].to_numpy(str),
        DESCR=_description(load_sentiment_sentences),
    )


def _description(loader):
    """Return what the docstring of a loader says of the data."""
    return (inspect.getdoc(loader) or "").partition("Examples\n--------")[0].rstrip()


# Modules, and classes after a colon, whose members' docstrings are read.
DOCUMENTED = {
    "numpy": ["numpy", "numpy.linalg", "numpy.fft", "numpy.random"],
    "pandas": ["pandas", "pandas:DataFrame", "pandas:Series", "pandas:DatetimeIndex"],
    "sklearn": [
        "sklearn.metrics",
        "sklearn.linear_model",
        "sklearn.ensemble",
        "sklearn.preprocessing",
        "sklearn.model_selection",
        "sklearn.decomposition",
        "sklearn.cluster",
    ],
}


def load_docstrings():
    """Load sentences of docstrings, labelled by the package that they come from.

    The sentences are read from the installed NumPy, pandas and scikit-learn, so their
    number depends on the versions of these packages.

    Returns
    -------
    sklearn.utils.Bunch
        ``data``, a list of str, and ``target``, a list of package names.

    Examples
    --------
    >>> from sklstm.datasets import load_docstrings
    >>> sorted(set(load_docstrings().target))
    ['numpy', 'pandas', 'sklearn']
    """
    labels: dict[str, str] = {}
    for package, owners in DOCUMENTED.items():
        for path in owners:
            module, _, name = path.partition(":")
            owner = importlib.import_module(module)
            if name:
                owner = getattr(owner, name)
            for member in sorted(set(dir(owner))):
                # A plain getattr would run properties and warn of deprecated names.
                value = inspect.getattr_static(owner, member, None)
                if not member.startswith("_") and callable(value):
                    for sentence in _sentences(inspect.getdoc(value) or ""):
                        labels.setdefault(sentence, package)
    return Bunch(data=list(labels), target=list(labels.values()))


def _sentences(doc):
    """Yield sentences of at least five words from a docstring's opening prose."""
    for paragraph in doc.split("\n\n"):
        lines = paragraph.splitlines()
        if len(lines) > 1 and set(lines[1]) == {"-"}:
            return  # The first numpydoc section begins here: names and types, no prose.
        if paragraph.startswith((" ", ">>>", "..")):
            continue
        for sentence in re.split(r"(?<=[.!?])\s+", " ".join(paragraph.split())):
            if len(sentence.split()) >= 5 and sentence.endswith("."):
                yield sentence


def fetch_imdb(subset="train", *, data_home=None, download_if_missing=True):
    """Load the Large Movie Review Dataset, with 25,000 reviews in each subset [1]_.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The official split.
    data_home : str or path, default=None
        Folder that holds ``imdb.csv.xz`` (columns split, label and text) or an earlier
        download; None means the folder of scikit-learn's data sets.
    download_if_missing : bool, default=True
        Whether to download the data (80 MB) if the folder does not hold them.

    Returns
    -------
    sklearn.utils.Bunch
        ``data``, a list of str; ``target``, an array of 0 (negative) and 1 (positive);
        ``target_names``.

    Raises
    ------
    OSError
        If the folder does not hold the data, and they may not or cannot be downloaded.
    ValueError
        If `subset` is not one of the three names.

    References
    ----------
    .. [1] Maas et al. (2011), "Learning word vectors for sentiment analysis", ACL.
    """
    if subset not in ("train", "test", "all"):
        raise ValueError(f"subset must be 'train', 'test' or 'all'. Got {subset!r}.")
    home = Path(get_data_home() if data_home is None else data_home)
    cached = [home / f"imdb.csv.{kind}" for kind in ("xz", "gz")]
    if not any(path.exists() for path in cached):
        if not download_if_missing:
            raise OSError(
                f"{home} has no imdb.csv.xz, and download_if_missing is False. Set "
                "data_home to the folder of the file, or download_if_missing=True."
            )
        _download_imdb(cached[-1])
    frame = pd.read_csv(next(path for path in cached if path.exists()))
    if subset != "all":
        frame = frame[frame["split"] == subset]
    return Bunch(
        data=frame["text"].tolist(),
        target=frame["label"].to_numpy(),
        target_names=["negative", "positive"],
    )


def _download_imdb(path):
    logger.info("Downloading IMDB, 80 MB, from %s to %s", IMDB_URL, path.parent)
    try:
        archive = fetch_file(IMDB_URL, folder=path.parent, sha256=IMDB_SHA256)
    except OSError as error:
        raise OSError(
            f"IMDB could not be downloaded from {IMDB_URL}: {error}. Check the network "
            f"connection, or put the file into {path.parent} yourself."
        ) from error
    rows = []
    with tarfile.open(archive) as file:
        for member in file:
            parts = member.name.split("/")
            if len(parts) == 4 and parts[2] in ("pos", "neg"):
                review = file.extractfile(member)
                assert review is not None, "a folder has fewer parts"
                text = review.read().decode("utf-8")
                rows.append((parts[1], int(parts[2] == "pos"), text))
    frame = pd.DataFrame(sorted(rows), columns=["split", "label", "text"])
    # Rename at the end: an interrupted write must not leave a broken cache file.
    partial = path.with_name("partial-" + path.name)
    frame.to_csv(partial, index=False)
    partial.replace(path)
