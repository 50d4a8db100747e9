"""Config files: what they may hold, what is refused, and what goes before them."""

import pytest
from click.testing import CliRunner

from maskgen.cli import cli
from maskgen.commands.shared.parameters import read_config
from maskgen.commands.shared.synth_options import DatasetName
from maskgen.datasets import DATASETS
from maskgen.errors import ConfigurationError


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("run.toml", 'blend = "poisson"\nmin-face = 20\nwear = ["correct=8", "chin"]\npairs = true\n'),
        ("run.json", '{"blend": "poisson", "min_face": 20, "wear": ["correct=8", "chin"], "pairs": true}'),
        ("utf-16.toml", 'blend = "poisson"\nmin-face = 20\nwear = ["correct=8", "chin"]\npairs = true\n'),
        ("bom.toml", '\ufeffblend = "poisson"\nmin-face = 20\nwear = ["correct=8", "chin"]\npairs = true\n'),
    ],
)
def test_a_config_file_is_toml_or_json(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-16" if name.startswith("utf-16") else "utf-8")
    known = {"blend": ("blend", False), "min-face": ("min_face", False), "pairs": ("pairs", False)}
    known["wear"] = ("wear", True)
    assert read_config(tmp_path / name, known) == {
        "blend": "poisson",
        "min_face": 20,
        "wear": ["correct=8", "chin"],
        "pairs": True,
    }


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.toml", "blend = ", "not valid toml"),
        ("a.yaml", "blend: poisson", "config files are TOML or JSON, not YAML; write it as a.toml"),
        ("a.YML", "blend: poisson", "config files are TOML or JSON, not YAML"),
        ("a.toml", "#" * (64 << 10) + "\n", "larger than 65,536 bytes"),
        ("a.toml", "blend = 1\n" + "a." * 30_000 + "a = 1\n", "line 2 has more than 100 dots"),
        ("a.toml", "[" + '"a".' * 10_000 + '"a"]\n', "line 1 has more than 100 dots"),
        ("a.json", '{"blend": ' + "[" * 20_000 + "]" * 20_000 + "}", "not valid json"),
        ("a.json", "[1]", "expected names and values, got a list"),
        ("a.json", "{", "not valid json"),
        ("a.toml", 'bland = "poisson"', "no option is called 'bland'; did you mean 'blend'"),
        ("a.toml", 'config = "b.toml"', "no option is called 'config'"),
        ("a.toml", "blend = [1, 2]", "blend takes one value"),
        ("a.toml", "wear = [true]", "wear takes a list of texts"),
        ("a.toml", "[synth]\nblend = 'poisson'", "no option is called 'synth'"),
    ],
)
def test_a_wrong_config_file_is_refused(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    known = {"blend": ("blend", False), "wear": ("wears", True), "config": ("config", False)}
    with pytest.raises(ConfigurationError, match=said) as refused:
        read_config(tmp_path / name, known)
    assert str(tmp_path / name) in str(refused.value)


@pytest.mark.parametrize(
    ("line", "environment", "file", "expected"),
    [
        ([], {}, "", "overlay"),
        ([], {}, 'blend = "flatten"', "flatten"),
        ([], {"MASKGEN_SYNTH_BLEND": "poisson"}, 'blend = "flatten"', "poisson"),
        (["--blend", "overlay"], {"MASKGEN_SYNTH_BLEND": "poisson"}, 'blend = "flatten"', "overlay"),
    ],
)
def test_the_command_line_goes_before_the_environment_before_the_config_file(
    line, environment, file, expected, tmp_path, monkeypatch
):
    """Told by the job that the command hands over, which is not done here."""
    seen = []
    monkeypatch.setattr("maskgen.run.job.run", lambda job, **_: seen.append(job))
    monkeypatch.setattr("maskgen.commands.synth.print_summary", lambda *_, **__: None)
    (tmp_path / "run.toml").write_text(file)
    arguments = ["synth", "--dataset", "sample", "--config", str(tmp_path / "run.toml"), *line]
    result = CliRunner().invoke(cli, arguments, auto_envvar_prefix="MASKGEN", env=environment)
    assert result.exception is None, result.output
    assert seen[0].options.blend == expected


@pytest.mark.parametrize(
    ("words", "dataset", "splits"),
    [
        (["--dataset", "SAMPLE"], "sample", ()),
        (["--dataset", "Sample", "--split", "Val", "--split", "training"], "sample", ("validation", "train")),
    ],
)
def test_names_are_taken_in_any_case_and_splits_by_any_of_their_words(words, dataset, splits, monkeypatch):
    seen = []
    monkeypatch.setattr("maskgen.run.job.run", lambda job, **_: seen.append(job))
    monkeypatch.setattr("maskgen.commands.synth.print_summary", lambda *_, **__: None)
    result = CliRunner().invoke(cli, ["synth", *words])
    assert result.exception is None, result.output
    assert (seen[0].options.dataset, seen[0].options.splits) == (dataset, splits)


@pytest.mark.parametrize(
    ("name", "found"), [("CelebA", "celeba"), ("VGGFace2", "vggface2"), ("imdb_wiki", "imdb-wiki")]
)
def test_the_names_that_authors_write_are_known(name, found):
    assert DatasetName(tuple(DATASETS)).convert(name, None, None) == found
