"""Groups in which the API pages show parameters and methods."""

TRAINING = (
    "optimizer",
    "learning_rate",
    "learning_rate_schedule",
    "clipnorm",
    "epochs",
    "batch_size",
    "callbacks",
)
STOPPING = ("validation_fraction", "early_stopping", "n_iter_no_change", "tol")
RUNNING = ("checkpoint", "warm_start", "random_state", "verbose")

PARAMETERS = {
    "LSTMForecaster": {
        "Windowing": ("window_length", "horizon", "stride", "window_norm"),
        "Seasons and scaling": ("scaler", "seasonal_period", "deseasonalize"),
        "Exogenous variables": ("calendar", "past_covariates"),
        "Network": (
            "cell",
            "units",
            "dropout",
            "recurrent_dropout",
            "linear_skip",
            "recurrent_length",
            "network",
        ),
        "Members and quantiles": ("n_members", "pretrained", "quantiles"),
        "Training": ("loss", *TRAINING),
        "Validation and early stopping": (*STOPPING, "min_skill", "refit"),
        "Reproducibility and progress": RUNNING,
    },
    "LSTMTextClassifier": {
        "Tokens": (
            "analyzer",
            "lowercase",
            "strip_accents",
            "token_pattern",
            "tokenizer",
        ),
        "Vocabulary and length": ("max_features", "min_df", "max_length", "truncate"),
        "N-gram model": ("linear_skip", "ngram_range"),
        "Word vectors": ("embedding_dim", "embeddings", "trainable_embeddings"),
        "Network": (
            "cell",
            "units",
            "bidirectional",
            "pooling",
            "word_dropout",
            "dropout",
            "recurrent_dropout",
        ),
        "Training": ("class_weight", *TRAINING),
        "Validation and early stopping": (*STOPPING, "min_skill"),
        "Reproducibility and progress": RUNNING,
    },
}

SAVING = ("save", "load", "to_keras")
METHODS = {
    "LSTMForecaster": {
        "Fit": ("fit", "partial_fit"),
        "Forecast": (
            "forecast",
            "predict",
            "forecast_interval",
            "forecast_quantiles",
            "sample_paths",
        ),
        "Update": ("update", "observe"),
        "Evaluate": ("score", "backtest", "report"),
        "Inspect": ("summary", "plot"),
        "Save and convert": (*SAVING, "from_keras", "to_onnx"),
        "Parameters": ("set_params",),
    },
    "LSTMTextClassifier": {
        "Fit": ("fit", "partial_fit"),
        "Predict": (
            "predict",
            "predict_proba",
            "predict_log_proba",
            "decision_function",
        ),
        "Evaluate": ("score", "report"),
        "Inspect": ("summary",),
        "Save and convert": (*SAVING, "keras_inputs", "to_onnx"),
        "Parameters": ("set_params",),
    },
}
