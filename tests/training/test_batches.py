import numpy as np
import pytest

from sklstm._training import batches
from sklstm._training.batches import blocks
from sklstm._windows.dataset import ReadyWindows


def of_rows(n_rows, row_weights=None):
    rows = np.arange(n_rows, dtype=float)
    return ReadyWindows(rows[:, None, None], rows[:, None, None], row_weights)


def in_blocks(data, batch_size, **options):
    rows = np.arange(len(data))
    return list(blocks(data, data.batches(rows, batch_size), batch_size, **options))


@pytest.mark.parametrize("n_rows", [1, 3, 4, 5, 23])
def test_each_row_is_in_one_block_and_counts_once(n_rows):
    seen = []
    for windows, targets, weights, totals in in_blocks(of_rows(n_rows), 4):
        assert windows.shape[:2] == targets.shape[:2] == weights.shape
        assert weights.shape == (batches.MAX_STEPS, 4)
        np.testing.assert_array_equal(windows, targets)
        np.testing.assert_allclose(weights[: len(totals)].mean(axis=1), 1)
        assert not weights[len(totals) :].any()
        seen += windows[weights > 0].ravel().tolist()
        assert totals.sum() == (weights > 0).sum()
    assert seen == list(range(n_rows))


def test_batches_without_weight_are_left_out():
    weights = np.array([0, 0, 1, 3, 0.0])
    ((windows, _, scaled, totals),) = in_blocks(of_rows(5, weights), 2)
    assert totals.tolist() == [4] and windows[0].ravel().tolist() == [2, 3]
    np.testing.assert_allclose(scaled[0], [0.5, 1.5])
    assert in_blocks(of_rows(5, np.zeros(5)), 2) == []


def test_a_block_holds_no_more_than_it_may(monkeypatch):
    assert [len(b[-1]) for b in in_blocks(of_rows(23), 2)] == [12]
    assert [len(b[-1]) for b in in_blocks(of_rows(23), 2, max_steps=5)] == [5, 5, 2]
    monkeypatch.setattr(batches, "MAX_BYTES", 3 * 2 * 4)
    assert [len(b[-1]) for b in in_blocks(of_rows(23), 2)] == [3, 3, 3, 3]
    monkeypatch.setattr(batches, "MAX_BYTES", 1)
    assert len(in_blocks(of_rows(23), 2)) == 12


def test_batches_of_other_shapes_begin_a_block():
    class Lengths(ReadyWindows):
        def shape_key(self, rows):
            return int(rows.max() >= 4)

        def inputs(self, rows):
            return self.X[rows].repeat(1 + self.shape_key(rows), axis=1), np.empty(
                (len(rows), 0)
            )

    data = Lengths(*(of_rows(8).X,) * 2)
    found = in_blocks(data, 2)
    assert [block[0].shape[2] for block in found] == [1, 2]
    assert [len(block[-1]) for block in found] == [2, 2]
