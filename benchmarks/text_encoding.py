"""Seconds to tokenise and encode 50,000 reviews, beside CountVectorizer.

The data folder is named by SKLSTM_DATA (default ``../shared/data``)::

    python benchmarks/text_encoding.py
"""

import os
import time
from pathlib import Path
from statistics import median

from pages import provenance
from sklearn.feature_extraction.text import CountVectorizer

from sklstm.datasets import fetch_imdb
from sklstm.preprocessing import TextSequencer

HOME = Path(os.environ.get("SKLSTM_DATA", "../shared/data")) / "text"


def main():
    print(provenance())
    texts = fetch_imdb("all", data_home=HOME).data
    contenders = {
        "CountVectorizer": CountVectorizer(),
        "TextSequencer": TextSequencer(max_length=256),
    }
    seconds = {name: [] for name in contenders}
    for _ in range(3):
        for name, transformer in contenders.items():
            start = time.perf_counter()
            transformer.fit_transform(texts)
            seconds[name].append(time.perf_counter() - start)
    for name, runs in seconds.items():
        print(f"{name:16} {median(runs):6.1f} s   runs {[round(s, 1) for s in runs]}")
    ratio = median(seconds["TextSequencer"]) / median(seconds["CountVectorizer"])
    print(f"ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
