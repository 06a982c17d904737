"""The command line: check, import, waiting, build, verify, show, serve and report."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from sdmx_service import __version__
from sdmx_service.errors import SdmxServiceError

__all__ = ["main"]

_EXIT = """\
exit codes: 0 done; 1 a fault of the program; 2 the command or request is wrong; 3 a definition in
dsd/ is wrong; 4 survey data do not fit their declaration; 5 a release is damaged or missing;
6 a report cannot be rendered here"""


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str, int, int | None], None]]:
    """Show a bar on the terminal, or one line a step where there is none."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, quiet=quiet)
    if not console.is_terminal:
        yield lambda step, done, total: console.print(
            f"[{done}/{total}] {step}" if total else f"[{done}] {step}", markup=False
        )
        return
    bar = Progress(
        BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console
    )
    task = bar.add_task("")
    with bar:
        yield lambda step, done, total: bar.update(
            task, description=step, completed=done, total=total
        )


def _check(options: argparse.Namespace) -> dict[str, Any]:
    from sdmx_service.definitions.project import load_project
    from sdmx_service.structures.crosscheck import read_by_sdmx1
    from sdmx_service.structures.readers import structure_files
    from sdmx_service.survey.sample import read_sample
    from sdmx_service.survey.tabulation import outcomes

    project = load_project(options.project)
    seen = read_by_sdmx1(structure_files(project.dsd / "structures"))
    people = {}
    if not options.definitions_only:
        for survey in project.surveys.values():
            sample = read_sample(survey, project.root)
            people[survey.id] = sample.frame.height
            for indicator in project.indicators_of(survey):
                outcomes(sample, indicator)
    return {
        "indicators": len(project.indicators),
        "surveys": sorted(project.surveys),
        "people": people,
        "structures read by sdmx1": sum(seen.values()),
        "reviews signed": len(project.reviews),
        "reviews waiting": "sdmx-service waiting lists them",
    }


def _import(options: argparse.Namespace) -> dict[str, Any]:
    from sdmx_service.structures.fetching import content_of
    from sdmx_service.structures.importing import ImportRefused, Outcome, import_structures

    done = import_structures(
        content_of(options.source),
        options.source,
        options.project / "dsd" / "structures",
        allow_external=options.allow_external,
        dry_run=options.dry_run,
    )
    if done.refused:
        raise ImportRefused(options.source, done)
    said = {
        outcome.value: [one.artefact.urn for one in done.artefacts if one.outcome is outcome]
        for outcome in Outcome
    }
    return {
        **{outcome: urns for outcome, urns in said.items() if urns},
        **({"kept elsewhere": list(done.stubs)} if done.stubs else {}),
        **({"dry run": "nothing was written"} if options.dry_run else {}),
        "files": list(done.files),
    }


def _waiting(options: argparse.Namespace) -> dict[str, Any]:
    from sdmx_service.build import waiting_reviews
    from sdmx_service.definitions.project import load_project

    cells = waiting_reviews(load_project(options.project), options.releases)
    if options.json:
        return {"waiting": cells.height, "cells": cells.to_dicts()}
    if options.format == "csv":
        sys.stdout.write(cells.write_csv())
        return {}
    named = ("indicator", "area", "breakdown", "reason")
    rows = [named, *cells.select(named).iter_rows()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(named))]
    for row in rows:
        fields = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        _say("  ".join(fields).rstrip())
    if cells.height:
        rules = cells.select("reason", "rule").drop_nulls().unique(maintain_order=True)
        _say("\n" + "\n".join(f"{reason}: {rule}" for reason, rule in rules.iter_rows()))
        _say("\nTo sign a cell, write a file such as dsd/reviews/2026.yaml and complete the line;")
        _say("decision is present or suppress, and --format csv has the line of every cell:\n")
        _say("reviews:\n" + cells.item(0, "sign"))
    _say(f"\n{cells.height:,} cells wait for a signature")
    return {}


def _build(options: argparse.Namespace) -> dict[str, Any]:
    # Sums made in another order differ in the last digit, and so would two builds of a release.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    from sdmx_service.build import build_release

    with _progress(options.json) as progress:
        report = build_release(
            options.project, options.releases, progress=progress, embargo=options.embargo
        )
    return asdict(report)


def _verify(options: argparse.Namespace) -> dict[str, Any]:
    from sdmx_service.release.manifest import Manifest
    from sdmx_service.release.release import current_id
    from sdmx_service.release.verifying import damages

    release = options.release or current_id(options.releases)
    directory = options.releases / release
    manifest = Manifest.read(directory)
    found = damages(directory, manifest)
    if found:
        for error in found[1:]:
            sys.stderr.write(f"sdmx-service: {error}\n")
        raise found[0]
    return {"release": manifest.id, "files": len(manifest.files), "damaged": 0}


def _show(options: argparse.Namespace) -> dict[str, Any]:
    from sdmx_service.release import open_release

    release = open_release(options.releases, options.release)
    flows = {
        flow.id: release.flow(flow.id).height if flow.structure.id in release.manifest.rows else 0
        for flow in release.structures.dataflows()
    }
    surveys = [
        f"{survey['title']}, {survey['period']}, {survey['n']:,} people"
        for survey in release.definitions["surveys"].values()
    ]
    return {
        "release": release.id,
        "title": release.title,
        "published": release.published.isoformat(),
        "where": str(release.directory),
        "surveys": surveys,
        "indicators": len(release.definitions["indicators"]),
        "observations by dataflow": flows,
    }


def _serve(options: argparse.Namespace) -> dict[str, Any]:
    from sdmx_service.web.serving import serve

    serve(
        options.releases,
        host=options.host,
        port=options.port,
        workers=options.workers,
        cache=options.cache * 1_000_000,
        prefix=options.prefix,
        access_log=options.access_log,
        ready=lambda address: _say(f"serving {options.releases} at {address} (Ctrl-C stops)"),
    )
    return {}


def _report(options: argparse.Namespace) -> dict[str, Any]:
    from sdmx_service.publication.rendering.render import Engine, render
    from sdmx_service.release import open_release

    release = open_release(options.releases, options.release)
    with _progress(options.json) as progress:
        steps = count(1)

        def counted(step: str) -> None:
            progress(step, next(steps), None)

        made = render(
            options.project,
            release,
            options.output,
            engine=Engine(options.engine),
            areas=options.area,
            progress=counted,
        )
    return {
        "engine": made.engine.value,
        "release": release.id,
        "pages": len(made.pages),
        "look at": str(options.output / "index.html"),
    }


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"got {text!r}, expected a moment with its time zone, such as 2026-12-01T09:30+01:00"
        ) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sdmx-service",
        description="Surveys in, SDMX and reports out: indicators and disparity gaps with "
        "honest intervals, as immutable releases.",
        epilog=_EXIT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sdmx-service {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], dict[str, Any]], help: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=help, epilog=_EXIT)
        added.set_defaults(run=run)
        added.add_argument("--json", action="store_true", help="answer in JSON, without progress")
        return added

    def project(added: argparse.ArgumentParser) -> None:
        added.add_argument(
            "--project", type=Path, default=Path(), help="folder that holds dsd/ and reports/"
        )

    def releases(added: argparse.ArgumentParser, *, choose: bool = True) -> None:
        added.add_argument(
            "--releases", type=Path, default=Path("build/releases"), help="folder of the releases"
        )
        if choose:
            added.add_argument("--release", help="id of a release; the current one by default")

    added = command("check", _check, "Read every definition and survey; say what is wrong.")
    project(added)
    added.add_argument(
        "--definitions-only", action="store_true", help="leave the survey files unread"
    )
    added = command("import", _import, "Take a structure message into dsd/structures.")
    added.add_argument(
        "source", metavar="FILE|URL", help="a structure message of SDMX-ML or SDMX-JSON"
    )
    project(added)
    added.add_argument(
        "--dry-run", action="store_true", help="say what would happen, write nothing"
    )
    added.add_argument(
        "--allow-external",
        action="store_true",
        help="put stubs where references lead to artefacts kept elsewhere",
    )
    added = command(
        "waiting", _waiting, "List the cells that wait for a signature. For the office alone."
    )
    project(added)
    releases(added, choose=False)
    added.add_argument(
        "--format", choices=["table", "csv"], default="table", help="csv has all facts of a cell"
    )
    added = command("build", _build, "Estimate, protect and publish a release.")
    project(added)
    releases(added, choose=False)
    added.add_argument(
        "--embargo",
        type=_moment,
        metavar="MOMENT",
        help="when it becomes public, such as 2026-12-01T09:30+01:00; at once by default",
    )
    releases(command("verify", _verify, "Hold a release to the hashes in its manifest."))
    releases(command("show", _show, "Say what is in a release."))
    added = command("serve", _serve, "Serve a release over SDMX REST.")
    releases(added, choose=False)
    added.add_argument("--host", default="127.0.0.1")
    added.add_argument("--port", type=int, default=8000)
    added.add_argument(
        "--workers", type=int, default=1, help="processes, which share the images of the tables"
    )
    added.add_argument(
        "--cache", type=int, default=0, metavar="MB", help="megabytes of answers each of them keeps"
    )
    added.add_argument(
        "--prefix", default="", metavar="PATH", help="path under which a proxy offers the service"
    )
    added.add_argument(
        "--access-log",
        action="store_true",
        help="a line for each request on standard output, without who sent it",
    )
    added = command("report", _report, "Render the reports of a release as HTML and PDF.")
    project(added)
    releases(added)
    added.add_argument("--output", type=Path, default=Path("build/reports"))
    added.add_argument(
        "--engine",
        choices=["auto", "quarto", "fallback"],
        default="auto",
        help="auto takes Quarto where it is installed; quarto fails where it is not",
    )
    added.add_argument(
        "--area", action="append", help="only this area (may be repeated); all by default"
    )
    return parser


def _lines(result: dict[str, Any]) -> Iterator[str]:
    for name, value in result.items():
        label = name.replace("_", " ")
        if isinstance(value, dict):
            yield f"{label}:"
            yield from (f"  {key}: {number:,}" for key, number in value.items())
        elif value == []:
            yield f"{label}: none"
        elif isinstance(value, list):
            yield f"{label}:"
            yield from (f"  {item}" for item in value)
        else:
            yield f"{label}: {value:,}" if isinstance(value, int) else f"{label}: {value}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        result = options.run(options)
    except SdmxServiceError as error:
        if options.json:
            _say(json.dumps({"error": error.as_dict()}, ensure_ascii=False))
        else:
            sys.stderr.write(f"sdmx-service: {error}\n")
        return error.exit_code
    if options.json:
        _say(json.dumps(result, ensure_ascii=False))
    elif result:
        _say("\n".join(_lines(result)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
