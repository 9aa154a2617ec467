"""Fitted estimators that tests change."""

from dataclasses import replace


def with_network(forecaster, **changes):
    """Put another spec or other weights into a fitted forecaster, and return it."""
    state = forecaster._state
    network = replace(state.network, **changes)
    model = replace(state.model, network=network)
    forecaster._state = replace(state, model=model)
    return forecaster
