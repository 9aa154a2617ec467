"""LSTMTextClassifier: raw strings in, recurrent network beside n-grams."""

import os
from collections.abc import Callable
from numbers import Real

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklstm._base import (
    POSITIVE_INT,
    SHARE,
    BaseLSTM,
    tell_what_is_kept,
    unchanged_on_error,
    warn_of_a_better_model,
)
from sklstm._networks import numpy_forward
from sklstm._networks.fitted_text import FittedClassifier, convert_attributes
from sklstm._networks.onnx.text import classifier_model
from sklstm._networks.spec import POOLINGS, TextNetworkSpec, differences
from sklstm._reporting import text_report
from sklstm._series.alignment import check_same_labels
from sklstm._series.validation import check_weight_size, check_weights
from sklstm._text import labels
from sklstm._text.class_weights import with_class_weights
from sklstm._text.dataset import TextTrainingData
from sklstm._text.deduplication import merge_repeated
from sklstm._text.embeddings import first_vectors
from sklstm._text.ngrams import check_ngram_range
from sklstm._text.probabilities import log_probabilities, probabilities
from sklstm._text.reader import NO_TEXT, read_texts, read_training
from sklstm._text.sequences import FIRST, TRUNCATE
from sklstm._text.tokenizer import STRIP_ACCENTS
from sklstm._text.vocabulary import build_vocabulary, encode_tokens
from sklstm._training.checkpoints import checkpointed
from sklstm._training.resume import TrainingState
from sklstm._training.text_fit import (
    HEAD,
    TextOptions,
    accuracy_of,
    fit_text_network,
    loss_of,
)
from sklstm._utils import archive
from sklstm._utils.archive import storable
from sklstm._utils.disk_arrays import in_memory
from sklstm._utils.row_weights import rows_and_weights

# In words, by whether a text may have several labels.
KINDS = {False: "one class a text", True: "an indicator matrix of labels"}

# What a fit sets. A new fit starts without, so that nothing of the last one is left.
FITTED = (
    "classes_",
    "vocabulary_",
    "weights_",
    "history_",
    "n_iter_",
    "best_epoch_",
    "baseline_scores_",
    "skill_",
    "n_vectors_found_",
    "n_features_in_",
    "feature_names_in_",
    "_state",
)


@storable
class LSTMTextClassifier(ClassifierMixin, BaseLSTM):
    """Classify texts with a recurrent network that starts at an n-gram model.

    The logits are the sum of those of a linear model of n-grams, weighted by TF-IDF and
    by naive Bayes ratios [1]_, and those of an LSTM [2]_ whose output starts at zero.
    In training, the n-gram logits of a text come from models that were fitted without
    this text, so that the network learns what n-grams miss.

    X is a collection of strings, or a 2-D array of token ids, padded with 0 on either
    side, as ``keras.datasets.imdb`` with ``pad_sequences`` returns it.

    Parameters
    ----------
    max_features : int or None, default=20000
        Number of most frequent words that the network reads; other words share one id.
        The n-gram model reads all words.
    max_length : int or None, default=256
        Number of tokens of a text that the network reads; None means all. The n-gram
        model reads all tokens.
    truncate : {"head", "tail", "both"}, default="both"
        Which tokens of a longer text the network reads; "both" is half from each end.
    analyzer : {"word", "char"}, default="word"
        Whether tokens are words or characters. "char", for scripts without spaces,
        makes every character except white space a token, together with its combining
        marks. Texts are read in Unicode normal form NFC.
    lowercase : bool, default=True
        Whether to convert texts to lower case first.
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        How to remove accents: as in scikit-learn, or by a function of a text.
    token_pattern : str or None, default=None
        Regular expression of tokens. None finds words of any script (with combining
        marks and with an apostrophe inside), emoji, and single other signs; Thai, Lao,
        Burmese and Khmer, which have no spaces, are split into characters.
    tokenizer : callable, default=None
        Function from a text to a list of str; replaces `analyzer` and `token_pattern`.
    min_df : int or float, default=1
        Minimum number of documents that contain a word; a float is a share of
        documents. Rarer words are unknown.
    ngram_range : tuple (low, high), default=(1, 3)
        Smallest and largest number of tokens in the n-grams of the linear model.
    embedding_dim : int, default=64
        Length of word vectors. Ignored with `embeddings`, which set the length.
    embeddings : path, dict of str to array, or ndarray, default=None
        Initial word vectors: a text file of GloVe or word2vec, which gzip, bzip2, xz or
        zip may have compressed, a dict of vectors of one length, or an array of shape
        (n_words + 2, length) indexed by token id.
        A word in lower case that has no vector takes the vector of a form in upper
        case, and words without any vector take the mean of all vectors.
    trainable_embeddings : bool, default=True
        Whether training changes the word vectors.
    cell : {"lstm", "gru", "rnn", "slstm"}, default="lstm"
        The recurrent layer. "slstm" is the scalar-memory LSTM of xLSTM, with
        exponential input gates.
    units : int or tuple of int, default=64
        Number of states of the recurrent layer in each direction; a tuple stacks
        layers.
    bidirectional : bool, default=True
        Whether the network reads a text in both directions.
    pooling : {"last", "max", "mean", "attention"}, default="max"
        How the states at all tokens become one vector.
    word_dropout : float, default=0.2
        Share of words whose whole vector is dropped.
    dropout : float, default=0.3
        Share of values of the pooled state that are dropped.
    recurrent_dropout : float, default=0.0
        Share of state values dropped between steps.
    linear_skip : bool, default=True
        Whether the n-gram model is added to the network.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of classes in the loss. With "balanced" all classes have the same total
        weight, and probabilities are those of classes that are equally frequent. For an
        indicator matrix, a dict holds the weights of 0 and 1, and a list has one dict
        for each label.
    optimizer : str, keras.optimizers.Optimizer or its class, default="adam"
        The optimizer of Keras that trains the network.
    learning_rate : float, default=0.001
        Learning rate of the optimizer.
    learning_rate_schedule : {"cosine"}, callable or None, default=None
        Learning rate of each epoch. A callable gets ``(epoch, learning_rate)`` and
        returns the rate of the epoch. "cosine" falls to near 0 over as many epochs as
        `epochs` says. Calls of `partial_fit` continue the count of epochs.
    clipnorm : float or None, default=1.0
        Largest norm of the gradient of each weight array.
    epochs : int, default=10
        Largest number of epochs; with 0 the n-gram model classifies alone.
    batch_size : int, default=64
        Number of texts in each training step.
    validation_fraction : float, default=0.1
        Share of texts, stratified by class, in the validation block; with 0 there is no
        validation block.
    early_stopping : bool, default=True
        Whether to stop when the validation loss no longer falls, and to keep the best
        epoch.
    n_iter_no_change : int, default=2
        Number of epochs without improvement after which training stops.
    tol : float, default=0.005
        Smallest relative fall of the loss that is an improvement.
    min_skill : float, default=0.01
        With early stopping, `fit` leaves the network out unless it lowers the
        validation loss of the n-gram model by this share, and by more than the standard
        error.
    callbacks : list of keras.callbacks.Callback or of their classes, default=None
        Callbacks of Keras, which `fit` copies.
    checkpoint : str or os.PathLike, default=None
        Folder in which `fit` saves the state of training after each epoch. If a fit was
        interrupted, call it again with the same data, parameters and int as
        `random_state`: it continues from the saved state, and its result has the same
        bytes as an uninterrupted fit. At the end `fit` removes the files. Cannot be
        used with `callbacks`, whose states are not saved.
    warm_start : bool, default=False
        Whether `fit` continues from the fitted vocabulary and weights.
    random_state : int, RandomState instance or None, default=None
        Seed of random numbers. With an int, repeated fits give the same bytes.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    vocabulary_ : dict of str to int
        Ids of the words that the network reads, from 2, by falling frequency.
    weights_ : dict of str to ndarray
    model_ : keras.Model
        The network, from token ids and n-gram logits to logits. It is built when it is
        first read.
    history_ : dict of str to list
        ``loss``, ``accuracy``, ``val_loss`` and ``val_accuracy`` of each epoch.
    n_iter_ : int
        Number of epochs trained.
    best_epoch_ : int
        The epoch whose weights were kept; 0 if no epoch was better than the n-gram
        model.
    baseline_scores_ : dict of str to float
        Log loss of simple models on the validation block.
    skill_ : float or None
        1 - log loss / log loss of the best simple model, both on the validation block;
        None without a validation block.
    n_vectors_found_ : int or None
        Number of words of `vocabulary_` that have a vector in `embeddings`.
    n_features_in_ : int
        Number of columns of X, for token ids only.

    References
    ----------
    .. [1] Wang and Manning (2012), "Baselines and bigrams", ACL.
    .. [2] Hochreiter and Schmidhuber (1997), "Long short-term memory", Neural
       Computation 9(8).

    Examples
    --------
    >>> from sklstm import LSTMTextClassifier
    >>> texts = ["good film", "very good", "bad film", "very bad"] * 5
    >>> labels = ["+", "+", "-", "-"] * 5
    >>> clf = LSTMTextClassifier(units=4, epochs=2, random_state=0).fit(texts, labels)
    >>> clf.predict(["a good one", "a bad one"])
    array(['+', '-'], dtype='<U1')
    """

    _state: FittedClassifier
    _parameter_constraints = {
        **BaseLSTM._parameter_constraints,
        "max_features": [POSITIVE_INT, None],
        "max_length": [POSITIVE_INT, None],
        "truncate": [StrOptions(set(TRUNCATE))],
        "analyzer": [StrOptions({"word", "char"})],
        "lowercase": ["boolean"],
        "strip_accents": [StrOptions(set(STRIP_ACCENTS)), Callable, None],
        "token_pattern": [str, None],
        "tokenizer": [Callable, None],
        "min_df": [POSITIVE_INT, Interval(Real, 0, 1, closed="both")],
        "ngram_range": [tuple],
        "embedding_dim": [POSITIVE_INT],
        "embeddings": [str, os.PathLike, dict, np.ndarray, None],
        "trainable_embeddings": ["boolean"],
        "bidirectional": ["boolean"],
        "pooling": [StrOptions(set(POOLINGS))],
        "word_dropout": [SHARE],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        *,
        max_features=20000,
        max_length=256,
        truncate="both",
        analyzer="word",
        lowercase=True,
        strip_accents=None,
        token_pattern=None,
        tokenizer=None,
        min_df=1,
        ngram_range=(1, 3),
        embedding_dim=64,
        embeddings=None,
        trainable_embeddings=True,
        cell="lstm",
        units=64,
        bidirectional=True,
        pooling="max",
        word_dropout=0.2,
        dropout=0.3,
        recurrent_dropout=0.0,
        linear_skip=True,
        class_weight=None,
        optimizer="adam",
        learning_rate=0.001,
        learning_rate_schedule=None,
        clipnorm=1.0,
        epochs=10,
        batch_size=64,
        validation_fraction=0.1,
        early_stopping=True,
        n_iter_no_change=2,
        tol=0.005,
        min_skill=0.01,
        callbacks=None,
        checkpoint=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.max_features = max_features
        self.max_length = max_length
        self.truncate = truncate
        self.analyzer = analyzer
        self.lowercase = lowercase
        self.strip_accents = strip_accents
        self.token_pattern = token_pattern
        self.tokenizer = tokenizer
        self.min_df = min_df
        self.ngram_range = ngram_range
        self.embedding_dim = embedding_dim
        self.embeddings = embeddings
        self.trainable_embeddings = trainable_embeddings
        self.cell = cell
        self.units = units
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.word_dropout = word_dropout
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.linear_skip = linear_skip
        self.class_weight = class_weight
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.clipnorm = clipnorm
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.min_skill = min_skill
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    # Files of older versions have the fitted state in other attributes.
    _from_stored = staticmethod(convert_attributes)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the vocabulary, the n-gram model and the network.

        Parameters
        ----------
        X : array-like of str of shape (n_documents,), or of int of shape \
                (n_documents, n_tokens), or iterator
            Texts, or token ids. An iterator yields texts or lists of texts, or pairs
            of these and their labels. Iterators, arrays in a file (`numpy.memmap`,
            zarr), and objects with a length and a text at each position are read part
            by part into a temporary file.
        y : array-like of shape (n_documents,) or (n_documents, n_labels)
            Classes of any type, or an indicator matrix; None if X yields pairs.
        sample_weight : array-like of shape (n_documents,), default=None
            Weight of each text. Only the ratios of weights matter. Small whole weights
            have the effect of repeated texts. Other weights change only the loss, and
            not the counts of words and n-grams.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If an entry of X is not a string; the message names its position.
        ValueError
            If there are fewer than two classes, all weights are zero, or the numbers
            of texts and labels differ.

        Warns
        -----
        SkillWarning
            If a simple model has the lower log loss on the validation block.
        """
        keep = self.warm_start and hasattr(self, "weights_")
        return self._fit(X, y, sample_weight, keep=keep)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, classes=None, sample_weight=None):
        """Train the network for one more epoch, from the fitted state if there is one.

        Vocabulary, classes and n-gram model are those of the first call. Only the part
        that is passed is in memory, so the whole data need not fit into memory.
        Calls on the same texts train as one `fit` of as many epochs does, without a
        validation block; after `fit`, the optimizer starts anew.

        Parameters
        ----------
        X, y, sample_weight : as in `fit`
        classes : array-like of shape (n_classes,), default=None
            All classes of this and later calls; by default the classes of `y` in the
            first call.

        Returns
        -------
        self
        """
        keep = hasattr(self, "weights_")
        return self._fit(X, y, sample_weight, keep=keep, epochs=1, classes=classes)

    @unchanged_on_error
    def _fit(self, X, y, sample_weight, *, keep, epochs=None, classes=None):
        rng = check_random_state(self.random_state)
        check_ngram_range(self.ngram_range)
        kept = self._state if keep else None
        if not keep:
            # What this fit does not set must not stay from the last one.
            for name in FITTED:
                self.__dict__.pop(name, None)
        data = self._training_data(X, y, sample_weight, kept, classes)
        options = self._options(data, kept, epochs)
        with checkpointed(self):
            fit = fit_text_network(data, options, rng)
        self._state = FittedClassifier(
            words=data.words,
            multi_label=not data.exclusive,
            spec=options.spec,
            ngrams=fit.ngrams,
            raw_text=kept.raw_text if kept else False,
            training=fit.state,
            n_epochs=len(fit.history["loss"]) + (kept.n_epochs if kept else 0),
        )
        # N-grams count all words, but only the most frequent ones have a vector.
        self.vocabulary_ = most_frequent(data.words, self.max_features)
        self.weights_, self.history_ = fit.weights, fit.history
        self.n_iter_, self.best_epoch_ = len(fit.history["loss"]), fit.best_epoch
        self.baseline_scores_, self.skill_ = fit.baseline_scores, fit.skill
        tell_what_is_kept(self)
        warn_of_a_better_model(self, self.skill_)
        return self

    def _training_data(self, X, y, sample_weight, kept, classes):
        """Read X and y, learn classes and words if none are kept, and encode both."""
        texts = read_training(self, X, y, reset=kept is None)
        labels.check_labels(texts.y)
        multi_label = labels.is_multi_label(texts.y)
        if kept is None:
            self.classes_ = labels.classes_of(texts.y, multi_label, classes)
        elif multi_label != kept.multi_label:
            raise ValueError(
                f"y holds {KINDS[multi_label]}, but the first fit got "
                f"{KINDS[kept.multi_label]}. Pass y of that kind, or fit anew."
            )
        elif not multi_label and classes is not None:
            labels.check_same_classes(classes, self.classes_)
        targets = labels.one_hot(texts.y, self.classes_, multi_label)
        if multi_label and targets.shape[1] != len(self.classes_):
            raise ValueError(
                f"y has {targets.shape[1]} labels, but the first fit got "
                f"{len(self.classes_)}. Pass y of as many columns, or fit anew."
            )
        check_same_labels(X, sample_weight, "sample_weight")
        weights = check_weights(sample_weight, targets)
        check_weight_size(weights)
        labels.check_weights(weights, targets, new=kept is None)
        n_repeats, weights = rows_and_weights(weights)
        words, sequences = encode_training(texts, n_repeats, kept, self.min_df)
        rows, n_repeats, weights = merge_repeated(
            sequences, targets, n_repeats, weights
        )
        data = TextTrainingData(
            words=words,
            sequences=sequences.reordered(rows),
            targets=targets[rows],
            n_repeats=n_repeats,
            weights=weights,
            exclusive=not multi_label,
        )
        return with_class_weights(data, self.class_weight, self.classes_)

    def _options(self, data, kept, epochs):
        """Return how to fit, by the parameters and by what an earlier fit left."""
        words = most_frequent(data.words, self.max_features)
        n_rows = table_rows(len(words))
        vectors = None
        if not kept:
            vectors, self.n_vectors_found_ = first_vectors(
                self.embeddings, words, n_rows
            )
        dim = self.embedding_dim if vectors is None else vectors.shape[1]
        dim = kept.spec.embedding_dim if kept else dim
        spec = self._build_spec(n_rows, data.targets.shape[1], dim, data.exclusive)
        if kept and spec != kept.spec:
            raise ValueError(
                "Training cannot continue, since parameters ask for a network of "
                f"another shape: {differences(kept.spec, spec)}. Fit anew with "
                "warm_start=False."
            )
        self._check_memory(spec, data.padded_length(self.max_length), dim)
        state, n_before = None, kept.n_epochs if kept else 0
        if epochs is not None:  # of partial_fit
            # An empty state asks training to return the state at its end.
            state = (kept and kept.training) or TrainingState(n_epochs=n_before)
        settings = self._settings(
            self.epochs if epochs is None else epochs,
            loss_of(spec, data.label_weights),
            {"accuracy": accuracy_of(spec)},
        )
        return TextOptions(
            spec=spec,
            settings=settings,
            n_ids=len(words) + FIRST,
            max_length=self.max_length,
            truncate=self.truncate,
            validation_fraction=self.validation_fraction if epochs is None else 0,
            ngram_range=self.ngram_range,
            min_df=self.min_df,
            ngrams=kept.ngrams if kept else None,
            weights=self.weights_ if kept else None,
            vectors=vectors,
            state=state,
            n_before=n_before,
        )

    def _build_spec(self, n_tokens, n_outputs, embedding_dim, exclusive):
        return TextNetworkSpec(
            n_tokens=n_tokens,
            n_outputs=n_outputs,
            exclusive=exclusive,
            embedding_dim=embedding_dim,
            trainable_embeddings=self.trainable_embeddings,
            cell=self.cell,
            units=self._units(),
            bidirectional=self.bidirectional,
            pooling=self.pooling,
            word_dropout=float(self.word_dropout),
            dropout=float(self.dropout),
            recurrent_dropout=float(self.recurrent_dropout),
            linear_skip=self.linear_skip,
        )

    @property
    def _spec_(self):
        return self._state.spec

    @property
    def _loss(self):
        return loss_of(self._spec_)

    def _network_view(self, sequences):
        """Return what the network sees of texts: its words, at most `max_length`."""
        n_ids = len(self.vocabulary_) + FIRST
        return sequences.visible(n_ids, self.max_length, self.truncate)

    def decision_function(self, X):
        """Return logits.

        Parameters
        ----------
        X : array-like
            Texts or token ids, as in `fit`.

        Returns
        -------
        ndarray of shape (n_documents,) or (n_documents, n_classes)
            Logits of each class. For two classes, the logits of the second class only.
        """
        logits = self._logits(X)
        return logits[:, 0] if logits.shape[1] == 1 else logits

    def _logits(self, X):
        check_is_fitted(self, "_state")
        parts = read_texts(self, self._state.words, X)
        logits = [self._logits_of(sequences) for sequences in parts]
        if not logits:
            raise ValueError(NO_TEXT)
        return in_memory(logits)

    def _logits_of(self, sequences):
        state, linear = self._state, None
        if state.ngrams is not None:
            linear = state.ngrams.logits(sequences)
            if not any(self.weights_[name].any() for name in HEAD):
                return linear  # the network was not better than the n-grams
        view = self._network_view(sequences)
        return numpy_forward.predict_text(state.spec, self.weights_, view, linear)

    def predict_proba(self, X):
        """Return probabilities of classes, or of each label in the multi-label case.

        Parameters
        ----------
        X : array-like
            Texts or token ids, as in `fit`.

        Returns
        -------
        ndarray of shape (n_documents, n_classes)
            In the order of `classes_`.
        """
        return probabilities(self._logits(X), not self._state.multi_label)

    def predict_log_proba(self, X):
        """Return logarithms of `predict_proba`.

        Parameters
        ----------
        X : array-like
            Texts or token ids, as in `fit`.

        Returns
        -------
        ndarray of shape (n_documents, n_classes)
        """
        return log_probabilities(self._logits(X), not self._state.multi_label)

    def predict(self, X):
        """Return the most probable class of each text, or an indicator of its labels.

        Parameters
        ----------
        X : array-like
            Texts or token ids, as in `fit`.

        Returns
        -------
        ndarray of shape (n_documents,) or (n_documents, n_labels)
        """
        logits = self._logits(X)
        if self._state.multi_label:
            return (logits > 0).astype(int)
        if logits.shape[1] == 1:
            return self.classes_[(logits[:, 0] > 0).astype(int)]
        return self.classes_[logits.argmax(axis=1)]

    def score(self, X, y, sample_weight=None):
        """Return the accuracy; for several labels, the share of texts with all right.

        Parameters
        ----------
        X, y : array-like
            Texts or token ids, and their classes or labels, as in `fit`.
        sample_weight : array-like of shape (n_documents,), default=None

        Returns
        -------
        float
        """
        check_same_labels(X, y)
        check_same_labels(X, sample_weight, "sample_weight")
        if y is None:
            raise ValueError("y is None. Pass the class of each text.")
        y = labels.dense_labels(y)
        labels.check_labels(y)
        found = self.predict(X)
        labels.check_same_number(found, y)
        y = np.asarray(y) if self._state.multi_label else y
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, found)
        return float(accuracy_score(y, found, sample_weight=sample_weight))

    def keras_inputs(self, X):
        """Return the inputs of `model_` and of the model of `to_keras`.

        Parameters
        ----------
        X : array-like
            Texts or token ids, as in `fit`.

        Returns
        -------
        tokens : ndarray of int32 of shape (n_documents, n_tokens)
            Ids of the network's words, padded with 0 on the right.
        linear : ndarray of float32 of shape (n_documents, n_outputs)
            Logits of the n-gram model. With ``linear_skip=False`` only `tokens` are
            returned.

        Examples
        --------
        >>> from sklstm import LSTMTextClassifier
        >>> clf = LSTMTextClassifier(units=4, epochs=1, random_state=0)
        >>> clf = clf.fit(["good", "bad"] * 5, [1, 0] * 5)
        >>> logits = clf.to_keras().predict(clf.keras_inputs(["good"]), verbose=0)
        >>> bool(abs(logits[0, 0] - clf.decision_function(["good"])[0]) < 1e-5)
        True
        """
        check_is_fitted(self, "_state")
        parts = list(read_texts(self, self._state.words, X))
        if not parts:
            raise ValueError(NO_TEXT)
        views = [self._network_view(part) for part in parts]
        # Recurrent layers need a step, also where all texts are empty.
        width = max([1, *(part.lengths.max(initial=0) for part in views)])
        tokens = np.concatenate([part.padded(width) for part in views])
        ngrams = self._state.ngrams
        if ngrams is None:
            return tokens
        linear = np.concatenate([ngrams.logits(part) for part in parts])
        return [tokens, linear.astype(np.float32)]

    def to_onnx(self, path=None):
        """Return the fitted classifier as an ONNX graph, including the n-gram model.

        The input ``tokens`` holds 64-bit token ids of shape (n, n_tokens), padded with
        0, with at least one row and one column; an empty text is a row of padding. The
        output ``probabilities`` of shape (n, n_classes) equals `predict_proba`. The
        graph has no tokenizer. If the classifier was fitted on strings, the metadata of
        the graph contain the ids of words as JSON under ``vocabulary``; words that are
        not listed have the id 1. The metadata contain the classes under ``classes``.

        Parameters
        ----------
        path : str or os.PathLike, default=None
            File to which the graph is written as well.

        Returns
        -------
        onnx.ModelProto
            Of operator set 18.

        Raises
        ------
        ImportError
            If the package onnx is missing, which ``sklstm[onnx]`` installs.

        Examples
        --------
        >>> from sklstm import LSTMTextClassifier
        >>> clf = LSTMTextClassifier(units=4, epochs=1, random_state=0)
        >>> model = clf.fit(["good", "bad"] * 5, [1, 0] * 5).to_onnx()
        >>> model = clf.to_onnx("sentiment.onnx")  # doctest: +SKIP
        """
        check_is_fitted(self, "_state")
        return archive.write_graph(path, classifier_model(self))

    def _report_sections(self, X, y, train, target_names):
        return text_report.sections(self, X, y, train, target_names)


def encode_training(texts, n_repeats, kept, min_df):
    """Return words and texts as their ids, by a kept vocabulary or a new one."""
    if kept is None:
        return build_vocabulary(texts.tokens, texts.sequences, n_repeats, min_df)
    return kept.words, encode_tokens(texts.tokens, texts.sequences, kept.words)


def most_frequent(words, max_features):
    """Return the words that the network knows; ids are given by falling frequency."""
    n_words = len(words) if max_features is None else max_features
    return {word: i for word, i in words.items() if i < n_words + FIRST}


def table_rows(n_words):
    """Return the rows of the embedding, a power of two.

    Folds of one data set then have embeddings of one shape and share compiled steps.
    """
    return 2 ** int(np.ceil(np.log2(n_words + FIRST)))
