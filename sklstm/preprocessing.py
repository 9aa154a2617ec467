"""Transformers for windows, scaling and token ids, usable without the estimators."""

from collections.abc import Callable
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.base import _fit_context as fit_context
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import (
    FLOAT_DTYPES,
    _check_feature_names_in,
    check_is_fitted,
    validate_data,
)

from sklstm._base import POSITIVE_INT
from sklstm._series.panel import panel_from_long
from sklstm._series.validation import check_weights
from sklstm._text import vocabulary
from sklstm._text.sequences import PADDING, TRUNCATE
from sklstm._text.tokenizer import (
    STRIP_ACCENTS,
    check_texts,
    tokenizer_of,
)
from sklstm._utils import memory_limits
from sklstm._windows.dataset import make_windows
from sklstm._windows.scaling import SCALERS, ColumnScaler, fit_column_scaler

__all__ = [
    "SeriesScaler",
    "SlidingWindowTransformer",
    "TextSequencer",
    "make_windows",
    "panel_from_long",
]


class SeriesScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Scale each column of a series, as `LSTMForecaster` does.

    Parameters
    ----------
    method : {"standard", "robust", "minmax", "log"} or None, default="standard"
        "standard" subtracts the mean and divides by the standard deviation, "robust"
        takes the median and the interquartile range, and "minmax" the minimum and the
        range. "log" is "standard" of the logarithm, for positive values. None leaves
        values unchanged.

    Attributes
    ----------
    center_, scale_ : ndarray of shape (n_features,)
        In the units of X, or of its logarithm. The scale of a constant column is 1,
        because a range of 0 cannot be divided by.

    Examples
    --------
    >>> from sklstm.preprocessing import SeriesScaler
    >>> SeriesScaler("minmax").fit_transform([[10.0], [15.0], [20.0]]).ravel()
    array([0. , 0.5, 1. ])
    """

    _parameter_constraints = {"method": [StrOptions(set(SCALERS)), None]}

    def __init__(self, method="standard"):
        self.method = method

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit center and scale.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, n_features)
        y : None
        sample_weight : array-like of shape (n_timesteps,), default=None

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If values are missing, infinite, or have no logarithm.
        """
        X = validate_data(self, X, dtype=FLOAT_DTYPES)
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, X)
        scaler = fit_column_scaler(X.astype(np.float64), self.method, sample_weight)
        self.center_, self.scale_ = scaler.center, scaler.scale
        return self

    @property
    def _scaler(self):
        return ColumnScaler(self.center_, self.scale_, self.method == "log")

    def transform(self, X):
        """Scale X of shape (n_timesteps, n_features)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=FLOAT_DTYPES, reset=False)
        return self._scaler.apply(X)

    def inverse_transform(self, X):
        """Return scaled X in its original units."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=FLOAT_DTYPES, reset=False)
        return self._scaler.invert(X)


class SlidingWindowTransformer(TransformerMixin, BaseEstimator):
    """Add the rows before each row as further columns.

    Row t of the result holds rows t - window_length + 1 ... t of X, with the oldest row
    first. Before the start of the series the first row is repeated.

    The transformer does not pass scikit-learn's checks of order and subset invariance,
    because the result of a row depends on the rows before it.

    Parameters
    ----------
    window_length : int, default=2
        Number of rows in each window, including the row itself.

    Examples
    --------
    >>> from sklstm.preprocessing import SlidingWindowTransformer
    >>> SlidingWindowTransformer(window_length=2).fit_transform([[1.0], [2.0], [3.0]])
    array([[1., 1.],
           [1., 2.],
           [2., 3.]])
    """

    _parameter_constraints = {"window_length": [POSITIVE_INT]}

    def __init__(self, window_length=2):
        self.window_length = window_length

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Record the columns of X of shape (n_timesteps, n_features).

        Returns
        -------
        self
        """
        self._check_memory(validate_data(self, X, dtype=FLOAT_DTYPES))
        return self

    def _check_memory(self, X):
        # int: the product of NumPy integers overflows where it must be refused.
        memory_limits.check_memory(
            int(self.window_length) * X.size * X.itemsize,
            f"A window of window_length={self.window_length} rows for each row of X",
            "Shorten window_length, or transform fewer rows.",
        )

    def transform(self, X):
        """Return an array of shape (n_timesteps, window_length * n_features)."""
        check_is_fitted(self, "n_features_in_")
        X = validate_data(self, X, dtype=FLOAT_DTYPES, reset=False)
        self._check_memory(X)
        head = np.repeat(X[:1], self.window_length - 1, axis=0)
        # sliding_window_view puts the steps last; names and columns have them first.
        windows = np.lib.stride_tricks.sliding_window_view(
            np.concatenate([head, X]), self.window_length, axis=0
        )
        return np.swapaxes(windows, 1, 2).reshape(len(X), -1)

    def get_feature_names_out(self, input_features=None):
        """Return names ``<column>_lag<k>``, oldest first."""
        check_is_fitted(self, "n_features_in_")
        names = _check_feature_names_in(self, input_features)
        lags = range(self.window_length - 1, -1, -1)
        return np.array([f"{name}_lag{k}" for k in lags for name in names], object)


class TextSequencer(TransformerMixin, BaseEstimator):
    """Encode texts as token ids, padded on the right with 0.

    Tokens outside the vocabulary have id 1.

    Parameters
    ----------
    analyzer : {"word", "char"}, default="word"
        "char" makes every character except white space a token.
    lowercase : bool, default=True
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
    token_pattern : str or None, default=None
        Regular expression of tokens. None finds words of any script (with combining
        marks and with an apostrophe inside), emoji, and single other signs; Thai, Lao,
        Burmese and Khmer, which have no spaces, are split into characters.
    tokenizer : callable, default=None
        Function from a text to a list of str; replaces `analyzer` and `token_pattern`.
    max_features : int, default=None
        Size of the vocabulary, which keeps the most frequent tokens; None keeps all.
    min_df : int or float, default=1
        Minimum number of documents that hold a token; a float is a share of documents.
    max_length : int, default=None
        Maximum number of tokens of a text; None means the longest text of `fit`.
    truncate : {"head", "tail", "both"}, default="head"
        Part of a longer text that is kept; "both" keeps half from each end.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        Token ids from 2, by falling frequency; ties are in alphabetical order.
    max_length_ : int
        Columns of the result.

    Examples
    --------
    >>> from sklstm.preprocessing import TextSequencer
    >>> sequencer = TextSequencer().fit(["a good film", "a film"])
    >>> sequencer.transform(["a bad film"])
    array([[2, 1, 3]], dtype=int32)
    >>> sequencer.inverse_transform([[2, 4, 0]])
    ['a good']
    >>> sequencer.set_output(transform="pandas").transform(["a film"])
       token0  token1  token2
    0       2       3       0
    """

    _parameter_constraints = {
        "analyzer": [StrOptions({"word", "char"})],
        "lowercase": ["boolean"],
        "strip_accents": [StrOptions(set(STRIP_ACCENTS)), Callable, None],
        "token_pattern": [str, None],
        "tokenizer": [Callable, None],
        "max_features": [POSITIVE_INT, None],
        "min_df": [POSITIVE_INT, Interval(Real, 0, 1, closed="both")],
        "max_length": [POSITIVE_INT, None],
        "truncate": [StrOptions(set(TRUNCATE))],
    }

    def __init__(
        self,
        *,
        analyzer="word",
        lowercase=True,
        strip_accents=None,
        token_pattern=None,
        tokenizer=None,
        max_features=None,
        min_df=1,
        max_length=None,
        truncate="head",
    ):
        self.analyzer = analyzer
        self.lowercase = lowercase
        self.strip_accents = strip_accents
        self.token_pattern = token_pattern
        self.tokenizer = tokenizer
        self.max_features = max_features
        self.min_df = min_df
        self.max_length = max_length
        self.truncate = truncate

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Texts are a 1-D collection of str, so scikit-learn's checks of arrays are off.
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Fit the vocabulary.

        Parameters
        ----------
        X : array-like of str of shape (n_documents,)
        y : None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If an entry is not a string; the message names its position.
        """
        self.fit_transform(X)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Fit the vocabulary and encode the texts, with one pass of the tokenizer."""
        texts = check_texts(X)
        tokens, sequences = vocabulary.count_tokens(texts, tokenizer_of(self))
        # The vocabulary counts weighted documents; without weights each counts once.
        weights = np.ones(len(texts))
        self.vocabulary_, sequences = vocabulary.build_vocabulary(
            tokens, sequences, weights, self.min_df, self.max_features
        )
        # At least one column, also for texts without a token.
        longest = int(sequences.lengths.max(initial=1))
        self.max_length_ = longest if self.max_length is None else self.max_length
        return self._padded(sequences)

    def _padded(self, sequences):
        sequences = sequences.truncated(self.max_length_, self.truncate)
        memory_limits.check_memory(
            len(sequences) * int(self.max_length_) * 4,
            f"An array of max_length={self.max_length_} ids for each text",
            "Lower max_length, or leave it at None.",
        )
        return sequences.padded(self.max_length_)

    def transform(self, X):
        """Encode texts as token ids.

        Parameters
        ----------
        X : array-like of str of shape (n_documents,)

        Returns
        -------
        ndarray of int32 of shape (n_documents, `max_length_`)
        """
        check_is_fitted(self)
        texts = check_texts(X)
        return self._padded(
            vocabulary.encode(texts, tokenizer_of(self), self.vocabulary_)
        )

    def get_feature_names_out(self, input_features=None):
        """Return column names ``token<k>``, from 0; `input_features` is not used."""
        check_is_fitted(self)
        names = [f"token{i}" for i in range(self.max_length_)]
        return np.array(names, dtype=object)

    def inverse_transform(self, X):
        """Decode token ids to texts; unknown tokens become ``<unknown>``.

        Parameters
        ----------
        X : array-like of int of shape (n_documents, n_tokens)

        Returns
        -------
        list of str
            Tokens joined by spaces, or characters joined without.

        Raises
        ------
        ValueError
            If an id is not in the vocabulary.
        """
        check_is_fitted(self)
        X = check_array(X, dtype=np.int64, ensure_min_samples=0)
        # Ids 0 and 1 are padding and unknown tokens, so the vocabulary begins at 2.
        tokens = np.array(["", "<unknown>", *self.vocabulary_], dtype=object)
        if X.size and (X.min() < 0 or X.max() >= len(tokens)):
            raise ValueError(
                f"X holds ids from {X.min()} to {X.max()}, but the vocabulary has ids "
                f"from 0 to {len(tokens) - 1}. Pass what transform returned."
            )
        separator = "" if self.analyzer == "char" else " "
        return [separator.join(tokens[row[row != PADDING]]) for row in X]
