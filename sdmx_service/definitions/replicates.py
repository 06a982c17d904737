"""Replicate weights as an office declares them: read from its file, or created."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sdmx_service.definitions.yaml_file import YamlFile
from sdmx_service.errors import DefinitionError

__all__ = ["DeclaredReplicates", "ReplicateMethod", "replicates_of"]

Field = tuple[str | int, ...]


class ReplicateMethod(Enum):
    """How replicate weights were made, or are to be made."""

    BRR = "brr"
    FAY = "fay"
    JK1 = "jk1"
    JK2 = "jk2"
    JKN = "jkn"
    BOOTSTRAP = "bootstrap"
    SDR = "sdr"
    ACS = "acs"
    OTHER = "other"


@dataclass(frozen=True)
class DeclaredReplicates:
    """Replicate weights: columns of the file, or to be created from the design.

    ``columns`` are their names, or one name with ``*`` for a number; ``count`` how many there are.
    ``factors``: the columns multiply the weight, they do not hold it. ``seed`` is set for a
    bootstrap to be created, of ``count`` replicates. ``linearise``: what is not a ratio of sums is
    linearised, not estimated anew with every replicate.
    """

    place: str
    method: ReplicateMethod
    created: bool
    columns: tuple[str, ...] = ()
    count: int | None = None
    factors: bool = False
    scale: float | None = None
    rscales: tuple[float, ...] | None = None
    rho: float | None = None
    mse: bool = True
    df: int | None = None
    fewer_by_one: bool = False
    seed: int | None = None
    split: bool = False
    least: int = 80
    linearise: bool | None = None

    @property
    def linearises(self) -> bool:
        """Whether a statistic that is no ratio of sums is linearised.

        By default with a jackknife alone, which is not consistent for what rests on a quantile.
        """
        jackknives = (ReplicateMethod.JK1, ReplicateMethod.JK2, ReplicateMethod.JKN)
        return self.method in jackknives if self.linearise is None else self.linearise


# What a field of `replicates` goes with; the others go with every method.
_ONLY = {
    "rho": ("fay",),
    "divisor": ("bootstrap",),
    "replicates": ("bootstrap",),
    "seed": ("bootstrap",),
    "split": ("brr", "fay"),
    "least": ("sdr",),
}
_NEEDED = {"fay": ("rho",)}
_NEEDED_READ = _NEEDED | {"jkn": ("rscales",), "other": ("scale",)}
_NEEDED_CREATED = _NEEDED | {"bootstrap": ("replicates", "seed")}
_OF_COLUMNS = ("method", "count", "factors", "scale", "rscales", "rho", "df")


def _fields_of_method(
    file: YamlFile, where: Field, content: Mapping[str, Any], needed: Mapping[str, Collection[str]]
) -> None:
    method = content["method"]
    for name in content:
        if method not in _ONLY.get(name, (method,)):
            raise DefinitionError(
                file.place((*where, name)),
                got=f"{name} with method {method}",
                expected=f"{name} with {' or '.join(_ONLY[name])} alone",
            )
    for name in needed.get(method, ()):
        if name not in content:
            raise DefinitionError(
                file.place((*where, "method")),
                got=method,
                expected=f"the field {name} beside it",
                hint=_WHY.get(name),
            )


_WHY = {
    "rho": "Fay's coefficient, the share of weight that the half left out keeps",
    "rscales": "(n_h - 1) / n_h of the stratum of the PSU left out, one number a replicate",
    "scale": "what the sum of squares is multiplied by",
    "seed": "the same seed makes the same replicates, in every release",
}


def replicates_of(file: YamlFile, content: Mapping[str, Any]) -> DeclaredReplicates:
    """Return the replicates that ``design.replicates`` declares; DefinitionError if it cannot."""
    where: Field = ("design", "replicates")
    chosen = [name for name in ("columns", "create") if name in content]
    if len(chosen) != 1:
        raise DefinitionError(
            file.place(where), got=" and ".join(chosen) or "none", expected="columns or create"
        )
    nonlinear = content.get("nonlinear")
    linearise = None if nonlinear is None else nonlinear == "linearise"
    if chosen == ["create"]:
        return _created(file, where, content, linearise)
    if "method" not in content:
        raise DefinitionError(file.place(where), expected="the field method")
    _fields_of_method(file, where, content, _NEEDED_READ)
    columns, count = _columns(file, where, content)
    rscales = content.get("rscales")
    if rscales is not None and len(rscales) != count:
        raise DefinitionError(
            file.place((*where, "rscales")),
            got=f"{len(rscales)} numbers",
            expected=f"{count}, one a replicate",
        )
    return DeclaredReplicates(
        place=file.place(where),
        method=ReplicateMethod(content["method"]),
        created=False,
        columns=columns,
        count=count,
        factors=content.get("factors", False),
        scale=content.get("scale"),
        rscales=None if rscales is None else tuple(rscales),
        rho=content.get("rho"),
        mse=content.get("mse", True),
        df=content.get("df"),
        fewer_by_one=content.get("divisor") == "R-1",
        linearise=linearise,
    )


def _columns(
    file: YamlFile, where: Field, content: Mapping[str, Any]
) -> tuple[tuple[str, ...], int]:
    declared, count = content["columns"], content.get("count")
    place = file.place((*where, "columns"))
    if isinstance(declared, str):
        if declared.count("*") != 1:
            raise DefinitionError(
                place, got=declared, expected="a name with one * in the place of a number"
            )
        if count is None:
            raise DefinitionError(
                place,
                got=declared,
                expected="the field count beside it",
                hint="how many replicates there are: a column that was lost is noticed",
            )
        return (declared,), count
    if count is not None and count != len(declared):
        raise DefinitionError(
            file.place((*where, "count")),
            got=count,
            expected=f"{len(declared)}, the number of columns",
        )
    return tuple(declared), len(declared)


def _created(
    file: YamlFile, where: Field, content: Mapping[str, Any], linearise: bool | None
) -> DeclaredReplicates:
    for name in _OF_COLUMNS:
        if name in content:
            raise DefinitionError(
                file.place((*where, name)),
                got=f"{name} beside create",
                expected=f"{name} with columns of the file alone",
                hint="what is created knows its scale; its method and rho stand under create",
            )
    if "divisor" in content and content["create"]["method"] != "bootstrap":
        raise DefinitionError(
            file.place((*where, "divisor")), got="divisor", expected="divisor with bootstrap alone"
        )
    create = content["create"]
    _fields_of_method(file, (*where, "create"), create, _NEEDED_CREATED)
    return DeclaredReplicates(
        place=file.place((*where, "create")),
        method=ReplicateMethod(create["method"]),
        created=True,
        count=create.get("replicates"),
        rho=create.get("rho"),
        mse=content.get("mse", True),
        fewer_by_one=content.get("divisor") == "R-1",
        seed=create.get("seed"),
        split=create.get("split", False),
        least=create.get("least", 80),
        linearise=linearise,
    )
