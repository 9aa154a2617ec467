"""Forecasts from fitted networks: their roll over time, intervals, backtests."""
