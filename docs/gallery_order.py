"""Order of the examples in the gallery, from a first forecast to deployment."""

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
    """Sort the files of the gallery; a file that is not listed raises an error."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, name):
        return ORDER.index(name.removeprefix("plot_").removesuffix(".py"))
