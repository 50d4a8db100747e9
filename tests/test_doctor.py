"""`maskgen doctor`: what it finds here, and what it says of things that are wrong."""

import json

import pytest

from maskgen import doctor
from maskgen.__main__ import main


@pytest.fixture
def only(monkeypatch):
    """Leaves the checks of these names alone, and gives their results."""

    def results(*names):
        monkeypatch.setattr(doctor, "CHECKS", {name: doctor.CHECKS[name] for name in names})
        return {result.check: result for result in doctor.examine()}

    return results


def test_here_nothing_is_wrong_and_the_sample_is_masked(capfd):
    code = main(["doctor", "--json"])
    results = {line["check"]: line for line in map(json.loads, capfd.readouterr().out.splitlines())}
    assert set(results) == set(doctor.CHECKS)
    # How long an image takes is this machine's matter, which may be busy.
    wrong = [
        line for line in results.values() if not line["ok"] and "once models are open" not in line["found"]
    ]
    assert wrong == []
    assert code == (0 if all(line["ok"] for line in results.values()) else 1)
    assert "masked" in results["sample"]["found"]


def versions(monkeypatch, found):
    monkeypatch.setattr(doctor, "_version", found.get)


def test_opencv_wheels_that_differ_are_wrong_and_the_command_that_mends_it_is_said(monkeypatch, only, capsys):
    versions(monkeypatch, {"opencv-python": "4.12.0.88", "opencv-contrib-python": "4.9.0.80"})
    result = only("opencv")["opencv"]
    assert not result.ok
    assert "opencv-python==4.12.0.88 opencv-contrib-python==4.12.0.88" in result.advice
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("WRONG  opencv") and "to do: pip install" in out


def test_a_package_that_is_missing_is_named(monkeypatch, only):
    versions(monkeypatch, dict.fromkeys(set(doctor.PACKAGES) - {"scipy"}, "1.0"))
    assert only("versions")["versions"].advice == "pip install scipy"


@pytest.mark.parametrize("library", ["cv2", "ai_edge_litert.interpreter"])
def test_a_library_that_does_not_import_ends_no_other_check(monkeypatch, only, library):
    monkeypatch.setitem(__import__("sys").modules, library, None)
    results = only("versions", "opencv", "model", "machine")
    assert results["machine"].ok
    assert not results["opencv" if library == "cv2" else "model"].ok


def test_whatever_a_check_raises_is_its_result(monkeypatch):
    def broken():
        raise RuntimeError("no\nluck")

    monkeypatch.setattr(doctor, "CHECKS", {"odd": broken})
    (result,) = doctor.examine()
    assert (result.ok, result.found) == (False, "RuntimeError: no luck")


def test_little_memory_lowers_the_number_of_processes_and_less_than_one_takes_is_wrong(monkeypatch, only):
    monkeypatch.setattr(doctor, "_memory", lambda: 300)
    assert "-j 1" in only("machine")["machine"].found
    monkeypatch.setattr(doctor, "_memory", lambda: 100)
    assert not only("machine")["machine"].ok
