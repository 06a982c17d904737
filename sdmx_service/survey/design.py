"""The sample design: weights, primary sampling units, strata and finite populations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from sdmx_service.errors import DesignError
from sdmx_service.survey.columns import (
    ColumnNames,
    checked_weights,
    codes_of,
    number_of_rows,
    rows_said,
    sampling_fraction,
    some,
)
from sdmx_service.survey.stages import Stage, StageColumns

if TYPE_CHECKING:
    from sdmx_service.survey.calibration import Calibration
    from sdmx_service.survey.replication import Replicates

__all__ = ["ColumnNames", "Design", "Lonely", "collapsed"]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


class Lonely(Enum):
    """What a stratum with a single PSU adds to the variance (R survey's ``survey.lonely.psu``).

    FAIL refuses the design; REMOVE and CERTAINTY add nothing; ADJUST centres the PSU at the mean of
    all PSUs; AVERAGE adds the mean of the other strata; COLLAPSE merges the stratum with another
    (which R lacks). A stratum whose PSUs were all taken is not lonely.
    """

    FAIL = "fail"
    REMOVE = "remove"
    CERTAINTY = "certainty"
    ADJUST = "adjust"
    AVERAGE = "average"
    COLLAPSE = "collapse"


@dataclass(frozen=True, eq=False)
class Design:
    """A stratified sample of PSUs, with further stages, replicate weights or calibration if any.

    ``weights`` (n,), ``psu`` (n,) the PSU of each row, codes 0..P-1 sorted by stratum,
    ``stratum_of_psu`` (P,) codes 0..H-1 in ascending order, ``sampling_fraction`` (H,) or None for
    a population without end, ``strata`` the H labels. Rows are never left out before the design is
    made: a domain is a mask.

    Where the variance needs finer sums than those of PSUs (a second stage, replicate weights that
    differ between the rows of a PSU), ``psu`` codes these finer units, sorted by PSU, and
    ``cluster`` (P,) is the PSU of each, 0..C-1. ``later`` are the stages after the first.
    ``adjust_domain`` treats a stratum that has one PSU *in a domain* like a lonely one (R's
    ``survey.adjust.domain.lonely``).
    """

    weights: Floats
    psu: Integers
    stratum_of_psu: Integers
    sampling_fraction: Floats | None = None
    lonely: Lonely = Lonely.FAIL
    strata: tuple[Any, ...] = field(default=(), repr=False)
    cluster: Integers | None = field(default=None, repr=False)
    later: tuple[Stage, ...] = field(default=(), repr=False)
    adjust_domain: bool = False
    replicates: Replicates | None = field(default=None, repr=False)
    calibration: Calibration | None = field(default=None, repr=False)

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.weights)

    @property
    def n_psu(self) -> int:
        """The number of units that sums are kept for, P: PSUs, or finer where ``cluster`` is."""
        return len(self.stratum_of_psu)

    @property
    def n_clusters(self) -> int:
        """The number of sampled PSUs, C."""
        return self.n_psu if self.cluster is None else int(self.cluster[-1]) + 1

    @property
    def n_strata(self) -> int:
        """The number of strata, H."""
        return int(self.stratum_of_psu[-1]) + 1

    @property
    def df(self) -> int:
        """The degrees of freedom of the whole sample: PSUs minus strata.

        Of replicate weights, no more than their own.
        """
        freedom = self.n_clusters - self.n_strata
        return freedom if self.replicates is None else min(freedom, self.replicates.df)

    @cached_property
    def tree(self) -> tuple[Stage, ...]:
        """All stages, the first one first."""
        units = np.arange(self.n_psu) if self.cluster is None else self.cluster
        strata = np.empty(self.n_clusters, dtype=np.intp)
        strata[units] = self.stratum_of_psu
        fraction = self.sampling_fraction
        first = Stage(
            cluster=units,
            stratum=strata,
            fraction=np.zeros(self.n_strata) if fraction is None else fraction,
            parent=np.zeros(self.n_strata, dtype=np.intp),
            passed=np.ones(self.n_strata),
        )
        return (first, *self.later)

    @property
    def plain(self) -> bool:
        """Whether the variance is that of one stage and no stratum is lonely."""
        return not (self.later or self.adjust_domain or self.replicates or self.tree[0].alone.any())

    @cached_property
    def psu_per_stratum(self) -> Integers:
        """The number of sampled PSUs of each stratum, (H,)."""
        return self.tree[0].count

    @cached_property
    def first_psu(self) -> Integers:
        """The first unit of each stratum, (H,)."""
        changes = np.flatnonzero(np.diff(self.stratum_of_psu)) + 1
        return np.concatenate([[0], changes]).astype(np.intp)

    def by_stratum(self, psu_values: Any) -> Any:
        """Return the sums over the units of each stratum: (P, K) to (H, K), sparse if they are."""
        if sparse.issparse(psu_values):
            gather = sparse.csr_array(
                (
                    np.ones(self.n_psu, dtype=psu_values.dtype),
                    (self.stratum_of_psu, np.arange(self.n_psu)),
                ),
                shape=(self.n_strata, self.n_psu),
            )
            return gather @ psu_values
        return np.add.reduceat(psu_values, self.first_psu, axis=0)

    def by_cluster(self, unit_values: Any) -> Any:
        """Return the sums over the units of each PSU: (P, K) to (C, K), sparse if they are."""
        if self.cluster is None:
            return unit_values
        gather = sparse.csr_array(
            (
                np.ones(self.n_psu, dtype=unit_values.dtype),
                (self.cluster, np.arange(self.n_psu)),
            ),
            shape=(self.n_clusters, self.n_psu),
        )
        return gather @ unit_values

    def by_row(self) -> Design:
        """Return the same design with sums kept for each row, as weights by row need them."""
        order = np.argsort(self.psu, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        unit = self.psu[order]
        cluster = unit if self.cluster is None else self.cluster[unit]
        return replace(
            self,
            psu=rank,
            stratum_of_psu=self.stratum_of_psu[unit],
            cluster=cluster,
            later=tuple(replace(stage, cluster=stage.cluster[unit]) for stage in self.later),
        )

    @classmethod
    def from_columns(
        cls,
        weights: ArrayLike | None,
        *,
        psu: ArrayLike | None = None,
        stratum: ArrayLike | None = None,
        fpc: ArrayLike | None = None,
        nested: bool = False,
        lonely: Lonely = Lonely.FAIL,
        names: ColumnNames | None = None,
        stages: Sequence[StageColumns] = (),
        adjust_domain: bool = False,
        collapse: Mapping[Any, Any] | None = None,
        certainty: Collection[Any] = (),
    ) -> Design:
        """Return the design that these columns, each (n,), describe.

        Without ``psu`` every row is its own PSU; without ``stratum`` there is one. ``fpc`` is
        constant within a stratum: the number of PSUs in the population, or the fraction sampled.
        ``nested`` says that PSU labels are unique only within their stratum. ``stages`` are those
        after the first; they add to the variance where the stage above has an ``fpc``. Without
        ``weights`` they are what the fractions of all stages imply. ``collapse`` says for
        ``Lonely.COLLAPSE`` which stratum a lonely one joins (label to label); by default the next
        one, in the order of labels, that is not lonely. ``certainty`` are the labels of strata
        whose PSUs were all taken.

        Raises DesignError for a missing, negative or infinite weight, a missing PSU or stratum,
        a PSU in two strata, a sample larger than its population, one PSU in all, and, under
        ``Lonely.FAIL``, strata with a single PSU.
        """
        names = names or ColumnNames()
        rows = number_of_rows(weights, psu, stratum, fpc, names)
        weight = np.ones(rows) if weights is None else checked_weights(weights, names)
        stratum_code, labels = codes_of(stratum, rows, names.survey, names.stratum)
        if psu is None:
            unit_code, unit_labels = np.arange(rows), None
        else:
            unit_code, unit_labels = codes_of(psu, rows, names.survey, names.psu)
        if nested and psu is not None:
            unit_code = pd.factorize(stratum_code.astype(np.int64) * rows + unit_code)[0]
        stratum_of_unit = _one_stratum_each(unit_code, stratum_code, unit_labels, labels, names)

        order = np.argsort(stratum_of_unit, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        design = cls(
            weights=weight,
            psu=rank[unit_code],
            stratum_of_psu=stratum_of_unit[order],
            lonely=lonely,
            strata=tuple(labels),
            adjust_domain=adjust_domain,
        )
        if design.n_psu < 2:
            raise DesignError(
                f"{names.survey}: column {names.psu}",
                got=f"{design.n_psu} PSU",
                expected="at least two PSUs",
                hint="no sampling variance can be estimated from one PSU",
            )
        if fpc is not None:
            fraction = sampling_fraction(
                fpc, stratum_code, design.psu_per_stratum, list(labels), names
            )
            design = replace(design, sampling_fraction=fraction)
        if certainty:
            design = _with_certainty(design, certainty, names)
        if stages:
            design = _with_stages(design, stages, names)
        if weights is None:
            design = replace(design, weights=_implied_weights(design, names))
        if lonely is Lonely.COLLAPSE:
            design = collapsed(design, collapse, names)
        elif collapse is not None:
            raise DesignError(
                f"{names.survey}: collapse",
                got=f"lonely: {lonely.value}",
                expected="lonely: collapse",
                hint="partners are declared for strata to be merged",
            )
        design._refuse_lonely(names)
        return design

    def _refuse_lonely(self, names: ColumnNames) -> None:
        if self.lonely is not Lonely.FAIL:
            return
        alone = np.flatnonzero(self.tree[0].alone)
        if len(alone):
            which = some([self.strata[i] for i in alone], most=20)
            raise DesignError(
                f"{names.survey}: column {names.stratum}",
                got=f"{len(alone)} strata with a single PSU: {which}",
                expected="at least two PSUs in every stratum",
                hint="merge strata (lonely: collapse), or declare lonely: "
                "remove, certainty, adjust or average",
            )
        for number, stage in enumerate(self.later, start=2):
            counted = stage.alone & (stage.passed > 0)
            if counted.any():
                raise DesignError(
                    f"{names.survey}: stage {number}",
                    got=f"{int(counted.sum())} units of the stage above with a single sampled unit",
                    expected="at least two units of every stage in each unit above it",
                    hint="leave out this stage (the variance between PSUs covers it where few PSUs "
                    "are sampled), or declare lonely: remove, certainty, adjust or average",
                )


def _one_stratum_each(
    unit: Integers,
    stratum: Integers,
    unit_labels: Sequence[Any] | None,
    labels: Sequence[Any],
    names: ColumnNames,
) -> Integers:
    """Return the stratum of each PSU, refusing a PSU that lies in two."""
    stratum_of_unit = np.empty(int(unit.max()) + 1, dtype=np.intp)
    stratum_of_unit[unit] = stratum
    elsewhere = stratum_of_unit[unit] != stratum
    if elsewhere.any():
        row = int(np.flatnonzero(elsewhere)[0])
        label = unit_labels[unit[row]] if unit_labels is not None else row + 1
        strata = sorted({str(labels[s]) for s in stratum[unit == unit[row]]})
        raise DesignError(
            f"{names.survey}: column {names.psu}",
            got=f"PSU {label} in strata {some(strata)}; {rows_said(elsewhere)}",
            expected="every PSU in one stratum",
            hint="declare nested: true if PSU labels are unique only within their stratum",
        )
    return stratum_of_unit


def _with_certainty(design: Design, certain: Collection[Any], names: ColumnNames) -> Design:
    """Return the design with the strata of these labels taken whole."""
    label = list(design.strata)
    for one in certain:
        if one not in label:
            raise DesignError(
                f"{names.survey}: certainty", got=one, expected=f"a stratum: {some(label, most=20)}"
            )
    declared = design.sampling_fraction
    fraction = np.zeros(design.n_strata) if declared is None else declared.copy()
    fraction[[label.index(one) for one in certain]] = 1.0
    return replace(design, sampling_fraction=fraction)


def _with_stages(design: Design, stages: Sequence[StageColumns], names: ColumnNames) -> Design:
    """Return the design with its later stages, sums kept for the units of the last one."""
    if design.sampling_fraction is None:
        # of a population of PSUs without end no stage but the first adds to the variance
        return design
    above = design.psu
    passed_row = design.sampling_fraction[design.stratum_of_psu][design.psu]
    made: list[tuple[Integers, Integers, Floats, Integers, Floats]] = []
    for number, columns in enumerate(stages, start=2):
        stage_names = names._replace(
            psu=f"unit of stage {number}",
            stratum=f"stratum of stage {number}",
            fpc=f"{names.fpc} of stage {number}",
        )
        unit = codes_of(columns.unit, design.n_rows, names.survey, stage_names.psu)[0]
        inner = codes_of(columns.stratum, design.n_rows, names.survey, stage_names.stratum)[0]
        # a stratum lies in one unit of the stage above; a unit in one stratum
        stratum, keys = pd.factorize(
            above.astype(np.int64) * (int(inner.max()) + 1) + inner, sort=True
        )
        cluster, cluster_keys = pd.factorize(
            stratum.astype(np.int64) * (int(unit.max()) + 1) + unit, sort=True
        )
        stratum_of_cluster = np.empty(len(cluster_keys), dtype=np.intp)
        stratum_of_cluster[cluster] = stratum
        sampled = np.bincount(stratum_of_cluster)
        parent = np.empty(len(keys), dtype=np.intp)
        parent[stratum] = above
        passed = np.empty(len(keys))
        passed[stratum] = passed_row
        fraction = np.zeros(len(keys))
        if columns.fpc is not None:
            labels = [f"within unit {at + 1} of stage {number - 1}" for at in parent]
            fraction = sampling_fraction(columns.fpc, stratum, sampled, labels, stage_names)
        made.append((cluster, stratum_of_cluster, fraction, parent, passed))
        passed_row = passed_row * fraction[stratum]
        above = cluster.astype(np.intp)
    # codes of the last stage are sorted by all stages above, so by stratum and PSU
    last = above
    units = int(last.max()) + 1

    def of_unit(code: Integers) -> Integers:
        found = np.empty(units, dtype=np.intp)
        found[last] = code
        return found

    return replace(
        design,
        psu=last,
        stratum_of_psu=design.stratum_of_psu[of_unit(design.psu)],
        cluster=of_unit(design.psu),
        later=tuple(
            Stage(of_unit(cluster), stratum, fraction, parent, passed)
            for cluster, stratum, fraction, parent, passed in made
        ),
    )


def _implied_weights(design: Design, names: ColumnNames) -> Floats:
    """Return one over the product of the fractions sampled at all stages, (n,)."""
    chance = np.ones(design.n_psu)
    for stage in design.tree:
        chance = chance * stage.fraction[stage.stratum][stage.cluster]
    if (chance == 0).any():
        raise DesignError(
            f"{names.survey}: column {names.weights}",
            got="no weights, and a stage without a population count",
            expected="weights, or the population count of every stage",
        )
    weights: Floats = 1.0 / chance[design.psu]
    return weights


def collapsed(design: Design, partners: Mapping[Any, Any] | None, names: ColumnNames) -> Design:
    """Return the design with each lonely stratum merged with its partner (Lonely.COLLAPSE).

    By default the partner is the next stratum, in the order of labels, with several PSUs, and the
    first one after the last; where every stratum is lonely, neighbours make pairs and the last of
    an odd number joins the pair before. The variance then holds the difference between the strata:
    it is too large rather than too small (Wolter 2007, 2.5).
    """
    stage = design.tree[0]
    alone, label = stage.alone, list(design.strata)
    target = np.arange(design.n_strata)
    if partners is not None:
        position = {name: at for at, name in enumerate(label)}
        for name, partner in partners.items():
            for one in (name, partner):
                if one not in position:
                    raise DesignError(
                        f"{names.survey}: collapse",
                        got=one,
                        expected=f"a stratum: {some(label, most=20)}",
                    )
            first, second = target[position[name]], target[position[partner]]
            target[target == max(first, second)] = min(first, second)
    elif alone.all():
        target = np.minimum(target // 2, max(len(target) // 2 - 1, 0))
    else:
        whole = np.flatnonzero(~alone & (stage.fraction < 1.0 - 1e-7))
        if alone.any() and not len(whole):
            raise DesignError(
                f"{names.survey}: column {names.stratum}",
                got="no stratum with several PSUs that were not all taken",
                expected="a stratum that a lonely one can join",
                hint="declare which strata to merge",
            )
        for at in np.flatnonzero(alone):
            after = whole[whole > at]
            target[at] = after[0] if len(after) else whole[0]
    new = np.unique(target, return_inverse=True)[1]
    merged = replace(
        design,
        stratum_of_psu=new[design.stratum_of_psu],
        strata=tuple(
            "+".join(str(label[i]) for i in np.flatnonzero(new == at))
            if (new == at).sum() > 1
            else label[int(np.flatnonzero(new == at)[0])]
            for at in range(int(new.max()) + 1)
        ),
        lonely=Lonely.FAIL,
    )
    if design.sampling_fraction is not None:
        population = np.bincount(new, weights=stage.count / design.sampling_fraction)
        sampled = np.bincount(new, weights=stage.count)
        fraction = sampled / population
        # a unit's variance within counts the rest of what it adds between: the same fraction
        change = (fraction[new] / design.sampling_fraction)[design.stratum_of_psu]
        merged = replace(
            merged,
            sampling_fraction=fraction,
            later=tuple(stage.with_passed(change) for stage in design.later),
        )
    return _in_order(merged)


def _in_order(design: Design) -> Design:
    """Return the design with its units sorted by stratum again."""
    order = np.lexsort(
        (
            np.arange(design.n_psu) if design.cluster is None else design.cluster,
            design.stratum_of_psu,
        )
    )
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    cluster = None
    if design.cluster is not None:
        cluster = np.asarray(pd.factorize(design.cluster[order])[0], dtype=np.intp)
    return replace(
        design,
        psu=rank[design.psu],
        stratum_of_psu=design.stratum_of_psu[order],
        cluster=cluster,
        later=tuple(replace(stage, cluster=stage.cluster[order]) for stage in design.later),
    )
