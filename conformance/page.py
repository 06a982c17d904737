"""Makes docs/conformance-service.md: how the service fares with the standard's own checkers.

``python conformance/page.py --openapi DIR [--kit DIR] [--node-modules DIR] --releases DIR``
starts the service on a release, runs schemathesis on the official OpenAPI files in DIR, validates
every format, asks with every client, runs the Test Compliance Kit where it is there, and writes
the page. The last line printed sums up; ends with 1 where something that must pass did not.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import clients
import formats
import openapi

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "conformance-service.md"
KIT_PAGE = PAGE.with_name("conformance-tck.md")


@contextmanager
def serving(releases: Path) -> Iterator[str]:
    """Serve a folder of releases for as long as the block lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = (
        "import sys; from sdmx_service.web import serve; serve(sys.argv[1], port=int(sys.argv[2]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(releases), str(port)], stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _say(stage: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {stage}\n")


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit("the service ended by itself: is there a release?")
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise SystemExit("the service did not start")


def _kit(folder: Path, url: str) -> str:
    """Run the kit as it is and with its faults mended, write its page; its line that sums up."""
    command = ["node", str(HERE / "tck.mjs"), str(folder), f"{url}/rest", "--page", str(KIT_PAGE)]
    done = subprocess.run(
        command, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return done.stdout.splitlines()[-1]


def _table(head: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return [*lines, ""]


def _cell(cell: object) -> str:
    return str(cell).replace("|", "\\|").replace("\n", " ").strip()


def _openapi_part(outcomes: list[openapi.Outcome], program: str) -> list[str]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return [
        "## OpenAPI",
        f"{said.stdout.strip()} on the official files of SDMX REST, checks "
        f"{', '.join(openapi.CHECKS)}. What is patched in a copy of the files, and why, is in "
        "`conformance/openapi.py`.",
        "",
        *_table(
            ("REST", "operations", "cases", "failures", "errors", "seconds"),
            ((o.version, o.operations, o.cases, o.failures, o.errors, o.seconds) for o in outcomes),
        ),
    ]


def _formats_part(checked: list[formats.Checked]) -> list[str]:
    return [
        "## Every format against its schema",
        "SDMX-ML against the XSDs of the standard (structure-specific data together with the XSD "
        "that `/schema` gives for the flow), SDMX-JSON against the JSON Schemas with a format "
        "checker. Refused (406) is what a form has no place for.",
        "",
        *_table(
            ("what", "media type", "valid", "refused", "invalid"),
            (
                (c.kind, f"`{c.media_type}`", c.messages - c.invalid, c.refused, c.fault or 0)
                for c in checked
                if c.messages or c.refused
            ),
        ),
    ]


def _clients_part(made: list[clients.Call]) -> list[str]:
    return [
        "## Clients",
        "Each call against the running service; what to ask for is looked up in it.",
        "",
        *_table(
            ("client", "call", "outcome", "read"),
            ((c.client, f"`{c.call}`", c.outcome, c.said[:120]) for c in made),
        ),
    ]


def _kit_part() -> list[str]:
    said = next(
        line for line in KIT_PAGE.read_text(encoding="utf-8").splitlines() if " tests, " in line
    )
    return [
        "## Test Compliance Kit",
        f"The standard's own kit, last run as its [page]({KIT_PAGE.name}) says: {said}",
        "",
    ]


def main() -> int:
    """Run every checker and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--openapi", type=Path, required=True, help="the official OpenAPI files")
    parser.add_argument("--releases", type=Path, required=True, help="folder of releases")
    parser.add_argument("--kit", type=Path, help="checkout of sdmx-tck, modules installed")
    parser.add_argument("--node-modules", type=Path, help="folder that has sdmx-json-parser")
    parser.add_argument("--schemathesis", default="schemathesis")
    parser.add_argument("--max-examples", type=int, default=50)
    options = parser.parse_args()
    if shutil.which(options.schemathesis) is None:
        raise SystemExit(f"{options.schemathesis}: no such program; make schemathesis installs it")
    with serving(options.releases) as url:
        outcomes = [
            openapi.run(
                options.openapi / f"sdmx-rest-{version}.yaml",
                version,
                url,
                options.schemathesis,
                options.max_examples,
                1,
            )
            for version in openapi.FILES
        ]
        _say("every format")
        checked = []
        for one in formats.check(url):
            _say(f"{one.kind} {one.media_type}: {one.invalid} invalid of {one.messages}")
            checked.append(one)
        _say("every client")
        made = list(clients.calls(url, options.node_modules))
        _say("the Test Compliance Kit" if options.kit else "no Test Compliance Kit")
        kit = _kit(options.kit, url) if options.kit else ""
        with urllib.request.urlopen(f"{url}/healthz") as answer:
            release = json.load(answer)["release"]
    told = Counter(call.outcome for call in made)
    invalid = sum(one.invalid for one in checked)
    lines = [
        "# The service against the standard's checkers",
        "",
        f"Made by `make conformance OPENAPI=DIR` on {datetime.now(UTC):%Y-%m-%d} from release "
        f"`{release}`. Do not edit: run it again.",
        "",
        *_openapi_part(outcomes, options.schemathesis),
        *_formats_part(checked),
        *_clients_part(made),
        *_kit_part(),
    ]
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    summary = [
        f"OpenAPI {sum(o.cases for o in outcomes)} cases, "
        f"{sum(o.failures + o.errors for o in outcomes)} failures",
        f"formats {sum(c.messages for c in checked)} messages, {invalid} invalid",
        f"clients {told['passed']} calls passed, {told['failed']} failed, {told['absent']} absent",
    ]
    if kit:
        summary.append(f"kit {kit}")
    sys.stdout.write("; ".join(summary) + "\n")
    good = all(o.passed for o in outcomes) and not invalid and not told["failed"]
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
