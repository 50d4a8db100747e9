"""The packages of a build; all else is in pyproject.toml, which cannot add one package to those it finds."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["maskgen*"]), "maskgen.mask_templates"],
    package_dir={"maskgen.mask_templates": "mask_templates"},
)
