"""Where the tests find what lies outside their own folders."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings

if TYPE_CHECKING:
    from sdmx_service import Project

REPOSITORY = Path(__file__).resolve().parent.parent

# A mutant need only be found, the same way each time: nothing is made smaller or kept.
settings.register_profile(
    "mutants",
    max_examples=30,
    phases=(Phase.explicit, Phase.generate),
    derandomize=True,
    database=None,
    deadline=None,
)


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the folder of the project."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of design pages and oracles, which is no part of the project.

    The environment variable ``SHARED`` names it, by default ``../shared`` seen from the project.
    Tests that read it skip where it is absent, and fail where ``REQUIRE_SHARED`` is 1.
    """
    folder = (REPOSITORY / (os.environ.get("SHARED") or "../shared")).resolve()
    if folder.is_dir():
        return folder
    absent = f"{folder} is no folder: the environment variable SHARED names the one to read"
    if os.environ.get("REQUIRE_SHARED") == "1":
        pytest.fail(absent, pytrace=False)
    pytest.skip(absent)


_LONG = (
    "conformance",
    "test_archive",
    "test_declared_",
    "test_definitions",
    "test_comparison_definitions",
    "test_formats_",
    "test_grouped",
    "test_image",
    "test_import",
    "test_multiplicity",
    "test_published_",
    "test_release",
    "test_structures_",
    "test_svy_",
)


# The longest files, longest first: a long one that came last would leave the other process idle.
_FIRST = (
    *("test_attack", "test_waiting", "test_rounding", "test_disclosure_audit"),
    *("test_published_release", "test_published_pages", "test_clients", "test_pages"),
    *("test_confidential_numbers", "test_published_comparisons"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what needs a whole release, or goes through messages and designs by the hundred.

    `make check` leaves these to `make test`, which leaves out nothing.
    """
    place = {stem: number for number, stem in enumerate(_FIRST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))
    for item in items:
        whole = "published" in getattr(item, "fixturenames", ())
        if whole or item.path.parent.name in _LONG or item.path.stem.startswith(_LONG):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage in what the tests are made of: all of it stays until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def project() -> Project:
    """Return the definitions of this project, which nothing can change."""
    from sdmx_service import load_project

    return load_project(REPOSITORY)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the release of this project, built once for all test processes."""
    base = tmp_path_factory.getbasetemp()
    # pytest-xdist gives each of its processes a folder of its own inside a common one.
    common = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    root = common / "published"
    try:
        (common / "published.lock").mkdir()
    except FileExistsError:
        deadline = time.monotonic() + 240
        while not (root / "CURRENT").exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        return root
    # Only who builds needs the engine: not the process that hands out the tests.
    from sdmx_service import build_release

    build_release(REPOSITORY, root)
    return root
