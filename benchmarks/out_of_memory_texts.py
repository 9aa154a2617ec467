"""Train on texts, and on token ids, ten times as large as the memory a fit may add.

python benchmarks/out_of_memory_texts.py [KIND MB]

As in `out_of_memory.py`, private data (RLIMIT_DATA) are capped at the given MB above
those after a fit of 2,000 texts. Kinds are token ids in a `numpy.memmap`, and lines of
a file that an iterator yields, without and with n-grams, whose model takes about 250 MB
for any number of texts. The folder that TMPDIR names needs 30 times the MB. Linux only.
A text has about 1,200 letters, as reviews of IMDB have, and the vocabulary 50,000
words; the label of a text depends on two of its words.
"""

import itertools
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from out_of_memory import status
from pages import provenance

N_WORDS, N_TOKENS = 50_000, 280
AT_ONCE = 20_000
# Two words of each class, in the middle of the vocabulary.
MARKS = np.array([[500, 501], [502, 503]])


def words():
    """Return artificial words of two to six letters; frequent words are short."""
    letters, vocabulary = "etaoinsr", []
    for n in itertools.count(2):
        for word in itertools.product(letters, repeat=n):
            vocabulary.append("".join(word))
            if len(vocabulary) == N_WORDS:
                return np.array(vocabulary, object)


def documents(n, seed):
    """Return token ids from 0 by Zipf's law, of shape (n, N_TOKENS), and labels."""
    rng = np.random.default_rng([seed, n])
    frequency = 1 / np.arange(1, N_WORDS + 1)
    cumulated = np.cumsum(frequency / frequency.sum())
    ids = np.searchsorted(cumulated, rng.random((n, N_TOKENS)))
    labels = rng.integers(0, 2, n)
    for word in range(2):
        place = rng.integers(0, N_TOKENS, n)
        ids[np.arange(n), place] = MARKS[labels, word]
    return ids, labels.astype(np.int8)


def write_texts(path, n_bytes):
    """Write lines of text, and return their labels."""
    vocabulary, labels = words(), []
    with path.open("w") as file:
        for seed in itertools.count():
            ids, block = documents(AT_ONCE, seed)
            file.writelines(" ".join(line) + "\n" for line in vocabulary[ids].tolist())
            labels.append(block)
            if file.tell() >= n_bytes:
                return np.concatenate(labels)


def write_ids(path, n_bytes):
    labels = []
    with path.open("wb") as file:
        for seed in itertools.count():
            ids, block = documents(AT_ONCE, seed)
            file.write((ids + 1).astype(np.int32).data)
            labels.append(block)
            if file.tell() >= n_bytes:
                return np.concatenate(labels)


# Caps in MB, by kind.
KINDS = {"ids": 110, "texts": 110, "texts with n-grams": 350}


def train(kind, cap, folder):
    """Fit under a cap of MB above a small fit, and print time and memory."""
    from sklstm import LSTMTextClassifier

    path = Path(folder) / "documents"
    vocabulary = words()

    def as_input(ids):
        if kind == "ids":
            return ids + 1
        return [" ".join(line) for line in vocabulary[ids].tolist()]

    clf = LSTMTextClassifier(units=4, embedding_dim=8, max_length=32, batch_size=256)
    clf.set_params(linear_skip=kind == "texts with n-grams")
    clf.set_params(epochs=1, random_state=0)
    X, y = documents(2_000, 0)
    clf.fit(as_input(X), y)
    X, y_test = documents(2_000, 10**6)
    X_test, y = as_input(X), np.load(Path(folder) / "labels.npy", mmap_mode="r")
    del X
    held = status("VmData")
    most = int((held + cap) * 2**20)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    try:
        path.read_bytes()
        raise SystemExit("The cap has no effect: a copy of the texts fits.")
    except MemoryError:
        pass
    top, done = [0.0], threading.Event()

    def watch():
        while not done.wait(0.05):
            top[0] = max(top[0], status("VmData"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    try:
        if kind == "ids":
            clf.fit(np.memmap(path, np.int32, "r").reshape(-1, N_TOKENS), y)
        else:
            with path.open() as lines:
                clf.fit(lines, y)
    finally:
        seconds = time.perf_counter() - start
        done.set()
        watcher.join()
    print(
        f"{kind}: {path.stat().st_size / 2**20:,.0f} MB, {len(y):,} documents, cap "
        f"{cap} MB above the {held:.0f} MB of a small fit: {seconds:.0f} s, at most "
        f"{top[0] - held:.0f} MB more; {clf.score(X_test, y_test):.1%} of 2,000 new "
        f"documents right; best epoch {clf.best_epoch_}"
    )


if __name__ == "__main__":
    if len(sys.argv) > 3:
        train(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    else:
        print(provenance())
        kinds = {sys.argv[1]: int(sys.argv[2])} if len(sys.argv) > 2 else KINDS
        for kind, cap in kinds.items():
            write = write_ids if kind == "ids" else write_texts
            with tempfile.TemporaryDirectory() as folder:
                labels = write(Path(folder) / "documents", 10 * cap * 2**20)
                np.save(Path(folder) / "labels.npy", labels)
                command = [sys.executable, __file__, kind, str(cap), folder]
                subprocess.run(command, check=True)
