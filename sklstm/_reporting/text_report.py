"""Build the lab report of a text classifier."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from sklstm._reporting.html_page import (
    fit_quietly,
    network_section,
    paragraphs,
    reads_lower,
    table,
    training_section,
    training_warnings,
    warning_list,
)
from sklstm._reporting.summary import counted, is_kept, model_name
from sklstm._series.alignment import check_same_labels
from sklstm._text import probabilities, tokenizer
from sklstm._text.labels import (
    check_all_present,
    check_same_number,
    dense_labels,
    one_hot,
)
from sklstm._text.reader import read_texts
from sklstm._text.scripts import bare_words
from sklstm._text.sequences import PADDING
from sklstm._utils.cells import CELLS
from sklstm._utils.disk_arrays import unloaded

# A class with a smaller share of the test texts makes a warning.
RARE = 0.1
N_WRONG = 5


def sections(classifier, X, y, train, target_names=None):
    """Return (lead, sections) of the page; see `LSTMTextClassifier.report`."""
    names = class_names(classifier, target_names)
    if X is None or y is None:
        raise ValueError(
            "A classifier does not keep its texts. Pass test texts to report as X and "
            "y, and train=(X, y) to compare networks."
        )
    (X, y), train = read_once(X, y), read_pair(train)
    own = model_name(classifier)
    targets = targets_of(
        classifier, y, "Leave out test texts of classes that training had not."
    )
    if train is not None:
        check_classes(classifier, train[1])
    logits = {own: classifier._logits(X)}
    logits |= rivals(classifier, X, targets, train)
    exclusive = not classifier._state.multi_label
    scores = {name: score(found, targets, exclusive) for name, found in logits.items()}
    pages = {
        "What to look at": warning_list(
            warnings_of(classifier, scores, own, X, targets, train, names)
        ),
        "Data and split": data_section(classifier, targets, train, names),
        "Words": words_section(classifier),
        "Network": network_section(classifier),
        "Training": training_section(classifier),
        "Scores": score_table(scores, own),
    }
    if exclusive:
        pages["Confusion matrix"] = confusion_section(classifier, X, y, names)
        pages["Surest mistakes"] = mistakes_section(
            classifier, X, y, logits[own], names
        )
    else:
        pages["Labels"] = labels_section(logits[own], targets, names)
    return lead_sentence(own, scores[own], len(targets)), pages


def class_names(classifier, target_names):
    """Return what the page calls the classes, in the order of `classes_`."""
    n_classes = len(classifier.classes_)
    if target_names is None:
        return [str(label) for label in classifier.classes_]
    if isinstance(target_names, dict):
        target_names = [target_names.get(c, c) for c in classifier.classes_.tolist()]
    names = [str(name) for name in target_names]
    if len(names) != n_classes:
        raise ValueError(
            f"target_names has {counted(len(names), 'name')}, but there are "
            f"{counted(n_classes, 'class')}. Pass one name for each of classes_."
        )
    return names


def lead_sentence(own, scores, n_texts):
    return (
        f"The {own} gets {scores['accuracy']:.1%} of {counted(n_texts, 'test text')} "
        f"right, at a log loss of {scores['log loss']:.3g}."
    )


def score_table(scores, own):
    return table(
        ["", "accuracy", "log loss"],
        [[name, *row.values()] for name, row in scores.items()],
        caption="On the test texts; a lower log loss is better",
        own=own,
    )


def read_once(X, y):
    """Return texts as a list or token ids as an array, and labels as an array."""
    check_same_labels(X, y)
    # The page reads the texts several times, and an iterator gives them once.
    X = list(X) if isinstance(X, Iterator) else unloaded(X)
    if tokenizer.is_text(X):
        X = tokenizer.check_texts(X)
    elif not isinstance(X, pd.DataFrame):
        X = np.asarray(X)
    y = np.asarray(dense_labels(y))
    check_all_present(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    check_same_number(X, y)
    if not len(y):
        raise ValueError("X holds no text. Pass at least one.")
    return X, y


def targets_of(classifier, y, advice):
    """Return labels as targets, or raise if they are not of the kind of the fit."""
    n_labels = len(classifier.classes_) if classifier._state.multi_label else 0
    if (y.shape[1] if y.ndim == 2 else 0) != n_labels:
        columns = f"an indicator matrix of {counted(n_labels, 'column')}"
        raise ValueError(
            f"y has the shape {y.shape}, but the classifier was fitted on "
            f"{columns if n_labels else 'one class a text'}. Pass y of that kind."
        )
    return one_hot(y, classifier.classes_, classifier._state.multi_label, advice)


def check_classes(classifier, y):
    """Raise if training labels are not those of the fit, which rivals learn too."""
    advice = "Pass as train what the classifier was fitted on."
    targets_of(classifier, y, advice)
    missing = np.setdiff1d(classifier.classes_, y)
    if not classifier._state.multi_label and len(missing):
        raise ValueError(
            f"train has no text of the class {missing.tolist()[0]!r}, which the "
            f"classifier learned. {advice}"
        )


def read_pair(train):
    """Read the pair of training texts and labels, if there is one."""
    if train is None:
        return None
    if not isinstance(train, (tuple, list)) or len(train) != 2:
        raise ValueError(
            "train must be the pair (X, y) of training texts and their classes. Got a "
            f"{type(train).__name__}."
        )
    return read_once(*train)


def rivals(classifier, X, targets, train):
    """Return logits of the test texts by simpler models."""
    result = {}
    if classifier.linear_skip and is_kept(classifier):
        parts = read_texts(classifier, classifier._state.words, X)
        ngrams = classifier._state.ngrams
        result["n-gram model alone"] = np.concatenate([ngrams.logits(p) for p in parts])
    if train is None:
        return result
    X, train_X = equally_wide(X, train[0])
    for cell in filter(lambda cell: cell.is_reference, CELLS.values()):
        if model_name(classifier) != cell.label:
            # Without n-grams, because the page compares networks.
            rival = clone(classifier)
            rival.set_params(cell=cell.name, linear_skip=False, verbose=0)
            result[f"{cell.label} alone"] = fit_quietly(
                rival, train_X, train[1]
            )._logits(X)
    learned = one_hot(train[1], classifier.classes_, classifier._state.multi_label)
    prior = probabilities.prior_logits(
        learned.mean(axis=0), not classifier._state.multi_label
    )
    result["shares of classes"] = np.tile(prior, (len(targets), 1))
    return result


def equally_wide(X, other):
    """Pad token ids with 0 to the width of the wider; texts stay as they are."""
    if isinstance(X, list):
        return X, other
    X, other = np.asarray(X), np.asarray(other)
    # Classifiers refuse ids of another width than those of fit.
    width = max(X.shape[1], other.shape[1])
    padded = (np.pad(ids, ((0, 0), (0, width - ids.shape[1]))) for ids in (X, other))
    return tuple(padded)


def score(logits, targets, exclusive):
    if exclusive and targets.shape[1] > 1:
        right = logits.argmax(axis=1) == targets.argmax(axis=1)
    else:
        right = ((logits > 0) == (targets > 0)).all(axis=1)
    loss = probabilities.log_loss(logits, targets, np.ones(len(targets)), exclusive)
    return {"accuracy": float(right.mean()), "log loss": loss}


def shares(targets):
    """Return the share of each class; two classes have one column."""
    found = targets.mean(axis=0)
    return np.array([1 - found[0], found[0]]) if len(found) == 1 else found


def warnings_of(classifier, scores, own, X, targets, train, names):
    found = []
    if train is not None:
        found += leaks(classifier, X, train[0])
    better = [
        name
        for name in scores
        if reads_lower(scores[name]["log loss"], scores[own]["log loss"])
    ]
    if better:
        found.append(
            f"More accurate on the test texts than the {own}, by the log loss: "
            f"{', '.join(better)}. Among models of equal accuracy, prefer the simplest."
        )
    parts = shares(targets)
    if not classifier._state.multi_label and parts.min() < RARE:
        rarest = names[parts.argmin()]
        found.append(
            f"Class {rarest} is {parts.min():.1%} of the test texts, so that "
            "accuracy says little about it. Look at its row of the confusion matrix, "
            "and at class_weight='balanced'."
        )
    return found + training_warnings(classifier)


def leaks(classifier, X, train_X):
    """Say how many test texts are training texts, or are nearly the same."""
    is_known = are_among(content_keys(classifier, X), content_keys(classifier, train_X))
    n_known, n_texts, found = is_known.sum(), len(is_known), []
    if n_known:
        found.append(
            f"Leakage: {counted(n_known, 'test text')} of {n_texts} "
            f"{'is' if n_known == 1 else 'are'} among the training texts too. Drop "
            "them: they are remembered, not understood."
        )
    if isinstance(X, list):
        is_near = are_among(map(bare_words, X), map(bare_words, train_X)) & ~is_known
        n_near = is_near.sum()
        if n_near:
            found.append(
                f"Near copies: {counted(n_near, 'test text')} of {n_texts} "
                f"{'differs' if n_near == 1 else 'differ'} from a training text in "
                "case, blanks or punctuation alone, such as "
                f"{excerpt(X[is_near.argmax()])!r}. Drop them unless new texts will "
                "be as near."
            )
    return found


def are_among(keys, others):
    """Tell which keys are among others; an empty one is none."""
    seen = set(others) - {()}
    return np.array([key in seen for key in keys])


def content_keys(classifier, X):
    """Return the tokens of each text, which are what the classifier reads of it.

    Texts with the same tokens are one text to it, whatever their container, padding,
    case or blanks.
    """
    if isinstance(X, list):
        return map(tuple, map(tokenizer.tokenizer_of(classifier), X))
    return [tuple(row[row != PADDING].tolist()) for row in np.asarray(X)]


def data_section(classifier, targets, train, names):
    rows = [["test", len(targets), *(float(part) for part in shares(targets))]]
    if train is not None:
        learned = one_hot(train[1], classifier.classes_, classifier._state.multi_label)
        parts = (float(part) for part in shares(learned))
        rows.insert(0, ["training", len(learned), *parts])
    words = (
        "The test texts were given. Vocabulary, n-gram weights and network were "
        "learned from training texts only; the validation block is "
        f"{classifier.validation_fraction:.0%} of them, drawn at random"
    )
    words += "." if classifier._state.multi_label else " within classes."
    return paragraphs(words) + table(
        ["texts", "number", *names], rows, caption="Share of each class"
    )


def words_section(classifier):
    n_words = len(classifier.vocabulary_)
    words = f"The network knows {counted(n_words, 'word')}"
    if classifier.max_length is not None:
        words += f" and reads up to {classifier.max_length} tokens of a text"
    if classifier.n_vectors_found_ is not None:
        words += f"; {classifier.n_vectors_found_:,} of them began with a given vector"
    return paragraphs(f"{words}. The commonest are {', '.join(common(classifier))}.")


def common(classifier):
    words = (str(word) for word in classifier.vocabulary_)
    # Punctuation is the commonest, and says nothing of the texts.
    return [word for word in words if any(map(str.isalnum, word))][:12]


def confusion_section(classifier, X, y, names):
    counts = confusion_matrix(y, classifier.predict(X), labels=classifier.classes_)
    rows = [
        [
            name,
            *(int(n) for n in row),
            float(row[i] / row.sum()) if row.sum() else np.nan,
        ]
        for i, (name, row) in enumerate(zip(names, counts, strict=True))
    ]
    return table(
        ["true \\ predicted", *names, "share right"],
        rows,
        caption="Test texts by true class (rows) and predicted class (columns)",
    )


def labels_section(logits, targets, names):
    """Score each label of a multi-label classifier by itself."""
    scores = precision_recall_fscore_support(
        targets > 0, logits > 0, average=None, zero_division=np.nan
    )
    rows = [
        [name, int(n), float(precision), float(recall), float(f1)]
        for name, precision, recall, f1, n in zip(names, *scores, strict=True)
    ]
    return table(
        ["", "test texts", "precision", "recall", "F1"],
        rows,
        caption="Each label by itself; a dash has no text to be measured on",
    )


def mistakes_section(classifier, X, y, logits, names):
    predicted = classifier.predict(X)
    sure = probabilities.probabilities(logits, True).max(axis=1)
    wrong = np.flatnonzero(predicted != y)
    wrong = wrong[np.argsort(-sure[wrong], kind="stable")][:N_WRONG]
    if not len(wrong):
        return paragraphs("None: every test text was right.")
    texts = X if isinstance(X, list) else np.asarray(X)
    named = dict(zip(classifier.classes_, names, strict=True))
    rows = [
        [excerpt(texts[i]), named[y[i]], named[predicted[i]], float(sure[i])]
        for i in wrong
    ]
    return table(
        ["text", "true", "predicted", "probability"],
        rows,
        caption="Wrong predictions with the highest probabilities",
    )


def excerpt(text):
    words = text if isinstance(text, str) else " ".join(map(str, text))
    return words if len(words) <= 80 else words[:79] + "…"
