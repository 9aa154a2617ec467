"""Order of the examples in the gallery, from a first forecast to deployment."""

ORDER = (
    "first_forecast",
    "classroom_series",
    "classroom_text",
    "bike_sharing",
    "inputs",
    "household_power",
    "many_series",
    "missing_data",
    "intervals",
    "quantiles",
    "backtest_refit",
    "grid_search",
    "optuna",
    "callbacks",
    "custom_network",
    "adding_problem",
    "text",
    "embeddings",
    "multi_label",
    "imbalance",
    "explain",
    "streaming_anomalies",
    "deploy",
    "serving",
)


class Reading:
    """Sort the files of the gallery; a file that is not listed raises an error."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, name):
        return ORDER.index(name.removeprefix("plot_").removesuffix(".py"))
