"""The fitted state of a text classifier, which a fit replaces as a whole."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklstm._networks.spec import TextNetworkSpec
from sklstm._text.ngrams import FittedNgrams
from sklstm._utils.archive import storable

# Attributes that hold the state in files of 0.1.0.dev0.
OLD_NGRAMS = ("_ngram_counts", "_ngram_model", "_scale")
OLD_NAMES = {"_words", "_multi_label", "_spec_", *OLD_NGRAMS}


@storable
@dataclass(frozen=True)
class FittedClassifier:
    """What `LSTMTextClassifier` learned, beside its public attributes."""

    words: dict  # ids of all tokens, of which the network knows the first ones
    multi_label: bool
    spec: TextNetworkSpec
    ngrams: FittedNgrams | None
    raw_text: bool = False  # whether texts are read as 0.1.0.dev0 did
    training: Any = None  # where `partial_fit` stands, with its optimizer and seeds
    n_epochs: int = 0  # of all fits that went on from each other


def convert_attributes(attributes: dict) -> dict:
    """Return an estimator's attributes of an older file as this version has them."""
    if "_words" not in attributes:
        return attributes
    spec, ngrams = attributes["_spec_"], None
    # A refit without n-grams left those of the fit before, which are of no use.
    if spec.linear_skip:
        counter, model, scale = (attributes[name] for name in OLD_NGRAMS)
        intercepts = scale * model.intercepts
        nothing = np.empty(0, "<u8"), np.empty((0, len(intercepts)))
        ngrams = FittedNgrams(counter, model, scale, intercepts, intercepts, *nothing)
    words, multi_label = attributes["_words"], attributes["_multi_label"]
    state = FittedClassifier(words, multi_label, spec, ngrams, raw_text=True)
    kept = {name: v for name, v in attributes.items() if name not in OLD_NAMES}
    return kept | {"_state": state, "n_vectors_found_": None}
