"""A release is whole or not there, never changes, and says when it was damaged."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.cube import columns, typed
from sdmx_service.errors import DataError, NotFound, ReleaseError, RequestError
from sdmx_service.release import current_id, open_release, publishing
from sdmx_service.release.publishing import publish
from sdmx_service.structures.artefacts import DataStructure, Role
from sdmx_service.structures.store import StructureStore

Publish = Callable[..., str]


@lru_cache
def _structure(repository: Path) -> DataStructure:
    return StructureStore.read(repository / "dsd/structures").datastructure("DSD_INCL_IND")


def _observations(repository: Path, value: float) -> pl.DataFrame:
    structure = _structure(repository)
    row: dict[str, object] = dict.fromkeys(columns(structure))
    row |= {dimension.id: "_T" for dimension in structure.dimensions}
    row |= {"FREQ": "A", "REF_AREA": "AT", "INDICATOR": "POV_ARPT60", "TIME_PERIOD": "2006"}
    row |= {"OBS_VALUE": value, "OBS_STATUS": "A"}
    women = {**row, "SEX": "F", "OBS_VALUE": value + 1}
    return pl.DataFrame([women, row], infer_schema_length=None)


@pytest.fixture
def publishing_to(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Publish one table of two observations under a folder."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795305600")

    def run(root: Path, value: float = 14.44422, frame: pl.DataFrame | None = None) -> str:
        table = _observations(repository, value) if frame is None else frame
        return publish(
            root,
            title="Test",
            tables={"DSD_INCL_IND": table},
            structures=repository / "dsd/structures",
            definitions={"indicators": {}},
            annexes={"note": {"said": "so"}},
            inputs={},
            generator="test",
        )

    return run


def test_what_was_published_is_read_back(tmp_path: Path, publishing_to: Publish) -> None:
    release = open_release(tmp_path, publishing_to(tmp_path))
    frame = release.observations("DF_POV", SEX="_T")
    assert frame["OBS_VALUE"].tolist() == [14.44422]
    assert release.annex("note") == {"said": "so"}
    assert release.id == current_id(tmp_path)


def test_the_same_content_on_the_same_day_is_the_same_release(
    tmp_path: Path, publishing_to: Publish
) -> None:
    first = publishing_to(tmp_path)
    stamp = (tmp_path / first / "manifest.json").stat().st_mtime_ns
    assert publishing_to(tmp_path) == first
    assert (tmp_path / first / "manifest.json").stat().st_mtime_ns == stamp


def test_other_content_is_another_release_beside_the_first(
    tmp_path: Path, publishing_to: Publish
) -> None:
    first, second = publishing_to(tmp_path), publishing_to(tmp_path, 15.0)
    assert first != second
    assert current_id(tmp_path) == second
    assert open_release(tmp_path, first).observations("DF_POV")["OBS_VALUE"].min() == 14.44422


def test_every_changed_byte_is_found(tmp_path: Path, publishing_to: Publish) -> None:
    directory = tmp_path / publishing_to(tmp_path)
    for path in sorted(p for p in directory.rglob("*") if p.is_file()):
        whole = path.read_bytes()
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        with pytest.raises(ReleaseError) as caught:
            open_release(tmp_path)
        assert str(path) in str(caught.value)
        path.write_bytes(whole)
    assert open_release(tmp_path)


@pytest.mark.parametrize(
    "harm", ["missing", "cut short", "added", "manifest rewritten", "title forged"]
)
def test_a_damaged_release_is_not_opened(tmp_path: Path, publishing_to: Publish, harm: str) -> None:
    directory = tmp_path / publishing_to(tmp_path)
    data = directory / "data" / "DSD_INCL_IND.parquet"
    if harm == "missing":
        data.unlink()
    elif harm == "cut short":
        data.write_bytes(data.read_bytes()[:-10])
    elif harm == "added":
        (directory / "data" / "more.parquet").write_bytes(b"")
    elif harm == "title forged":
        manifest = (directory / "manifest.json").read_text("utf-8")
        (directory / "manifest.json").write_text(manifest.replace("Test", "Best"), "utf-8")
    else:
        manifest = json.loads((directory / "manifest.json").read_text("utf-8"))
        manifest["files"].pop("definitions.json")
        (directory / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ReleaseError, match="expected"):
        open_release(tmp_path)


def test_a_crash_before_the_pointer_leaves_the_earlier_release(
    tmp_path: Path, publishing_to: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publishing_to(tmp_path)

    def crash(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("_write_table", "_sync", "_point"):
        with monkeypatch.context() as patch:
            patch.setattr(publishing, name, crash)
            with pytest.raises(ReleaseError, match="No space") as caught:
                publishing_to(tmp_path, 20.0)
        assert "publish again" in str(caught.value)
        assert current_id(tmp_path) == first
        assert open_release(tmp_path).id == first
        assert not list(tmp_path.glob(".staging*"))


def test_an_observation_that_breaks_its_structure_is_not_published(
    tmp_path: Path, publishing_to: Publish, repository: Path
) -> None:
    frame = _observations(repository, 1.0)
    wrong = {
        r"column SEX: expected a code of CL_SEX, got 'X'": frame.with_columns(
            pl.lit("X").alias("SEX")
        ),
        r"expected each key once": pl.concat([frame, frame]),
        r"column OBS_STATUS .* got '2 rows without a value'": frame.with_columns(
            pl.lit(None).alias("OBS_STATUS")
        ),
        r"without \['STD_ERR'\]": frame.drop("STD_ERR"),
        r"with \['NOTE'\]": frame.with_columns(pl.lit("x").alias("NOTE")),
    }
    for said, table in wrong.items():
        with pytest.raises(DataError, match=said):
            publishing_to(tmp_path, frame=table)
    assert not (tmp_path / "CURRENT").exists()


def _several(structure: DataStructure) -> DataStructure:
    """Return a structure with several values and languages in attributes that had one."""
    multilingual, multiple = (
        ("COMMENT_OBS", "DATA_SOURCE"),
        ("DATA_SOURCE", "METHOD", "RELIABILITY"),
    )
    return replace(
        structure,
        components=tuple(
            replace(c, multilingual=c.id in multilingual, multiple=c.id in multiple)
            for c in structure.components
        ),
    )


def _texts(**texts: str) -> list[dict[str, str]]:
    return [{"lang": language, "text": text} for language, text in texts.items()]


def test_lists_and_texts_by_language_are_kept_as_they_are_said(repository: Path) -> None:
    structure = _several(_structure(repository))
    frame = _observations(repository, 1.0).with_columns(
        pl.Series("COMMENT_OBS", [_texts(fr="un", en="one"), []]),
        pl.Series("DATA_SOURCE", [[_texts(fr="deux", en="two"), []], [[]]]),
        pl.Series("RELIABILITY", [["WITHHELD", "PRESENT"], []]),
    )
    (part,) = typed(frame, structure).parts(9)
    row = part.filter(pl.col("SEX") == "F").row(0, named=True)
    assert row["COMMENT_OBS"] == _texts(en="one", fr="un")
    assert row["DATA_SOURCE"] == [_texts(en="two", fr="deux")]
    assert row["RELIABILITY"] == ["WITHHELD", "PRESENT"]
    (other,) = part.filter(pl.col("SEX") == "_T").to_dicts()
    assert [other[n] for n in ("COMMENT_OBS", "DATA_SOURCE", "RELIABILITY")] == [None] * 3
    # A table that says one value in each cell is held as such.
    assert typed(_observations(repository, 1.0), structure).frame.schema["METHOD"] != pl.List


def test_a_cell_that_its_component_cannot_hold_is_refused(repository: Path) -> None:
    structure = _several(_structure(repository))
    code = next(iter(structure.by_id["RELIABILITY"].codelist.by_id))  # type: ignore[union-attr]
    said_in_full = _texts(en="a", fr="b")
    wrong: list[tuple[str, Sequence[object], str]] = [
        ("PROV_ID", ["a", "b"], "expected one value in each observation"),
        ("PROV_ID", _texts(en="a"), "expected one value in each observation"),
        ("SEX", ["F", "M"], "expected one value in each observation"),
        ("METHOD", [_texts(en="a")], "expected several values in each observation"),
        ("COMMENT_OBS", ["a", "b"], "expected a text by language"),
        ("COMMENT_OBS", [_texts(en="a")], "expected a text by language"),
        ("DATA_SOURCE", _texts(en="a"), "expected several texts by language"),
        ("COMMENT_OBS", [{"tag": "en", "text": "a"}], "expected a text by language"),
        ("COMMENT_OBS", [*_texts(en="a"), *_texts(en="b")], "expected one text a language"),
        (
            "COMMENT_OBS",
            [*said_in_full, {"lang": "es", "text": None}],
            "expected a text a language",
        ),
        ("COMMENT_OBS", [*said_in_full, {"lang": None, "text": "a"}], "expected a language such"),
        ("COMMENT_OBS", [{"lang": 'en" x="', "text": "a"}], "expected a language such as en"),
        ("DATA_SOURCE", [[*_texts(en="a"), *_texts(en="b")]], "expected one text a language"),
        ("RELIABILITY", [code, "NOWHERE"], "expected a code of"),
        ("RELIABILITY", [code, None], "expected a value in each place"),
    ]
    frame = _observations(repository, 1.0)
    for name, cell, said in wrong:
        table = frame.with_columns(pl.Series(name, [cell, cell]))
        with pytest.raises(DataError, match=f"column {name}.*{said}"):
            typed(table, structure)


def test_a_structure_without_time_has_its_dimensions_as_key(repository: Path) -> None:
    structure = _structure(repository)
    timeless = replace(
        structure, components=tuple(c for c in structure.components if c.role is not Role.TIME)
    )
    frame = _observations(repository, 1.0).drop("TIME_PERIOD")
    assert typed(frame, timeless).height == 2
    with pytest.raises(DataError, match="each key once"):
        typed(pl.concat([frame, frame]), timeless)


def test_asking_for_what_is_not_there_says_what_is(tmp_path: Path, publishing_to: Publish) -> None:
    with pytest.raises(ReleaseError, match="expected a folder with a published release"):
        open_release(tmp_path)
    release = open_release(tmp_path, publishing_to(tmp_path))
    with pytest.raises(NotFound, match="DF_POV"):
        release.observations("DF_POVV")
    with pytest.raises(RequestError, match="expected one of FREQ"):
        release.observations("DF_POV", GENDER="F")
    with pytest.raises(NotFound, match="expected a code of CL_SEX, got 'W'"):
        release.observations("DF_POV", SEX="W")
    with pytest.raises(NotFound, match="expected one of note"):
        release.annex("truth")


def test_the_cube_holds_breakdowns_at_their_total_unless_named(
    tmp_path: Path, publishing_to: Publish
) -> None:
    release = open_release(tmp_path, publishing_to(tmp_path))
    national = release.to_xarray()
    assert national.OBS_VALUE.sel(REF_AREA="AT", INDICATOR="POV_ARPT60").item() == 14.44422
    by_sex = release.to_xarray(by=["SEX"])
    assert by_sex.OBS_VALUE.sel(REF_AREA="AT", SEX="F").item() == 15.44422
    with pytest.raises(RequestError, match="expected one of FREQ"):
        release.to_xarray(by=["GENDER"])


def test_images_of_releases_that_are_gone_are_removed_and_mapped_ones_can_be_read(
    tmp_path: Path, publishing_to: Publish
) -> None:
    ids = [publishing_to(tmp_path, value) for value in (1.0, 2.0)]
    images = [open_release(tmp_path, one).image("DSD_INCL_IND") for one in ids]
    (tmp_path / ".images" / ".unfinished-1").mkdir()
    shutil.rmtree(tmp_path / ids[0])
    newest = publishing_to(tmp_path, 3.0)
    there = [path.name for path in (tmp_path / ".images").iterdir() if path.is_dir()]
    kept = [(tmp_path / one / "data/DSD_INCL_IND.parquet").read_bytes() for one in (ids[1], newest)]
    assert {name.partition("-")[0] for name in there} == {
        hashlib.sha256(content).hexdigest() for content in kept
    }
    assert images[0].frame(slice(0, 2), ["OBS_VALUE"]).sum().item() == 1.0 + 2.0
    assert open_release(tmp_path, newest).image("DSD_INCL_IND").height == 2


def test_images_are_not_removed_where_a_release_cannot_say_what_it_has(
    tmp_path: Path, publishing_to: Publish
) -> None:
    first = publishing_to(tmp_path)
    open_release(tmp_path, first).image("DSD_INCL_IND")
    (tmp_path / first / "manifest.json").write_text("{", encoding="utf-8")
    publishing_to(tmp_path, 2.0)
    assert [path for path in (tmp_path / ".images").iterdir() if path.is_dir()]


def test_rows_in_any_order_make_the_same_files(tmp_path: Path, repository: Path) -> None:
    structures = repository / "dsd/structures"
    two = _observations(repository, 1.5)
    made = []
    for name, frame in (("sorted", two), ("reversed", two.reverse())):
        release = publish(
            tmp_path / name, title="Test", tables={"DSD_INCL_IND": frame}, structures=structures,
            definitions={}, annexes={}, inputs={}, generator="test",
        )  # fmt: skip
        made.append((tmp_path / name / release / "data/DSD_INCL_IND.parquet").read_bytes())
    assert made[0] == made[1]


@settings(max_examples=30)
@given(
    keys=st.lists(
        st.tuples(st.sampled_from("FM_"), st.integers(2004, 2023)), unique=True, max_size=40
    ),
    group=st.integers(1, 7),
)
def test_parts_of_a_table_are_its_rows_in_order(
    keys: list[tuple[str, int]], group: int, repository: Path
) -> None:
    structure = _structure(repository)
    one = _observations(repository, 0.0).head(1)
    frame = pl.concat(
        [
            one.with_columns(
                SEX=pl.lit("_T" if sex == "_" else sex),
                TIME_PERIOD=pl.lit(str(year)),
                OBS_VALUE=pl.lit(float(number)),
            )
            for number, (sex, year) in enumerate(keys)
        ]
        or [one.clear()]
    )
    table = typed(frame, structure)
    found = pl.concat(table.parts(group))
    names = [component.id for component in structure.key]
    assert found.equals(table.frame.sort(names))
    assert all(part.height <= group for part in table.parts(group))
    if keys:
        with pytest.raises(DataError, match=f"2 rows share a key|got '{_key(frame, structure)}'"):
            typed(pl.concat([frame, frame.head(1)]), structure)


def _key(frame: pl.DataFrame, structure: DataStructure) -> str:
    return ".".join(frame.select(component.id for component in structure.key).row(0))
