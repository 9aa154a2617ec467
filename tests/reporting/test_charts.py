import xml.etree.ElementTree as ET

import numpy as np

from sklstm._reporting.charts import line_chart


def drawn(curves, **options):
    return ET.fromstring(line_chart(curves, described="A <chart>.", **options))


def test_curves_stay_in_their_box_and_break_at_gaps():
    y = np.array([1.0, 5.0, np.nan, 2.0, 9.0, np.nan, 4.0])
    svg = drawn({"a": (np.arange(7), y), "b & c": ([0, 6], [3.0, 3.0])}, mark=3)
    lines = [node.get("points").split() for node in svg.iter("polyline")]
    assert [len(points) for points in lines] == [2, 2, 2]
    assert len(list(svg.iter("circle"))) == 1
    for x, y in (point.split(",") for points in lines for point in points):
        assert 0 <= float(x) <= 320 and 0 <= float(y) <= 150
    # higher values stand higher up
    assert float(lines[0][0].split(",")[1]) > float(lines[0][1].split(",")[1])
    words = [node.text for node in svg.iter("text")]
    assert "b & c" in words and "9" in words and "0" in words
    assert svg.get("aria-label") == "A <chart>."


def test_ticks_are_labels_and_nothing_is_nothing():
    svg = drawn({"a": ([0, 1], [1, 1])}, ticks=[(0, "Jan"), (1, "Feb")])
    assert {"Jan", "Feb"} <= {node.text for node in svg.iter("text")}
    assert line_chart({"a": ([], [])}, described="") == ""
    assert line_chart({"a": ([0], [np.nan])}, described="") == ""


def test_labels_do_not_stand_on_each_other():
    ticks = [(0, "1949-01-01"), (90, "1959-01-01"), (100, "1960-12-01")]
    svg = drawn({"a": ([0, 100], [1, 2])}, ticks=ticks)
    words = [node.text for node in svg.iter("text")]
    assert "1949-01-01" in words and "1960-12-01" in words
    assert "1959-01-01" not in words
    svg = drawn({"a": ([0, 100], [1, 2])}, ticks=ticks, size=(1200, 150))
    assert "1959-01-01" not in [node.text for node in svg.iter("text")]
    ticks[1] = (50, "1955-01-01")
    svg = drawn({"a": ([0, 100], [1, 2])}, ticks=ticks)
    assert "1955-01-01" in [node.text for node in svg.iter("text")]
