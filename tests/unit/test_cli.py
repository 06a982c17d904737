"""The command line answers people in words, machines in JSON, and both with an exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdmx_service.cli import main


def test_check_reads_every_definition(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--project", str(repository), "--definitions-only", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["surveys"] == ["AT_EUSILC", "NO_ESS10", "XA_WB2023"]


def test_verify_and_show_speak_of_the_current_release(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "--releases", str(published), "--json"]) == 0
    verified = json.loads(capsys.readouterr().out)
    assert main(["show", "--releases", str(published), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert verified["release"] == shown["release"]
    assert verified["damaged"] == 0
    assert shown["observations by dataflow"]["DF_HEA"] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["verify", "--releases", "{empty}"], 5, "expected a folder with a published release"),
        (["show", "--releases", "{published}", "--release", "x"], 5, "expected a release manifest"),
        (["check", "--project", "{empty}"], 3, "expected a publication"),
        (["build", "--project", "{empty}"], 3, "expected a publication"),
    ],
)
def test_an_error_says_what_to_do_and_ends_with_its_code(
    arguments: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    published: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [a.format(empty=tmp_path, published=published) for a in arguments]
    assert main(given) == code
    assert said in capsys.readouterr().err
    assert main([*given, "--json"]) == code
    assert (
        said.removeprefix("expected ") in json.loads(capsys.readouterr().out)["error"]["expected"]
    )


def test_a_wrong_command_is_a_wrong_request() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["publish"])
    assert caught.value.code == 2


def test_an_embargo_that_is_no_moment_is_refused_with_an_example(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["build", "--embargo", "tomorrow"])
    assert caught.value.code == 2
    assert "got 'tomorrow', expected a moment with its time zone" in capsys.readouterr().err
