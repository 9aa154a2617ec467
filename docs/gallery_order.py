"""The order in which examples are read, from a first forecast to deploying."""

ORDER = (
    "first_forecast",
    "classroom_series",
    "classroom_text",
    "inputs",
    "many_series",
    "intervals",
    "grid_search",
    "text",
    "imbalance",
    "adding_problem",
    "explain",
    "deploy",
)


class Reading:
    """Sorts the files of the gallery; one that is not listed is an error."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, name):
        return ORDER.index(name.removeprefix("plot_").removesuffix(".py"))
