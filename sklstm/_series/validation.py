"""Checks of values and containers."""

import re
import warnings
from collections.abc import Iterable
from numbers import Real

import numpy as np
import pandas as pd
from sklearn.utils.validation import _check_sample_weight, _num_samples

from sklstm._utils.disk_arrays import blocks, in_file

LARGEST = 1e100
# A sum of squares of many such scaled values still fits single precision.
LARGEST_SCALED = 1e16
# Text that pandas.to_datetime may read: "2024-01-31", "31.1.24", "20240131".
DATE_LIKE = re.compile(r"\d{4}|\d[-/.]\d")
# Sums of weights must have digits left in single precision.
WEIGHTS = 1e-30, 1e30


def is_pandas(data) -> bool:
    return isinstance(data, (pd.Series, pd.DataFrame))


def names_of_columns(data) -> list | None:
    """Return the names of columns of a frame of pandas, polars or Arrow, or None."""
    if len(getattr(data, "shape", ())) != 2:
        return None
    names = getattr(data, "column_names", getattr(data, "columns", None))
    return None if names is None else list(names)


def columns_in_order(data, names: list):
    """Return a frame with its columns in the order of names; None if it has others."""
    columns = names_of_columns(data) or []
    if columns == names:
        return data
    if len(set(columns)) < len(columns) or set(columns) != set(names):
        return None
    return data[names] if is_pandas(data) else data.select(names)


def unmasked(data):
    """Return a masked array with NaN at masked entries; return other data unchanged."""
    if isinstance(data, np.ma.MaskedArray):
        return np.ma.filled(data.astype(np.float64), np.nan)
    return data


def n_dims(data) -> int:
    """Return the dimensions of anything that NumPy can read as an array."""
    if hasattr(data, "ndim"):
        return data.ndim
    if hasattr(data, "shape"):  # of Arrow
        return len(data.shape)
    try:
        return np.asarray(data).ndim
    except ValueError as error:
        raise TypeError(
            "The data must be rows of one length, but their lengths differ. Pass an "
            f"array or a frame. NumPy says: {error}"
        ) from error


def check_columns(data, name="X"):
    """Raise where two columns of a frame have one name."""
    columns = getattr(data, "columns", None)
    if isinstance(columns, pd.Index) and columns.has_duplicates:
        twice = columns[columns.duplicated()][0]
        raise ValueError(
            f"{name} has more than one column named {twice!r}. Rename or drop them."
        )


def check_numbers(data, name="X"):
    """Raise where values cannot be read as numbers, unless scikit-learn checks that.

    Raises
    ------
    ValueError
        For a frame without columns, and complex numbers.
    TypeError
        For text, dates, nested rows of unequal length and other objects; for frames of
        Dask, whose index has no levels and says of no row whose it is.
    """
    if hasattr(data, "divisions"):
        raise TypeError(
            f"{name} is a frame of Dask, which does not tell series apart. Pass "
            "panel_from_long(frame, series=..., time=...) of sklstm.preprocessing, "
            "which reads one partition after the other; or frame.compute(), if memory "
            "holds it."
        )
    if isinstance(data, pd.DataFrame) and not data.shape[1]:
        raise ValueError(f"{name} is a frame without columns. Pass at least one.")
    if type(data).__name__ == "LazyFrame":
        raise TypeError(
            f"{name} is a LazyFrame of polars, which holds no values yet. Pass "
            f"{name}.collect()."
        )
    kind = getattr(getattr(data, "dtype", None), "kind", None)
    if kind is None and hasattr(data, "__array__"):  # polars and Arrow
        kind = np.asarray(data).dtype.kind
    kind = kind or "O"
    if kind == "c":
        raise ValueError(
            f"Complex data not supported: {name} must hold real numbers. Pass its real "
            "and imaginary parts as columns."
        )
    if kind in "biuf" or hasattr(data, "toarray"):
        return
    if kind in "mM":
        raise TypeError(
            f"{name} must hold numbers, but it holds {data.dtype}. Turn dates into "
            "numbers first, or make them the index."
        )
    try:
        as_numbers(data)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(
            f"{name} must hold numbers, but a value could not be read as one: {error}."
        ) from error


def check_size(values: np.ndarray, name: str = "X") -> np.ndarray:
    """Raise where values are so large that their squares overflow."""
    largest = max(
        (float(np.nanmax(np.abs(values[i]), initial=0.0)) for i in blocks(len(values))),
        default=0.0,
    )
    if largest > LARGEST:
        raise ValueError(
            f"{name} holds values as large as {largest:.3g}, whose squares overflow. "
            "Divide it by a power of ten first."
        )
    return values


def check_weights(sample_weight, X, **options):
    """Return weights as one array of numbers, with one for each row of X."""
    if isinstance(sample_weight, (str, bytes, dict, set)):
        raise ValueError(
            f"sample_weight is of type {type(sample_weight).__name__}, but a number "
            "for each row is needed. Pass a list or an array of them."
        )
    try:
        one_for_all = sample_weight is None or isinstance(sample_weight, Real)
        numbers = sample_weight if one_for_all else as_numbers(sample_weight)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"sample_weight must hold a number for each row, but holds others: {error}."
        ) from error
    n_rows = _num_samples(X)
    if numbers is not None:
        numbers = np.full(n_rows, numbers, np.float64) if one_for_all else numbers
        check_each_weight(numbers, n_rows)
    return _check_sample_weight(numbers, X, dtype=np.float64, **options)


def check_each_weight(weights: np.ndarray, n_rows: int) -> None:
    """Raise where weights are not one number for each row, 0 or more."""
    if weights.shape != (n_rows,):
        raise ValueError(
            f"sample_weight has the shape {weights.shape}, but there are {n_rows} "
            "rows. Pass a number for each row, in one dimension."
        )
    for is_wrong, what in (
        (~np.isfinite(weights), "Values that are no finite numbers"),
        (weights < 0, "Negative values in data"),
    ):
        if is_wrong.any():
            row = is_wrong.argmax()
            raise ValueError(
                f"{what} passed to sample_weight: {weights[row]} at position {row}. "
                "Pass 0 for rows that must not count, and positive numbers for others."
            )
    if n_rows and not weights.any():
        raise ValueError(
            "sample_weight is zero for every row. Give weight to the rows that count."
        )


def check_weight_size(weights):
    """Raise where weights other than 0 are too small or too large to be added up."""
    used = weights[weights > 0]
    if len(used) and not WEIGHTS[0] <= used.min() <= used.max() <= WEIGHTS[1]:
        raise ValueError(
            f"sample_weight, times the weight of classes, goes from {used.min():.3g} "
            f"to {used.max():.3g}, but must lie between {WEIGHTS[0]:g} and "
            f"{WEIGHTS[1]:g}, or be 0. Divide it by its mean."
        )
    return weights


def as_numbers(data, dtype=np.float64) -> np.ndarray:
    """Return data as an array of numbers, in which missing values are NaN.

    Nullable and Arrow columns, and objects such as Decimal, are read one by one,
    because NumPy makes objects of several of them.
    """
    if isinstance(data, pd.DataFrame) and not all(map(is_numpy_number, data.dtypes)):
        columns = [as_numbers(data.iloc[:, i]) for i in range(data.shape[1])]
        return np.column_stack(columns)
    if isinstance(data, pd.Series) and not is_numpy_number(data.dtype):
        if data.dtype == object:
            data = data.where(data.notna(), np.nan)
        return data.to_numpy(dtype, na_value=np.nan)
    data = unmasked(data)
    try:
        return np.asarray(data, dtype=dtype)
    except TypeError:  # pandas.NA among objects, or what is no number
        objects = np.asarray(data, dtype=object)
        return np.where(pd.isna(objects), np.nan, objects).astype(dtype)


def is_numpy_number(dtype):
    return isinstance(dtype, np.dtype) and dtype.kind in "biuf"


def check_column(column, name, frame=None):
    """Raise where a column of a frame holds dates, text or other objects.

    `frame` is how to get the frame in pandas, by default its name.
    """
    frame = name if frame is None else frame
    dtype, label = column.dtype, column.name
    if pd.api.types.is_numeric_dtype(dtype):
        return
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if dtype.kind in "mM" or kind in ("date", "datetime", "period", "timedelta"):
        raise TypeError(
            f"Column {label!r} of {name} holds dates ({dtype}), not numbers. Make it "
            f"the index, for one series with {frame}.set_index({label!r}), for many "
            "with sklstm.preprocessing.panel_from_long(frame, series=..., time=...)."
        )
    try:
        as_numbers(column)
    except (TypeError, ValueError, OverflowError) as error:
        if kind == "string" and holds_dates(column.dropna()):
            raise TypeError(
                f"Column {label!r} of {name} holds dates as text. Make them the index: "
                f"for one series, assign pd.to_datetime({frame}[{label!r}]) to the "
                f"column and call {frame}.set_index({label!r}); for many, call "
                "sklstm.preprocessing.panel_from_long(frame, series=..., time=...)."
            ) from error
        raise TypeError(
            f"Column {label!r} of {name} holds {dtype}, not numbers. A column that "
            "names the series belongs into the index: use "
            "sklstm.preprocessing.panel_from_long(frame, series=..., time=...). Other "
            "categories need numbers first, for example from "
            "sklearn.preprocessing.OneHotEncoder."
        ) from error


def check_frame(data, name="X"):
    """Raise where a frame has columns of one name, or one that holds no numbers."""
    if isinstance(data, pd.DataFrame):
        check_columns(data, name)
        for column in range(data.shape[1]):
            check_column(data.iloc[:, column], name)
    elif not hasattr(data, "divisions"):
        columns = names_of_columns(data) or ()  # of polars and Arrow
        if columns:
            check_no_index_of_pandas(data, name)
        for label in columns:
            values = np.asarray(data[label])
            if values.dtype.kind not in "biuf":
                column = pd.Series(values, name=label)
                check_column(column, name, f"{name}.to_pandas()")


def check_no_index_of_pandas(table, name="X"):
    """Raise where a table of Arrow holds the index of a frame among its columns."""
    metadata = getattr(getattr(table, "schema", None), "pandas_metadata", None) or {}
    columns = [own for own in metadata.get("index_columns", ()) if isinstance(own, str)]
    if set(columns) & set(names_of_columns(table) or ()):
        raise TypeError(
            f"{name} is an Arrow table with the index of a frame, column "
            f"{columns[0]!r}, which is no value of the series. Pass "
            f"{name}.to_pandas(), whose rows go by that index."
        )


def holds_dates(texts: pd.Series | pd.Index) -> bool:
    """Return whether all texts are dates; pandas alone would read "T1" as one, too."""
    if not len(texts) or not DATE_LIKE.search(str(texts.to_numpy()[0])):
        return False
    return are_dates(texts, dayfirst=False) or are_dates(texts, dayfirst=True)


def are_dates(texts: pd.Series | pd.Index, *, dayfirst: bool) -> bool:
    """Return whether pandas reads all texts, the day before the month or after it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # text of several formats
        times = pd.to_datetime(texts, errors="coerce", dayfirst=dayfirst)
    return bool(times.notna().all())


def check_values(data, name: str = "X", allow_nan: bool = False) -> np.ndarray:
    """Return data as a finite float64 array of shape (n_timesteps, n_columns).

    An array in a file stays there, as it is.

    Raises
    ------
    TypeError
        For text and other columns that are not numbers.
    ValueError
        For infinity, NaN where it is not allowed, no rows, or more than two dimensions.
    """
    check_frame(data, name)
    check_numbers(data, name)
    held = in_file(data) and data.dtype in (np.float32, np.float64)
    values = as_numbers(data, data.dtype if held else np.float64)
    if values.ndim not in (1, 2):
        raise ValueError(
            f"{name} must have 1 or 2 dimensions, time steps first. Got {values.ndim}. "
            "Pass one series, or a table with a column for each."
        )
    if not values.size:
        raise ValueError(f"{name} is empty. Pass at least one time step.")
    values = values.reshape(len(values), -1)

    def is_bad(part):
        return np.isinf(part) if allow_nan else ~np.isfinite(part)

    if any(is_bad(values[rows]).any() for rows in blocks(len(values))):
        bad = np.argwhere(is_bad(values))
        row, column = bad[0]
        what = "NaN" if np.isnan(values[row, column]) else "infinity"
        where = name_of_column(data, column) + stamp_in_words(data, row)
        raise ValueError(
            f"{name} contains {what}, first at row {row}, column {where} ({len(bad)} "
            "such values in all). Fill or drop them first, for example with "
            "interpolate()."
        )
    return check_size(values, name)


def name_of_column(data, column: int) -> str:
    """Return the name of a column, or its number where it has none."""
    names = names_of_columns(data)
    return str(column) if names is None else repr(names[column])


def stamp_in_words(data, row) -> str:
    """Return the time of a row, and its series, where the index says more than it."""
    if not is_pandas(data) or isinstance(data.index, pd.RangeIndex):
        return ""
    label = data.index[row]
    label = label if isinstance(label, tuple) else (label,)
    return f", at {', '.join(map(str, label))}"


def check_probabilities(name: str, values) -> None:
    """Raise where values are no sequence of probabilities between 0 and 1."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a tuple, such as (0.1, 0.9). Got {values!r}.")
    for value in values:
        is_number = isinstance(value, Real)
        if not is_number or not 0 < value < 1:
            raise ValueError(
                f"{name} must lie between 0 and 1, without them. Got {value!r}: pass "
                "a probability such as 0.9."
            )


def check_positive_int(name: str, value) -> None:
    """Raise where `value` is not an integer of 1 or more."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an int of 1 or more. Got {value!r}.")
    if value < 1:
        raise ValueError(f"{name} must be an int of 1 or more. Got {value}.")
    if value >= 2**63:  # in arrays it would be no int any more
        raise ValueError(f"{name} must be below 2**63. Got {value}: lower it.")


def match_columns(data, names, name="y"):
    """Return a frame of targets, or of inputs, with its columns in the order of names.

    Raises
    ------
    ValueError
        If it has other columns.
    """
    columns = names_of_columns(data)
    # One column cannot be in another order; `match_target` checks its name.
    if columns is None or not isinstance(names, list) or len(names) < 2:
        return data
    ordered = columns_in_order(data, names)
    if ordered is None:
        raise ValueError(
            f"{name} has the columns {columns}, but the forecaster was fitted with "
            f"{names}. Pass the same columns, in any order."
        )
    return ordered


def match_other_names(estimator, table, names):
    """Return a frame with its columns in the order of `fit`, if they are not all text.

    scikit-learn refuses names of text in another order, and does not look at others.
    """
    has_text = hasattr(estimator, "feature_names_in_")
    return table if has_text else match_columns(table, names, "X")
