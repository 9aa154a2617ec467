"""Fit a text network beside its n-gram model, and measure both."""

from dataclasses import dataclass, field, replace

import numpy as np

from sklstm._networks import numpy_forward
from sklstm._networks.spec import TextNetworkSpec
from sklstm._text import probabilities
from sklstm._text.dataset import Documents, TextTrainingData
from sklstm._text.ngram_fit import fit_ngrams
from sklstm._text.ngrams import FittedNgrams
from sklstm._training import losses
from sklstm._training.loop import first_weights, train
from sklstm._training.resume import TrainingState, generator_of
from sklstm._training.settings import Settings

# The network's output layer. At zero, the n-gram model stands alone.
HEAD = ("head/kernel", "head/bias")


@dataclass(frozen=True)
class TextOptions:
    """Options of a fit, and results of an earlier fit; None is learned anew."""

    spec: TextNetworkSpec
    settings: Settings
    n_ids: int  # that the network knows; larger ones are unknown to it
    max_length: int | None
    truncate: str
    validation_fraction: float
    ngram_range: tuple
    min_df: int | float
    ngrams: FittedNgrams | None = None
    weights: dict | None = None
    vectors: np.ndarray | None = None
    state: TrainingState | None = None  # of training that goes on
    n_before: int = 0  # epochs of earlier fits


@dataclass(frozen=True)
class TextFit:
    """What training gave; without a validation block there are no scores."""

    ngrams: FittedNgrams | None
    weights: dict
    history: dict
    best_epoch: int
    baseline_scores: dict = field(default_factory=dict)
    skill: float | None = None
    state: TrainingState | None = None


def fit_text_network(
    data: TextTrainingData, options: TextOptions, rng: np.random.RandomState
) -> TextFit:
    """Fit n-grams, then the network beside them, and find the network's share."""
    split_seed, network_seed = rng.randint(2**31 - 1, size=2)
    data, train, validation = data.split(options.validation_fraction, split_seed)
    ngrams, linear = fit_linear_part(data, options, train, split_seed)
    documents = network_data(data, linear, options, validation)
    head_bias = first_answer(data, train, options)
    trained = train_network(
        documents, options, head_bias, train, validation, network_seed
    )
    weights, scores = trained.weights, ()
    if len(validation):
        weights, *scores = evaluate_and_shrink(
            options.spec, weights, documents, data, train, validation
        )
    return TextFit(
        ngrams,
        weights,
        trained.history,
        trained.best_epoch,
        *scores,
        state=trained.state,
    )


def fit_linear_part(data, options, train_rows, seed):
    """Return the n-gram model, or None, and its logits, of no column without it."""
    if not options.spec.linear_skip:
        return None, np.zeros((len(data.targets), 0))
    if options.ngrams is not None:
        return options.ngrams, options.ngrams.training_logits(data.sequences)
    fit = fit_ngrams(data, train_rows, seed, options.ngram_range)
    if fit is None:
        n_with_tokens = data.n_repeats @ (data.sequences.lengths > 0)
        raise ValueError(
            f"The texts hold no n-gram of ngram_range={options.ngram_range} that "
            f"counts: {n_with_tokens} of {data.n_repeats.sum()} texts hold a token, "
            f"and a token must be in min_df={options.min_df} texts. Lower min_df or "
            "ngram_range, look at what the tokenizer keeps, or set linear_skip=False."
        )
    return fit.ngrams, fit.logits


def network_data(data, linear, options, validation):
    """Return the data of the network; equal validation texts are evaluated once."""
    view = data.sequences.visible(options.n_ids, options.max_length, options.truncate)
    n_repeats, weights = data.n_repeats.copy(), data.weights.copy()
    weights[validation] *= n_repeats[validation]
    n_repeats[validation] = 1
    return Documents(view, linear, data.targets, n_repeats, weights)


def first_answer(data, train_rows, options):
    """Return the logits of class shares, at which a new network without n-grams starts.

    The first epochs then need not learn the shares, and a text without known words is
    answered with them. None beside n-grams, which know the shares, and for a network
    that goes on from earlier weights.
    """
    if options.spec.linear_skip or options.weights is not None:
        return None
    weights = data.total_weights(train_rows)
    return probabilities.smooth_prior_logits(
        data.targets[train_rows], weights, data.exclusive
    )


def train_network(documents, options, head_bias, train_rows, validation, seed):
    return train(
        options.spec,
        # Losses of a network that knows the shares alone fall little at first.
        replace(options.settings, waits_for_gain=head_bias is not None),
        documents,
        train_rows,
        validation,
        first_weights(
            weights=options.weights, embeddings=options.vectors, head_bias=head_bias
        ),
        generator_of(seed, options.n_before),
        kept=options.state,
    )


def evaluate_and_shrink(spec, weights, documents, data, train, validation):
    """Shrink the network to its best share, and evaluate it beside simple models.

    The share of the network's logits is the one with the smallest log loss on the
    validation block, as in stacking (Wolpert, 1992), because a network that is trained
    beside n-grams of fewer texts is overconfident.

    Returns
    -------
    weights : dict
    baseline_scores : dict of str to float
    skill : float
    """
    exclusive = spec.exclusive
    check = data.targets[validation], data.total_weights(validation), exclusive
    shares = np.average(data.targets[train], 0, data.total_weights(train))
    prior = probabilities.prior_logits(shares, exclusive)
    prior = np.tile(prior, (len(validation), 1))
    scores = {"prior": probabilities.log_loss(prior, *check)}
    linear = 0.0
    if spec.linear_skip:
        linear = documents.linear[validation]
        scores["ngrams"] = probabilities.log_loss(linear, *check)
    sequences = documents.sequences.reordered(validation)
    logits = numpy_forward.predict_text(spec, weights, sequences, linear)
    if spec.linear_skip and any(weights[name].any() for name in HEAD):
        share = probabilities.best_share(linear, logits - linear, *check)
        weights = weights | {name: share * weights[name] for name in HEAD}
        logits = linear + share * (logits - linear)
    error, best = probabilities.log_loss(logits, *check), min(scores.values())
    return weights, scores, 1 - error / best if best > 0 else 0.0


def loss_of(spec, label_weights=None):
    """Return the cross-entropy that fits the logits."""
    if label_weights is not None:
        return losses.WeightedLabels(*map(tuple, label_weights.tolist()))
    return losses.categorical_loss if has_softmax(spec) else losses.binary_loss


def accuracy_of(spec):
    return losses.categorical_accuracy if has_softmax(spec) else losses.binary_accuracy


def has_softmax(spec):
    return spec.exclusive and spec.n_outputs > 1
