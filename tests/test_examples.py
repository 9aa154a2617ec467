"""The examples of the gallery run, and each draws something."""

import runpy
from pathlib import Path

import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

# Packages that an example needs beside those of the tests.
NEEDS = {
    "plot_serving": ("fastapi", "httpx", "onnxruntime"),
    "plot_optuna": ("optuna",),
}
EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("plot_*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
# On a screen plt.show() opens windows; here there is none.
@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive:UserWarning")
def test_example_runs_and_draws(path):
    for name in NEEDS.get(path.stem, ()):
        pytest.importorskip(name)
    runpy.run_path(str(path), run_name="__main__")
    assert any(figure.axes for figure in map(plt.figure, plt.get_fignums()))
    plt.close("all")


def test_each_example_has_its_place_in_the_gallery():
    conf = runpy.run_path(str(Path(__file__).parents[1] / "docs" / "gallery_order.py"))
    order = conf["Reading"]("examples")
    assert sorted(map(order, (path.name for path in EXAMPLES))) == list(
        range(len(conf["ORDER"]))
    )
