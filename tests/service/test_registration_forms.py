"""In which form registrations are answered (decision 0030)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.service

REGISTRY = "application/vnd.sdmx.registry+xml;version=3.1.0"
METADATA = "application/vnd.sdmx.metadata+json;version=2.1.0"


@pytest.fixture(scope="module")
def web(
    published: Path, running: Callable[[Path], AbstractContextManager[str]]
) -> Iterator[httpx.Client]:
    with running(published) as url, httpx.Client(base_url=url, verify=False, timeout=60) as client:
        yield client


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", METADATA),
        ("*/*;q=0.8", METADATA),
        ("*/*, image/png;q=0.1", METADATA),
        ("", REGISTRY),
        ("application/*", REGISTRY),
        ("application/vnd.sdmx.registry+xml", REGISTRY),
        ("application/vnd.sdmx.metadata+json, */*;q=0.1", METADATA),
    ],
)
def test_whoever_takes_anything_is_answered_as_the_openapi_file_has_it(
    web: httpx.Client, accept: str, content_type: str
) -> None:
    """A weight changes nothing where there is nothing to weigh it against (RFC 9110, 12.4.2)."""
    answer = web.get("/sdmx/v2/registration/dataflow", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type


def test_every_part_of_the_path_may_be_left_out(web: httpx.Client) -> None:
    """doc/registration.md: context, agency, id and version have the default ``*``."""
    accept = {"Accept": REGISTRY}
    whole = web.get("/sdmx/v2/registration/*/*/*/*", headers=accept)
    assert whole.status_code == 200
    for path in ("", "/", "/*", "/*/*", "/*/*/*", "/dataflow", "/provider", "/provider/*/*"):
        assert web.get(f"/sdmx/v2/registration{path}", headers=accept).text == whole.text
