"""setuptools' build backend, which asks for jaxlib's headers with SKLSTM_NATIVE=1.

Without that, or without a compiler, nothing large is downloaded, and the package is one
of Python alone.
"""

import os
import shutil
import warnings

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403

COMPILERS = ("c++", "g++", "clang++")


def headers():
    """Return what the library of recurrent loops needs to be built."""
    wish = os.environ.get("CXX", "").split()[:1]
    has_compiler = any(map(shutil.which, wish or COMPILERS))
    asked = os.environ.get("SKLSTM_NATIVE", "0") != "0"
    return ["jaxlib>=0.5"] * (has_compiler and asked)


def get_requires_for_build_wheel(config_settings=None):
    return build_meta.get_requires_for_build_wheel(config_settings) + headers()


def get_requires_for_build_editable(config_settings=None):
    return build_meta.get_requires_for_build_editable(config_settings) + headers()


def build_editable(*arguments, **options):
    with warnings.catch_warnings():
        # It warns of folders of the package's name, which a clone has on purpose.
        warnings.filterwarnings("ignore", "(?s).*Editable installation")
        return build_meta.build_editable(*arguments, **options)
