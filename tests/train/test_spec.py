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
    assert ModelSpec.from_json(described(label="age", margin=0)).label == "age"


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
        {"schema": 1, "threshold": 2},
        {"schema": 1, "threshold": float("nan")},
        {"schema": 1, "threshold": True},
        {"schema": 1, "threshold": False},
        {"schema": 1},
        {"schema": 3},
        {"threshold": 0.4},
        {"outer_threshold": 0.4},
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


def test_a_description_of_schema_1_keeps_its_threshold():
    old = described(schema=1, threshold=0.4)
    assert ModelSpec.from_json(old).outer_threshold == 0.4
    assert json.loads(ModelSpec.from_json(old).to_json()) == json.loads(old)
    assert ModelSpec.from_json(described(schema=1, threshold=None)) == SPEC


@pytest.mark.parametrize("text", ["", "[]", "null", "7", "[" * 100_000, '{"schema": 1}'])
def test_what_is_no_description_of_a_model_is_refused(text):
    with pytest.raises(ConfigurationError):
        ModelSpec.from_json(text)
