import sys

import pytest

from sklstm._training.progress_bar import ProgressBar

LOGS = {"loss": 0.123456, "val_loss": 2.0}


def test_a_log_file_gets_a_line_at_the_end(capsys):
    bar = ProgressBar(4)
    for epoch in (1, 2):
        bar.update(epoch, LOGS)
    assert capsys.readouterr().out == ""
    bar.close("stopped at epoch 2, best 1")
    told = "stopped at epoch 2, best 1 - 0s - loss: 0.1235 - val_loss: 2\n"
    assert capsys.readouterr().out == told
    bar.close()
    assert capsys.readouterr().out.startswith("2/4 [##########..........] - 0s - loss")


@pytest.mark.parametrize("where", ["terminal", "notebook"])
def test_one_line_is_written_over(where, capsys, monkeypatch):
    if where == "terminal":
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", "50")
    else:
        monkeypatch.setitem(sys.modules, "ipykernel", None)
    bar = ProgressBar(500)
    for epoch in range(1, 301):  # early stopping may end it
        bar.update(epoch, LOGS)
    bar.close("stopped at epoch 300, best 1")
    out = capsys.readouterr().out
    states = out.split("\r")
    assert len(states) < 30 and out.endswith("\n") and out.count("\n") == 1
    assert states[0] == "" and states[1].startswith("1/500 [")
    assert "s left - loss: 0." in states[1]
    assert states[-1].startswith("stopped at epoch 300, best 1")
    assert all(len(state.rstrip("\n")) < 50 for state in states) == (
        where == "terminal"
    )


def test_nothing_is_shown_of_nothing(capsys):
    ProgressBar(3).close()
    assert capsys.readouterr().out == ""
