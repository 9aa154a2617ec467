import sys

import pytest

from sklstm._training.progress_bar import ProgressBar

LOGS = {"loss": 0.123456, "val_loss": 2.0}


def test_a_log_file_gets_a_line_an_epoch(capsys):
    bar = ProgressBar(4)
    for epoch in (1, 2):
        bar.update(epoch, LOGS)
    bar.close()
    first, second, rest = capsys.readouterr().out.split("\n")
    assert first == "1/4 [#####...............] 0s - loss: 0.1235 - val_loss: 2"
    assert second.startswith("2/4 [##########..........]") and rest == ""


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
    bar.close()
    out = capsys.readouterr().out
    states = out.split("\r")
    assert len(states) < 30 and out.endswith("\n") and out.count("\n") == 1
    assert states[0] == "" and states[1].startswith("1/500 ")
    assert states[-1].startswith("300/500 [############........]")
    assert all(len(state.rstrip("\n")) < 50 for state in states) == (
        where == "terminal"
    )


def test_nothing_is_shown_of_nothing(capsys):
    ProgressBar(3).close()
    assert capsys.readouterr().out == ""
