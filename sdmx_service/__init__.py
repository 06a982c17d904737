"""Statistical reporting and indicator publication on SDMX.

The names below are the public API; everything else may change without notice.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdmx_service.build import build_release
    from sdmx_service.definitions.project import Project, load_project
    from sdmx_service.errors import (
        DataError,
        DefinitionError,
        ReleaseError,
        RequestError,
        SdmxServiceError,
    )
    from sdmx_service.release import Release, open_release

__version__ = "0.1.0"

__all__ = [
    "DataError",
    "DefinitionError",
    "Project",
    "Release",
    "ReleaseError",
    "RequestError",
    "SdmxServiceError",
    "__version__",
    "build_release",
    "load_project",
    "open_release",
]

_HOMES = {
    "DataError": "sdmx_service.errors",
    "DefinitionError": "sdmx_service.errors",
    "Project": "sdmx_service.definitions.project",
    "Release": "sdmx_service.release",
    "ReleaseError": "sdmx_service.errors",
    "RequestError": "sdmx_service.errors",
    "SdmxServiceError": "sdmx_service.errors",
    "build_release": "sdmx_service.build",
    "load_project": "sdmx_service.definitions.project",
    "open_release": "sdmx_service.release",
}


def __getattr__(name: str) -> Any:
    # Late, so that `sdmx-service --help` does not wait for pandas.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
