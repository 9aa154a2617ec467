from sklstm.datasets import load_air_passengers, load_sunspots


def test_series_are_regular_and_whole():
    for series, length in ((load_air_passengers(), 144), (load_sunspots(), 309)):
        assert len(series) == length and series.notna().all()
        assert series.index.freq is not None
