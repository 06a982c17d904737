"""What became of the artefacts of an imported message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from sdmx_service.errors import SdmxServiceError, StructureError
from sdmx_service.structures.maintainable import Artefact

__all__ = ["Import", "ImportRefused", "Imported", "Outcome"]


class Outcome(Enum):
    """What happens to an artefact of an imported message."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Imported:
    """One artefact of the message; ``problem`` says why it is refused."""

    artefact: Artefact
    outcome: Outcome
    problem: SdmxServiceError | None = None

    @property
    def written(self) -> bool:
        """Whether it is to be written: it is new or changed."""
        return self.outcome in (Outcome.CREATED, Outcome.UPDATED)

    def refused(self, problem: SdmxServiceError) -> Imported:
        """Return the same artefact, refused."""
        return Imported(self.artefact, Outcome.REFUSED, problem)

    def as_dict(self) -> dict[str, Any]:
        """Return what a person or a program wants to know of it."""
        said: dict[str, Any] = {"urn": self.artefact.urn, "outcome": self.outcome.value}
        return said if self.problem is None else {**said, **self.problem.as_dict()}


@dataclass(frozen=True, slots=True)
class Import:
    """The outcome for each artefact, and the files that were written; none where one is refused.

    ``stubs`` are the URNs of artefacts kept elsewhere that references lead to.
    """

    artefacts: tuple[Imported, ...]
    stubs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def refused(self) -> tuple[Imported, ...]:
        """The artefacts that are refused."""
        return tuple(one for one in self.artefacts if one.outcome is Outcome.REFUSED)


class ImportRefused(StructureError):
    """Artefacts of a message cannot be taken in, so none was; ``done`` says which and why."""

    def __init__(self, where: str, done: Import) -> None:
        super().__init__(
            where,
            got=f"{len(done.refused)} of {len(done.artefacts)} artefacts refused",
            expected="artefacts that can all be taken in",
            hint="nothing was written",
        )
        self.done = done

    def __str__(self) -> str:
        lines = [super().__str__()]
        lines += [f"  refused: {one.artefact.urn}: {one.problem}" for one in self.done.refused]
        lines += [
            f"  would be {one.outcome.value}: {one.artefact.urn}"
            for one in self.done.artefacts
            if one.written
        ]
        lines += [
            f"  unchanged: {one.artefact.urn}"
            for one in self.done.artefacts
            if one.outcome is Outcome.UNCHANGED
        ]
        lines += [f"  would be kept elsewhere: {urn}" for urn in self.done.stubs]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the error's parts, the outcome for each artefact, and the stubs."""
        said = {**super().as_dict(), "artefacts": [one.as_dict() for one in self.done.artefacts]}
        return {**said, "kept elsewhere": list(self.done.stubs)} if self.done.stubs else said
