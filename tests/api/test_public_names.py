"""The public names of `maskgen`: a fixed list, each documented, none of them heavy to import."""

import doctest
import importlib
import inspect
import subprocess
import sys

import pytest

import maskgen

PUBLIC = {
    "FaceRecord",
    "Landmarks",
    "ManifestRow",
    "MaskResult",
    "Masker",
    "MaskgenError",
    "Sample",
    "Samples",
    "__version__",
    "open_dataset",
    "read_image",
    "read_manifest",
}


def test_the_public_names_are_these():
    assert set(maskgen.__all__) == PUBLIC
    assert set(dir(maskgen)) >= PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC - {"__version__"}))
def test_each_has_a_docstring_for_itself_and_what_it_offers(name):
    thing = getattr(maskgen, name)
    assert thing.__doc__
    for member, value in vars(thing).items() if inspect.isclass(thing) else ():
        if inspect.isfunction(value) and not member.startswith("_"):
            assert value.__doc__, member


def test_an_unknown_name_is_said():
    with pytest.raises(AttributeError, match="no attribute 'Maskr'"):
        maskgen.Maskr  # noqa: B018


def test_a_star_import_brings_them_all():
    program = "from maskgen import *; print(Masker, open_dataset, read_manifest)"
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_a_type_checker_sees_each_name_where_it_is_defined():
    source = inspect.getsource(maskgen)
    for name, module in maskgen._HOMES.items():
        (line,) = (line for line in source.splitlines() if line.strip().startswith(f"from {module} import"))
        assert name in line


@pytest.mark.parametrize("module", ["maskgen.api.masker", "maskgen.api.reading"])
def test_the_examples_of_the_docstrings_give_what_they_say(module):
    failed, tried = doctest.testmod(importlib.import_module(module))
    assert tried and not failed
