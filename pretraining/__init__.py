"""Pretraining of a small recurrent forecaster on synthetic series."""
