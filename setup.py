"""The packages of the wheel: `mask_templates/` lies beside `maskgen/`, where nothing would find it."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["maskgen*"]), "maskgen.mask_templates"])
