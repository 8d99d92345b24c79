"""Tags a wheel that has the library inside; pyproject.toml has everything else."""

import os

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel

PLATFORM = os.environ.get("DAGSTORE_WHEEL_PLATFORM", "")


class LibraryDistribution(Distribution):
    def has_ext_modules(self) -> bool:
        return True


class LibraryWheel(bdist_wheel):
    """A wheel for one platform and every Python 3, because ctypes needs no extension module."""

    def get_tag(self) -> "tuple[str, str, str]":
        return "py3", "none", PLATFORM


if PLATFORM:
    setup(distclass=LibraryDistribution, cmdclass={"bdist_wheel": LibraryWheel})
else:
    setup()
