"""Documentation that can be wrong is held to the code; UPDATE_DOCS=1 writes docs/cli.md anew."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdmx_service import cli, errors

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"sdmx-service ([a-z]+)(?=[\s`;:.,)]|$)")
EXIT_CODES = {
    0: "done",
    1: "a fault of the program",
    2: "the command or the request is wrong",
    3: "a definition in `dsd/` is wrong",
    4: "survey data do not fit their declaration, or the design cannot carry the estimate",
    5: "a release is damaged or missing",
    6: "a report cannot be rendered on this machine",
}


def documents(repository: Path) -> list[Path]:
    return [repository / "README.md", *sorted((repository / "docs").glob("**/*.md"))]


def _commands() -> dict[str, argparse.ArgumentParser]:
    for action in cli._parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise AssertionError("the command line has no commands")


def _values(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if action.choices is not None:
        return " " + "|".join(map(str, action.choices))
    return f" {action.metavar or action.dest.upper()}"


def _default(action: argparse.Action) -> str:
    if action.nargs == 0 or action.default is None:
        return "-"
    return f"`{action.default}`"


def _rows(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if action.dest == "help":
            continue
        names = ", ".join(action.option_strings)
        said = f"{names}{_values(action)}" if names else str(action.metavar or action.dest.upper())
        # A vertical bar would end the cell.
        option = said.replace("|", "\\|")
        yield f"| `{option}` | {_default(action)} | {action.help or ''} |"


def command_line_page() -> str:
    """Return docs/cli.md as the parser of the command line has it."""
    lines = [
        "# Command line",
        "",
        "<!-- Written from the parser: UPDATE_DOCS=1 pytest tests/contract/test_docs.py -->",
        "",
        cli._parser().description or "",
        "",
        "```",
        "sdmx-service COMMAND [options]",
        "sdmx-service COMMAND --help",
        "sdmx-service --version",
        "```",
    ]
    for name, parser in _commands().items():
        lines += [
            "",
            f"## {name}",
            parser.description or "",
            "",
            "| option | default | |",
            "|---|---|---|",
            *_rows(parser),
        ]
    lines += [
        "",
        "## Exit codes",
        "| | |",
        "|---|---|",
        *(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()),
        "",
        "With `--json` an error is one line on standard output, "
        '`{"error": {"where", "got", "expected", "hint"}}`, with the parts that are known;',
        "without it, one line on standard error. Progress goes to standard error. A wrong command",
        "or option is answered with the usage, on standard error, in either case.",
        "",
    ]
    return "\n".join(lines)


def test_the_page_of_the_command_line_is_what_the_parser_says(repository: Path) -> None:
    page = repository / "docs" / "cli.md"
    if os.environ.get("UPDATE_DOCS") == "1":
        page.write_text(command_line_page(), encoding="utf-8")
    assert page.read_text(encoding="utf-8") == command_line_page(), "run with UPDATE_DOCS=1"


def test_every_exit_code_of_an_error_is_explained() -> None:
    codes = {getattr(errors, name).exit_code for name in errors.__all__}
    assert codes <= set(EXIT_CODES)
    assert {int(code) for code in re.findall(r"\b(\d) ", cli._EXIT)} == set(EXIT_CODES)


def _anchor(heading: str) -> str:
    """Return the anchor that a heading gets where Markdown is shown."""
    text = re.sub(r"[`*_]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def test_every_relative_link_leads_somewhere(repository: Path) -> None:
    broken = []
    for page in documents(repository):
        for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            there = (page.parent / path).resolve() if path else page
            if not there.exists():
                broken.append(f"{page.relative_to(repository)}: {target}")
            elif anchor and there.suffix == ".md":
                headings = HEADING.findall(FENCE.sub("", there.read_text(encoding="utf-8")))
                if anchor not in map(_anchor, headings):
                    broken.append(f"{page.relative_to(repository)}: {target}")
    assert broken == []


def test_every_command_that_is_mentioned_exists(repository: Path) -> None:
    known = set(_commands())
    unknown = []
    mentioned = set()
    for page in documents(repository):
        for name in COMMAND.findall(page.read_text(encoding="utf-8")):
            mentioned.add(name)
            if name not in known:
                unknown.append(f"{page.relative_to(repository)}: sdmx-service {name}")
    assert unknown == []
    assert mentioned & known


def test_every_option_that_a_command_is_shown_with_exists(repository: Path) -> None:
    known = {
        name: {option for action in parser._actions for option in action.option_strings}
        for name, parser in _commands().items()
    }
    wrong = []
    for page in [*documents(repository), repository / "Makefile"]:
        text = page.read_text(encoding="utf-8").replace("$(SERVICE)", "sdmx-service")
        for line in text.splitlines():
            for name, rest in re.findall(r"sdmx-service +([a-z]+)((?: +[^\s`#;]+)*)", line):
                used = re.findall(r"(?<!\S)--[a-z-]+", rest)
                wrong += [
                    f"{page.relative_to(repository)}: {name} {option}"
                    for option in used
                    if name in known and option not in known[name]
                ]
    assert wrong == []


@pytest.mark.parametrize("folder", ["docs/methods", "docs/decisions"])
def test_every_page_of_a_folder_is_in_its_index(repository: Path, folder: str) -> None:
    pages = {p.name for p in (repository / folder).glob("*.md")} - {"README.md"}
    index = repository / "docs" / "README.md"
    if folder == "docs/decisions":
        index = repository / folder / "README.md"
    linked = {Path(target).name for target in LINK.findall(index.read_text(encoding="utf-8"))}
    assert pages
    assert pages <= linked


def test_every_methods_page_says_what_it_was_held_against_and_where_it_ends(
    repository: Path,
) -> None:
    silent = []
    for page in (repository / "docs" / "methods").glob("*.md"):
        headings = " ".join(HEADING.findall(page.read_text(encoding="utf-8"))).lower()
        if "held against" not in headings or "limits" not in headings:
            silent.append(page.name)
    assert silent == []
