"""What other people's code may rely on."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from types import ModuleType

import pytest

import sdmx_service

PUBLIC = {
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
}


def test_the_public_api_is_these_names_and_no_others() -> None:
    assert set(sdmx_service.__all__) == PUBLIC
    assert sorted(sdmx_service.__all__) == sdmx_service.__all__
    assert set(dir(sdmx_service)) == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC - {"__version__"}))
def test_a_public_name_is_there_and_says_what_it_is(name: str) -> None:
    value = getattr(sdmx_service, name)
    assert not isinstance(value, ModuleType)
    assert inspect.getdoc(value)


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'secret'"):
        sdmx_service.secret  # noqa: B018  # reading it is the test


def test_importing_the_package_loads_no_room() -> None:
    script = "import json, sys, sdmx_service; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    loaded = [name for name in json.loads(answer.stdout) if name.startswith("sdmx_service.")]
    assert loaded == []
