"""Python objects as one file that runs nothing when it is read.

The file is a zip of two JSON members and one of safetensors, all stored as they are,
and ends in a digest of itself. Objects become plain data with tags; arrays go to the
safetensors member. Only classes marked `storable` are written or made again.
"""

import datetime
import hashlib
import io
import json
import os
import re
import uuid
import zipfile
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors.numpy

from sklstm._utils.offsets import offset_from_data, offset_to_data

FORMAT = 1
MANIFEST, STATE, ARRAYS = "manifest.json", "state.json", "arrays.safetensors"
DIGEST_LENGTH = 64
CONTAINERS = {"Series": pd.Series, "DataFrame": pd.DataFrame}
NAME = re.compile(r"[A-Za-z_]\w*")
# Zones of the data base and offsets; pandas would read a file for others.
ZONE = re.compile(r"(?!dateutil)[A-Za-z][\w+-]*(/[\w+-]+)*|UTC[+-]\d\d:\d\d(:\d\d)?")
STORABLE: dict[str, type] = {}
# What any format keeps, and the attribute that names what it would not have kept.
AS_THEY_ARE = (bool, str, Integral, Real, np.ndarray, np.generic, os.PathLike)
PACKED = "_packed"


class LoadError(ValueError):
    """A file is not a model that this version of sklstm can load."""


def storable(cls):
    """Let instances of a class into a file, as their attributes.

    A class that has changed says how files of older versions are read: its attribute
    `_former_names` lists names that the class had, `_renamed_fields` maps attributes
    of older files to those of today, and the class method `_from_stored` makes a state
    of today of any state, that of today included. All are optional.
    """
    for name in vars(cls).get("_former_names", ()):
        STORABLE.setdefault(name, cls)
    STORABLE[cls.__name__] = cls
    return cls


def current_state(cls, state):
    """Convert the attributes that a file holds to those that a class has today."""
    renamed = getattr(cls, "_renamed_fields", {})
    state = {renamed.get(name, name): value for name, value in state.items()}
    return cls._from_stored(state) if hasattr(cls, "_from_stored") else state


class Encoder:
    """Plain data of an object, and the arrays that it holds."""

    def __init__(self):
        self.arrays = {}

    def array(self, value):
        name = str(len(self.arrays))
        # ascontiguousarray gives a number an axis, which reshape takes off again.
        self.arrays[name] = np.ascontiguousarray(value).reshape(np.shape(value))
        return name

    def encode(self, value, place):
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, np.generic):
            kind = "U" if value.dtype.kind == "U" else self.kind(value, place)
            return str(value) if kind == "U" else {"scalar": self.array(value)}
        if isinstance(value, os.PathLike):
            return os.fspath(value)  # loaded as the str that means the same
        if isinstance(value, Integral):
            return int(value)
        if isinstance(value, Real):
            value = float(value)
            return value if np.isfinite(value) else {"float": str(value)}
        if isinstance(value, list):
            return [self.encode(v, f"{place}[{i}]") for i, v in enumerate(value)]
        if isinstance(value, tuple):
            return {"tuple": self.encode(list(value), place)}
        if isinstance(value, dict):
            keys = self.encode(list(value), place)
            values = [self.encode(v, f"{place}[{k!r}]") for k, v in value.items()]
            return {"keys": keys, "values": values}
        if isinstance(value, np.ndarray):
            return self.encode_array(value, place)
        if isinstance(value, pd.Index):
            return self.encode_index(value, place)
        if isinstance(value, datetime.date):
            return self.encode_date(value, place)
        if isinstance(value, pd.Period):
            return {"one_period": value.ordinal, "freq": value.freqstr}
        if isinstance(value, (set, frozenset)):
            return {"set": self.encode(sorted(value, key=repr), place)}
        if value in CONTAINERS.values() if isinstance(value, type) else False:
            return {"container": value.__name__}
        if STORABLE.get(type(value).__name__) is type(value):
            # Sorted, since attributes stand in the order in which fits set them.
            state = {
                name: self.encode(part, f"{place}.{name}")
                for name, part in sorted(state_of(value).items())
            }
            return {"object": type(value).__name__, "state": state}
        return self.encode_other(value, place)

    def encode_other(self, value, place):
        raise TypeError(
            f"{place} holds {value!r}, of {type(value)}, which cannot be stored in a "
            "file that runs no code when it is loaded. Replace it by a plain value, or "
            "use pickle or joblib between machines you trust."
        )

    def kind(self, value, place):
        kind = value.dtype.kind
        if kind not in "biuf" or value.dtype.itemsize > 8:
            raise TypeError(
                f"{place} holds values of dtype {value.dtype}, which cannot be stored. "
                "Use numbers of at most 64 bits, bool or str."
            )
        return kind

    def encode_date(self, value, place):
        if value is pd.NaT:
            raise TypeError(f"{place} holds a missing time. Replace it by a date.")
        if not isinstance(value, datetime.datetime):
            return {"date": value.isoformat()}
        # A datetime is loaded as the Timestamp that means the same.
        return {"timestamp": pd.Timestamp(value).isoformat()}

    def encode_array(self, value, place):
        if value.dtype.kind == "M" and value.ndim == 1:
            return {"stamps": self.encode_index(pd.DatetimeIndex(value), place)}
        if value.dtype.kind in "UO":
            return {
                "items": self.encode(value.ravel().tolist(), place),
                "shape": list(value.shape),
                "dtype": value.dtype.kind,
            }
        self.kind(value, place)
        return {"array": self.array(value)}

    def frequency(self, index, place):
        try:
            return offset_to_data(index.freq)
        except TypeError as error:
            raise TypeError(f"{place} has {error}.") from error

    def encode_index(self, index, place):
        name = self.encode(index.name, f"{place}.name")
        if isinstance(index, pd.RangeIndex):
            return {"range": [index.start, index.stop, index.step], "name": name}
        if isinstance(index, pd.PeriodIndex):
            ordinals = self.array(index.asi8)
            return {"period": ordinals, "freq": index.freqstr, "name": name}
        if isinstance(index, pd.DatetimeIndex):
            zone = None if index.tz is None else str(index.tz)
            if zone is not None and not ZONE.fullmatch(zone):
                raise TypeError(
                    f"{place} has the time zone {index.tz!r}, which cannot be stored. "
                    "Name it, for example by tz_convert('Europe/Berlin')."
                )
            return {
                "datetime": self.array(index.asi8),
                "unit": index.unit,
                "tz": zone,
                "freq": self.frequency(index, place),
                "name": name,
            }
        return {"index": self.encode_array(index.to_numpy(), place), "name": name}


class FileEncoder(Encoder):
    """Plain data of a file, in which columns of values become lists of them."""

    def encode_other(self, value, place):
        to_list = getattr(value, "to_list", None)  # of pandas and polars
        if callable(to_list):
            return self.encode(to_list(), place)
        return super().encode_other(value, place)


def state_of(value):
    """Return the attributes that a file holds."""
    # scikit-learn adds its version, and checks it when the state is set again.
    if type(value).__module__.startswith("sklearn."):
        return value.__getstate__()
    # A class may keep more than it is.
    return value.stored() if hasattr(value, "stored") else dict(vars(value))


def hides(cls, name):
    member = getattr(cls, name, None)
    return callable(member) or isinstance(member, property)


class Decoder:
    """The object of plain data and arrays; the reverse of `Encoder`."""

    def __init__(self, arrays):
        self.arrays = arrays

    def decode(self, data):
        if isinstance(data, list):
            return [self.decode(item) for item in data]
        if not isinstance(data, dict):
            return data
        tag = next((tag for tag in self.TAGS if tag in data), None)
        if tag is None:
            raise LoadError(f"The file holds data of an unknown kind: {sorted(data)}.")
        return self.TAGS[tag](self, data)

    def decode_dict(self, data):
        keys, values = self.decode(data["keys"]), self.decode(data["values"])
        return dict(zip(keys, values, strict=True))

    def decode_items(self, data):
        items = self.decode(data["items"])
        if data["dtype"] == "U":
            return np.array(items, str).reshape(data["shape"])
        array = np.empty(len(items), object)
        array[:] = items
        return array.reshape(data["shape"])

    def decode_datetime(self, data):
        if data["unit"] not in ("s", "ms", "us", "ns"):
            raise LoadError(f"The file has times in the unit {data['unit']!r}.")
        stamps = self.arrays[data["datetime"]].astype(np.int64)
        index = pd.DatetimeIndex(stamps.view(f"M8[{data['unit']}]"))
        if data["tz"] is not None:
            if not ZONE.fullmatch(data["tz"]):
                raise LoadError(f"The file has the time zone {data['tz']!r}.")
            index = index.tz_localize("UTC").tz_convert(data["tz"])
        index.freq = offset_from_data(data["freq"])
        return index.rename(self.decode(data["name"]))

    def decode_period(self, data):
        ordinals = self.arrays[data["period"]].astype(np.int64)
        index = pd.PeriodIndex.from_ordinals(ordinals, freq=data["freq"])
        return index.rename(self.decode(data["name"]))

    def decode_range(self, data):
        return pd.RangeIndex(*data["range"], name=self.decode(data["name"]))

    def decode_index(self, data):
        return pd.Index(self.decode(data["index"]), name=self.decode(data["name"]))

    def decode_object(self, data):
        if data["object"] not in STORABLE:
            raise LoadError(
                f"The file holds a {data['object']!r}, which this version of sklstm "
                "does not load. Upgrade sklstm if the file is from a newer version."
            )
        cls: Any = STORABLE[data["object"]]
        state = {name: self.decode(part) for name, part in data["state"].items()}
        state = current_state(cls, state)
        for name in state:
            # No method or property may be replaced by data.
            if not NAME.fullmatch(name) or name.startswith("__") or hides(cls, name):
                raise LoadError(f"The file sets {name!r} on a {data['object']}.")
        value = cls.__new__(cls)
        if cls.__module__.startswith("sklearn."):
            value.__setstate__(state)
        else:
            vars(value).update(state)
        return value

    TAGS = {
        "array": lambda self, data: self.arrays[data["array"]],
        "scalar": lambda self, data: self.arrays[data["scalar"]][()],
        "float": lambda self, data: float(data["float"]),
        "tuple": lambda self, data: tuple(self.decode(data["tuple"])),
        "keys": decode_dict,
        "items": decode_items,
        "range": decode_range,
        "period": decode_period,
        "datetime": decode_datetime,
        "index": decode_index,
        "timestamp": lambda self, data: pd.Timestamp(data["timestamp"]),
        "date": lambda self, data: datetime.date.fromisoformat(data["date"]),
        "one_period": lambda self, data: pd.Period(
            ordinal=int(data["one_period"]), freq=data["freq"]
        ),
        "set": lambda self, data: set(self.decode(data["set"])),
        "stamps": lambda self, data: self.decode(data["stamps"]).to_numpy(),
        "container": lambda self, data: CONTAINERS[data["container"]],
        "object": decode_object,
    }


def packed(state):
    """Return the state of an object with plain data instead of our classes.

    Numbers, texts and arrays stay as they are, and so does what is no data.
    """
    result, names = dict(state), []
    for name, value in state.items():
        if value is None or isinstance(value, AS_THEY_ARE):
            continue
        encoder = Encoder()
        try:
            text = json.dumps(encoder.encode(value, name))
        except TypeError:
            continue
        result[name] = {"text": text, "arrays": encoder.arrays}
        names.append(name)
    return result | {PACKED: names}


def unpacked(state):
    """Return the state of an object; the reverse of `packed`."""
    result = dict(state)
    for name in result.pop(PACKED, ()):
        decoder = Decoder(result[name]["arrays"])
        result[name] = decoder.decode(json.loads(result[name]["text"]))
    return result


def to_bytes(value: object, place: str, manifest: dict) -> bytes:
    """Return the file of a storable object; equal objects have equal bytes."""
    encoder = FileEncoder()
    state = encoder.encode(value, place)
    members = {
        MANIFEST: json.dumps({"format": FORMAT, **manifest}).encode(),
        STATE: json.dumps(state).encode(),
        ARRAYS: safetensors.numpy.save(encoder.arrays),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            # A ZipInfo of its own has a fixed date, so equal objects give equal bytes.
            archive.writestr(zipfile.ZipInfo(name), content)
        # The comment of a zip file is its end: room for the digest of all before it.
        archive.comment = b"0" * DIGEST_LENGTH
    content = buffer.getvalue()[:-DIGEST_LENGTH]
    return content + digest(content)


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def from_bytes(content: bytes) -> tuple[dict, Any]:
    """Return the manifest and the object of a file.

    Memory is bounded by the length of the file, since nothing in it is compressed and
    no shape is believed that its bytes do not fill.
    """
    if digest(content[:-DIGEST_LENGTH]) != content[-DIGEST_LENGTH:]:
        raise LoadError(
            "The file is no sklstm model, or is damaged: it does not end in the digest "
            "of what comes before. Copy it again from where it was saved."
        )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        infos = archive.infolist()
        if sorted(info.filename for info in infos) != sorted([MANIFEST, STATE, ARRAYS]):
            raise LoadError(f"The file has other members: {archive.namelist()}.")
        if any(
            info.compress_type != zipfile.ZIP_STORED or info.file_size > len(content)
            for info in infos
        ):
            raise LoadError("The file has compressed members, which are not read.")
        manifest = json.loads(archive.read(MANIFEST))
        if manifest["format"] != FORMAT:
            raise LoadError(
                f"The file has format {manifest['format']!r}, and this version of "
                f"sklstm loads {FORMAT}. Upgrade sklstm."
            )
        arrays = safetensors.numpy.load(archive.read(ARRAYS))
        return manifest, Decoder(arrays).decode(json.loads(archive.read(STATE)))


def write_graph(path, model):
    """Write an ONNX graph where there is a path, and return the graph."""
    if path is not None:
        write(path, model.SerializeToString())
    return model


def write(path, content: bytes) -> None:
    """Write a file whole or not at all."""
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder. Pass the name of a file in it.")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {path.parent} to write {path.name} to. Make it first."
        )
    # Not of tempfile, whose files nobody else may read.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            # On the disk before the rename, so that a crash leaves no empty file.
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
