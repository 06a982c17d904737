"""A rendered set of reports on invented figures, made once."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from sdmx_service.publication.rendering.render import Engine, RenderReport, render


def _invented() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "invented_release", Path(__file__).with_name("invented_release.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def invented() -> ModuleType:
    """The module of invented figures."""
    return _invented()


@pytest.fixture(scope="session")
def release(invented, tmp_path_factory):
    """A release of invented figures on one country of three areas."""
    return invented.InventedRelease(tmp_path_factory.mktemp("releases"))


@pytest.fixture(scope="session")
def rendered(release, repository, tmp_path_factory) -> tuple[Path, RenderReport]:
    """The folder and the report of all pages, by the fallback renderer."""
    out = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sdmx_service.open_release", lambda path, id=None: release, raising=False)
        return out, render(repository, release, out, engine=Engine.FALLBACK)
