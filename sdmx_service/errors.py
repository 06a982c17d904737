"""Everything that can go wrong, said so that a person knows what to do.

SdmxServiceError                 where, got, expected, hint
├── DefinitionError              mended in dsd/: YAML, publication.toml
│   └── StructureError           mended in dsd/structures/: SDMX artefacts
├── DataError                    mended in the survey file or its declaration
│   └── DesignError              the sample design cannot carry the estimate
├── ReleaseError                 a release is damaged, missing or already there
├── RequestError                 mended by whoever asks the service
│   ├── NotFound                 HTTP 404
│   ├── SemanticError            well said, but of something that is not there: HTTP 422
│   └── NotAcceptable            HTTP 406
└── RenderError                  a report cannot be rendered on this machine
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "DataError",
    "DefinitionError",
    "DesignError",
    "NotAcceptable",
    "NotFound",
    "ReleaseError",
    "RenderError",
    "RequestError",
    "SdmxServiceError",
    "SemanticError",
    "StructureError",
]


class SdmxServiceError(Exception):
    """An error a person can act on.

    ``where`` names the place (file and line, parameter, column), ``got`` what stood there,
    ``expected`` what should stand there, ``hint`` the next thing to try.
    """

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(
        self,
        where: str,
        *,
        got: Any = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(where)
        self.where = where
        self.got = got
        self.expected = expected
        self.hint = hint

    def __str__(self) -> str:
        said = []
        if self.expected is not None:
            said.append(f"expected {self.expected}")
        if self.got is not None:
            said.append(f"got {self.got!r}")
        text = f"{self.where}: {', '.join(said)}" if said else self.where
        return f"{text} ({self.hint})" if self.hint else text

    def as_dict(self) -> dict[str, Any]:
        """Return the error's parts, those that are set, for JSON output."""
        parts = {
            "where": self.where,
            "got": self.got if self.got is None else str(self.got),
            "expected": self.expected,
            "hint": self.hint,
        }
        return {name: part for name, part in parts.items() if part is not None}


class DefinitionError(SdmxServiceError):
    """A definition in ``dsd/`` is wrong."""

    exit_code = 3


class StructureError(DefinitionError):
    """An SDMX structure is wrong or missing."""


class DataError(SdmxServiceError):
    """Survey data do not fit their declaration."""

    exit_code = 4


class DesignError(DataError):
    """A sample design cannot carry the estimate that is asked of it."""


class ReleaseError(SdmxServiceError):
    """A release is damaged, missing or already there."""

    exit_code = 5
    http_status = 503


class RequestError(SdmxServiceError):
    """A request cannot be understood (HTTP 400)."""

    exit_code = 2
    http_status = 400


class NotFound(RequestError):
    """What is asked for does not exist (HTTP 404)."""

    http_status = 404


class SemanticError(RequestError):
    """A request that follows the grammar and fits no structure (HTTP 422; under REST 1.5, 400)."""

    http_status = 422


class NotAcceptable(RequestError):
    """None of the formats asked for can be written (HTTP 406)."""

    http_status = 406


class RenderError(SdmxServiceError):
    """A report cannot be rendered on this machine."""

    exit_code = 6
