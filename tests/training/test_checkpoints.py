import contextlib
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm._training.compiled import CompiledNetwork

# More kills make a longer run: SKLSTM_KILLS=50.
N_KILLS = int(os.environ.get("SKLSTM_KILLS", 1))
QUICK = {"epochs": 4, "units": 3, "random_state": 0, "min_skill": 0.0}
PROGRAM = """
import hashlib, sys
from sklstm import LSTMForecaster
from sklstm.datasets import load_air_passengers

f = LSTMForecaster(12, 2, units=3, epochs=20, early_stopping=False, random_state=0)
f.set_params(checkpoint=sys.argv[1]).fit(load_air_passengers())
weights = b"".join(f.weights_[name].tobytes() for name in sorted(f.weights_))
print(hashlib.sha256(weights).hexdigest(), len(f.history_["loss"]))
"""


class Killed(BaseException):
    pass


def killed_after(monkeypatch, n_batches):
    """Training dies in the block that holds the batch after so many."""
    train, count = CompiledNetwork.train_block, [0]

    def dying(self, *block):
        count[0] += block[-1]
        if count[0] > n_batches:
            raise Killed
        return train(self, *block)

    monkeypatch.setattr(CompiledNetwork, "train_block", dying)
    return count


def interrupted(estimator, *data, after, monkeypatch):
    with monkeypatch.context() as patched:
        killed_after(patched, after)
        with pytest.raises(Killed):
            estimator.fit(*data)


def same(a, b):
    return a.history_ == b.history_ and all(
        np.array_equal(a.weights_[name], b.weights_[name]) for name in b.weights_
    )


# Four epochs of two batches while choosing, then four of three on all rows; four steps
# of fine-tuning for the validation block, and four on all rows.
@pytest.mark.parametrize(
    "after, n_files, n_left", [(1, 0, 28), (3, 1, 26), (8, 1, 20), (12, 2, 17)]
)
def test_a_killed_fit_goes_on_to_the_same_bytes(
    passengers, tmp_path, monkeypatch, after, n_files, n_left
):
    parameters = {**QUICK, "dropout": 0.3, "early_stopping": False, "window_length": 6}
    whole = LSTMForecaster(**parameters).fit(passengers)
    f = LSTMForecaster(**parameters, checkpoint=tmp_path / "kept")
    interrupted(f, passengers, after=after, monkeypatch=monkeypatch)
    assert not hasattr(f, "weights_")
    assert len(list((tmp_path / "kept").glob("*"))) == n_files
    with monkeypatch.context() as patched:
        count = killed_after(patched, np.inf)
        assert same(f.fit(passengers), whole)
    assert count[0] == n_left
    assert not list((tmp_path / "kept").glob("*"))


def test_texts_go_on_too(tmp_path, monkeypatch):
    labels = [i % 2 for i in range(80)]
    texts = [f"{'good' if label else 'bad'} word{i}" for i, label in enumerate(labels)]
    parameters = {**QUICK, "embedding_dim": 3, "batch_size": 16}
    whole = LSTMTextClassifier(**parameters).fit(texts, labels)
    clf = LSTMTextClassifier(**parameters, checkpoint=str(tmp_path))
    interrupted(clf, texts, labels, after=9, monkeypatch=monkeypatch)
    assert len(list(tmp_path.glob("*.checkpoint"))) == 1
    assert same(clf.fit(texts, labels), whole)


def test_another_fit_starts_anew(passengers, tmp_path, monkeypatch):
    f = LSTMForecaster(6, **QUICK, checkpoint=tmp_path)
    interrupted(f, passengers, after=5, monkeypatch=monkeypatch)
    other = LSTMForecaster(6, **QUICK, learning_rate=0.01)
    whole = other.fit(passengers)
    assert same(other.set_params(checkpoint=tmp_path).fit(passengers), whole)
    assert len(list(tmp_path.glob("*"))) == 1  # the first one's is left alone
    data = LSTMForecaster(6, **QUICK, checkpoint=tmp_path).fit(passengers[1:])
    assert same(data, LSTMForecaster(6, **QUICK).fit(passengers[1:]))


def test_a_damaged_checkpoint_is_told_and_training_starts_anew(
    passengers, tmp_path, monkeypatch
):
    f = LSTMForecaster(6, **QUICK, checkpoint=tmp_path)
    interrupted(f, passengers, after=5, monkeypatch=monkeypatch)
    (file,) = tmp_path.glob("*")
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.warns(RuntimeWarning, match="cannot be read .* starts anew"):
        f.fit(passengers)
    assert same(f, LSTMForecaster(6, **QUICK).fit(passengers))


@pytest.mark.parametrize("why", ["no folder", "full"])
def test_training_goes_on_where_no_checkpoint_can_be_written(
    passengers, tmp_path, monkeypatch, why
):
    if why == "full":
        monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28)))
        folder = tmp_path
    else:
        folder = tmp_path / "file"
        folder.write_text("in the way")
    f = LSTMForecaster(6, **QUICK, checkpoint=folder)
    with pytest.warns(RuntimeWarning, match="No checkpoint .* Training continues"):
        f.fit(passengers)
    assert same(f, LSTMForecaster(6, **QUICK).fit(passengers))
    assert not list(tmp_path.glob("*.checkpoint"))


def test_what_cannot_be_known_again_is_refused(passengers, tmp_path):
    with pytest.raises(ValueError, match="needs an int as random_state.* Got None"):
        LSTMForecaster(6, checkpoint=tmp_path).fit(passengers)
    f = LSTMForecaster(6, **QUICK, checkpoint=tmp_path, callbacks=[object()])
    with pytest.raises(ValueError, match="cannot hold the states of callbacks"):
        f.fit(passengers)


def written(folder):
    """When each checkpoint was written; one may go while it is looked at."""
    found = {}
    for path in folder.glob("*.checkpoint"):
        with contextlib.suppress(FileNotFoundError):
            found[path] = path.stat().st_mtime_ns
    return found


def test_a_process_killed_at_random_moments_ends_at_the_same_bytes(tmp_path):
    def start(folder):
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / folder)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    expected, _ = start("undisturbed").communicate(timeout=300)
    rng, folder, n_killed = np.random.default_rng(), tmp_path / "disturbed", 0
    for _ in range(3 * N_KILLS):  # some come to their end first
        if n_killed == N_KILLS:
            break
        process = start("disturbed")
        before, deadline = written(folder), time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            if written(folder) != before:
                time.sleep(rng.uniform(0, 0.05))
                break
            time.sleep(0.005)
        process.kill()
        process.communicate(timeout=60)
        n_killed += process.returncode == -signal.SIGKILL
    assert n_killed == N_KILLS
    assert start("disturbed").communicate(timeout=300)[0] == expected
