"""The optional library of recurrent loops; pyproject.toml says everything else."""

import importlib.util
import os
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

FOLDER = Path("sklstm", "layers", "native")
FLAGS = ["-std=c++17", "-O3", "-g0", "-ffp-contract=off", "-fvisibility=hidden"]


def extensions():
    """Return the library if it is asked for and jaxlib's headers are at hand."""
    jaxlib = importlib.util.find_spec("jaxlib")
    if os.environ.get("SKLSTM_NATIVE", "0") == "0" or jaxlib is None:
        return []
    headers = Path(jaxlib.submodule_search_locations[0], "include")
    library = Extension(
        "sklstm.layers.native._kernels",
        [str(FOLDER / "kernels.cpp")],
        depends=[str(FOLDER / "loops.h")],
        extra_compile_args=[*FLAGS, "-isystem", str(headers)],
        language="c++",
        optional=True,  # a build that fails leaves an installation that works
    )
    return [library]


class BuildLibrary(build_ext):
    """Build a library that is no module of Python, so that its name has no version."""

    def get_ext_filename(self, fullname):
        return str(Path(*fullname.split("."))) + ".so"

    def get_export_symbols(self, ext):
        return ext.export_symbols


class PlatformWheel(bdist_wheel):
    """Tag a wheel by its platform alone, since any version of Python may load it."""

    def get_tag(self):
        python, abi, platform = super().get_tag()
        if platform != "any":
            python, abi = "py3", "none"
        return python, abi, platform


setup(
    ext_modules=extensions(),
    cmdclass={"build_ext": BuildLibrary, "bdist_wheel": PlatformWheel},
)
