"""Estimates of memory, checked before a call allocates it.

Most systems grant more memory than they have, and kill the process that uses it. Sizes
that grow with an argument are therefore compared with the free memory first.
"""

import math
import os
from pathlib import Path

from sklstm._utils.cells import CELLS

# Smaller requests are not checked, because a check takes longer than a forecast.
SMALL = 2**28
# Networks that a long forecast may ask one after the other.
MOST_BLOCKS = 1_000_000
# Copies of each weight, and of each computed value of a batch, in training: measured,
# and rounded down, so that no fit is refused for which there is memory.
COPIES_OF_WEIGHTS, COPIES_OF_VALUES = 8, 2
# Files of a container's limit, and of its memory that cannot be reclaimed.
CONTAINERS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.stat", "anon"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
        "rss",
    ),
)


def check_memory(n_bytes: float, what: str, advice: str) -> None:
    """Raise where a call needs more bytes than this process can have.

    Raises
    ------
    MemoryError
        That says how much is needed, and how much there is.
    """
    if n_bytes < SMALL:
        return
    left = available()
    if n_bytes > left:
        raise MemoryError(
            f"{what} needs {in_words(n_bytes)} at once, and this process can have "
            f"{in_words(left)}. {advice}"
        )


def in_words(n_bytes: float) -> str:
    for unit, size in (("PB", 10**15), ("TB", 10**12)):
        if n_bytes >= size:
            return f"{n_bytes / size:.3g} {unit}"
    return f"{n_bytes / 1e9:.3g} GB"


def available() -> float:
    """Return the bytes that this process can still have, infinite if unknown."""
    return max(0, min(of_the_machine(), of_the_container(), of_the_limit()))


def of_the_machine():
    memory = numbers_in("/proc/meminfo", factor=1024)
    if "MemAvailable" in memory:
        return memory["MemAvailable"] + memory.get("SwapFree", 0)
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return math.inf


def of_the_container():
    left = math.inf
    for limit, held, name in CONTAINERS:
        try:
            most = int(Path(limit).read_text())
        except (OSError, ValueError):  # "max" says that there is none
            continue
        left = min(left, most - numbers_in(held).get(name, 0))
    return left


def of_the_limit():
    """Return the bytes that `ulimit -v` leaves, which counts addresses."""
    try:
        import resource
    except ImportError:  # Windows
        return math.inf
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY:
        return math.inf
    return most - numbers_in("/proc/self/status", factor=1024).get("VmSize", 0)


def numbers_in(path, factor=1):
    """{name: number} of lines of a name and a number."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return {}
    words = [line.replace(":", " ").split() for line in lines]
    return {
        word[0]: int(word[1]) * factor
        for word in words
        if len(word) > 1 and word[1].isdigit()
    }


def bytes_of_training(spec, batch_size, n_steps, width):
    """Return the bytes that training takes at least: weights, and a batch with gates.

    Parameters
    ----------
    n_steps, width : int
        Steps that recurrent layers read, and values at each.
    """
    if spec.network is not None:  # Its layers are not known.
        return 4 * batch_size * n_steps * width
    n_ways = 1 + spec.bidirectional
    gates = sum(n_ways * units * CELLS[spec.cell].n_gates for units in spec.units)
    values = batch_size * n_steps * (width + gates)
    return 4 * (COPIES_OF_WEIGHTS * n_weights(spec) + COPIES_OF_VALUES * values)


def n_weights(spec):
    return sum(math.prod(map(int, shape)) for shape in spec.weight_shapes().values())
