"""The optional library in C++, which `layers.native` describes, without JAX.

The environment variable SKLSTM_NATIVE=0 turns it off; "plain", "avx2" and "avx512"
choose a set of instructions.
"""

import ctypes
import os
from pathlib import Path

LIBRARY = Path(__file__).parents[1] / "layers" / "native" / "_kernels.so"
INSTRUCTIONS = ("avx512", "avx2", "plain")  # the widest first
WISH = os.environ.get("SKLSTM_NATIVE", "1")


def load() -> ctypes.CDLL | None:
    """Return the library; None without one, or where it is turned off."""
    if WISH == "0" or not LIBRARY.exists():
        return None
    return ctypes.CDLL(str(LIBRARY))


def use(name: str) -> bool:
    """Run the loops with a set of instructions; return whether the processor has it."""
    return library is not None and bool(library.sklstm_use(name.encode()))


library = load()
# The set of instructions in use; None without the library.
in_use = next(filter(use, INSTRUCTIONS if WISH == "1" else (WISH,)), None)


def description() -> str:
    """Say in words which loops run on a CPU."""
    if in_use is not None:
        return f"in C++, with {in_use} instructions"
    if not LIBRARY.exists():
        return "without C++, because this installation has no library"
    return f"without C++, because SKLSTM_NATIVE={WISH}"
