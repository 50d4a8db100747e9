"""What a model says of itself: types, ranges, lengths."""

import json

import pytest
from model_files import SPEC

from maskgen.errors import ConfigurationError
from maskgen.train.spec import ModelSpec


def described(**values):
    return json.dumps({**json.loads(SPEC.to_json()), **values})


def test_what_a_model_says_of_itself_is_checked():
    assert ModelSpec.from_json(described()) == SPEC
    assert ModelSpec.from_json(described(threshold=None, label="age", margin=0)).label == "age"


@pytest.mark.parametrize(
    "values",
    [
        {"classes": ["one"]},
        {"classes": ["a", "a"]},
        {"classes": ["a", 7]},
        {"classes": 7},
        {"classes": [str(number) for number in range(1001)]},
        {"classes": ["a", "b" * 1001]},
        {"classes": ["a", "\x1b[2J"]},
        {"size": 0},
        {"size": 10**9},
        {"size": 32.0},
        {"size": True},
        {"size": "32"},
        {"crop": "everything"},
        {"crop": ["face"]},
        {"margin": float("nan")},
        {"margin": float("inf")},
        {"margin": -1},
        {"margin": "0.25"},
        {"threshold": 2},
        {"threshold": float("nan")},
        {"threshold": True},
        {"label": 7},
        {"backbone": ["x"]},
        {"version": None},
        {"more": 1},
    ],
    ids=str,
)
def test_a_description_that_no_training_writes_is_refused(values):
    with pytest.raises(ConfigurationError, match="no description of a maskgen model"):
        ModelSpec.from_json(described(**values))


@pytest.mark.parametrize("text", ["", "[]", "null", "7", "[" * 100_000, '{"schema": 1}'])
def test_what_is_no_description_of_a_model_is_refused(text):
    with pytest.raises(ConfigurationError):
        ModelSpec.from_json(text)
