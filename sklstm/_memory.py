"""What training remembers while `sklstm.tuning.continued` holds: where runs stood."""

import dataclasses
import pickle

import joblib

# {what is trained: {epochs: state}}, or None while nothing is remembered.
_runs = None


def switch(runs):
    """Remember in `runs`, or with None no more; returns what was before."""
    global _runs
    before, _runs = _runs, runs
    return before


def states_of(spec, settings, *what):
    """{epochs: state} of earlier runs of the same training, which may be added to.

    None where nothing is remembered, or where the same training cannot be told: with
    callbacks, which have states of their own, and a schedule, which may look ahead.
    """
    if _runs is None or settings.callbacks or settings.learning_rate_schedule:
        return None
    same = dataclasses.replace(settings, epochs=0, verbose=0)
    try:
        return _runs.setdefault(joblib.hash((spec, vars(same), *what)), {})
    except (pickle.PicklingError, AttributeError, TypeError):  # a function of one's own
        return None
