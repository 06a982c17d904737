"""Which format a client is given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import NotAcceptable, RequestError
from sdmx_service.formats import (
    Feature,
    Generation,
    Keys,
    Labels,
    TimeFormat,
    data_formats,
    languages,
    negotiate,
    structure_formats,
)
from sdmx_service.formats.negotiation import accepted

GENERIC = next(one for one in data_formats() if one.name == "generic")
CSV = "application/vnd.sdmx.data+csv"


def _chosen(accept: str | None, asked: str | None = None, **more: str | Generation | None) -> str:
    choice = negotiate(
        data_formats(),
        accept=accept,
        default=GENERIC,
        asked=asked,
        **more,  # type: ignore[arg-type]
    )
    return choice.format.name


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        (None, "generic"),
        ("", "generic"),
        ("*/*", "generic"),
        ("application/*", "generic"),
        ("text/csv", "csv21"),
        ("application/vnd.sdmx.genericdata+xml;version=2.1", "generic"),
        ("application/vnd.sdmx.structurespecificdata+xml; version=2.1", "structurespecific"),
        (CSV, "csv21"),
        (f"{CSV};version=2.1.0", "csv21"),
        (f"{CSV}; version=2.0.0; labels=both", "csv20"),
        (f"{CSV};version=1.0.0", "csv10"),
        (f"{CSV};version=1.0.0+, text/csv;q=0.5", "csv10"),
        (f"{CSV};version=1+.0.0", "csv21"),
        (f"{CSV};version=2.0.0+", "csv20"),
        (f"{CSV};version=2.0+.0", "csv21"),
        (f"{CSV};version=2+.0.1", "csv21"),
        (f"{CSV};version=+", "csv21"),
        (f"{CSV};version=1.~", "csv10"),
        (f'{CSV};version="1.0.0,2.0.0"', "csv20"),
        (f"{CSV};keys=series;version=2.0.0", "csv20"),
        ("APPLICATION/VND.SDMX.DATA+CSV", "csv21"),
        ("*/*;q=0.1, text/csv", "csv21"),
        ("*/*, text/csv", "csv21"),
        (f"{CSV};version=2.1.0;q=0, {CSV}", "csv20"),
        (f"{CSV};version=1.0.0;q=0.9, {CSV};version=2.0.0;q=0.8", "csv10"),
        ("application/vnd.apache.parquet", "parquet"),
        ("application/vnd.json-stat+json", "jsonstat"),
        ("image/png, */*;q=0.1", "generic"),
    ],
)
def test_the_accept_header_is_read_as_rfc_9110_says(accept: str | None, name: str) -> None:
    assert _chosen(accept) == name


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("csv", "csv21"),
        ("csvdata", "csv21"),
        ("csv20", "csv20"),
        ("genericdata", "generic"),
        ("structurespecificdata", "xml31"),
        ("CSV", "csv21"),
        ("xlsx", "xlsx"),
        ("text/csv", "csv21"),
        (f"{CSV};version=2.0.0", "csv20"),
    ],
)
def test_the_format_parameter_wins_over_the_header(asked: str, name: str) -> None:
    assert _chosen("application/pdf", asked) == name


@pytest.mark.parametrize(
    ("version", "old", "new"),
    [
        (None, "structurespecific", "xml31"),
        ("2.1", "structurespecific", "structurespecific"),
        ("3.0.0", "xml30", "xml30"),
        ("3.1.0", "xml31", "xml31"),
    ],
)
def test_structure_specific_data_are_asked_for_in_each_version(
    version: str | None, old: str, new: str
) -> None:
    """REST 2.2, doc/extend.md: "the SDMX-ML Structure Specific Dataset", in any version of it."""
    word = "structurespecificdata"
    assert _chosen(None, word, version=version, generation=Generation.SDMX_2_1) == old
    assert _chosen(None, word, version=version, generation=Generation.SDMX_3_1) == new


@pytest.mark.parametrize(
    ("asked", "version", "name"),
    [
        ("jsonstructure", None, "json21"),
        ("jsonstructure", "1.0.0", "json10"),
        ("structure", "2.1", "xml21"),
        ("structure", None, "xml31"),
    ],
)
@pytest.mark.parametrize("old", [False, True])
def test_the_words_of_the_standard_for_structures_are_known(
    asked: str, version: str | None, name: str, old: bool
) -> None:
    """REST 2.2, doc/extend.md: the latest version where none is named, 2.1 for who speaks that."""
    formats = structure_formats()
    usual = next(one for one in formats if one.name == ("xml21" if old else "json21"))
    choice = negotiate(
        formats,
        accept=None,
        default=usual,
        asked=asked,
        version=version,
        generation=usual.generation,
    )
    expected = "xml21" if old and asked == "structure" else name
    assert choice.format.name == expected


@pytest.mark.parametrize(
    "accept",
    [f"{CSV};version=2.2.0", f"{CSV};version=3+.0.0", f"{CSV};version=+.2", f"{CSV};version=2.3+",
     f"{CSV};labels=many", f"{CSV};version=1.0.0;keys=obs", f"{CSV};version=1.0.0;labels=name",
     "image/png", "text/csv;q=0", "nonsense"],
)  # fmt: skip
def test_what_cannot_be_written_is_refused_with_what_can(accept: str) -> None:
    with pytest.raises(NotAcceptable, match=r"application/vnd\.sdmx\.data\+csv;version=2\.0\.0"):
        _chosen(accept)


@pytest.mark.parametrize(
    ("version", "name"),
    [("1.0.0", "csv10"), ("2.0", "csv20"), ("2+.0.0", "csv21"), (None, "csv21")],
)
def test_the_format_version_says_which_of_a_family(version: str | None, name: str) -> None:
    assert _chosen("application/pdf", "csvdata", version=version) == name


def test_a_format_version_that_is_not_there_is_refused() -> None:
    with pytest.raises(NotAcceptable, match=r"csv 4\.0"):
        _chosen(None, "csv", version="4.0")


def test_a_format_version_without_a_format_says_nothing() -> None:
    assert _chosen("text/csv", version="1.0.0") == "csv21"


def test_a_generation_comes_first_where_no_version_is_named() -> None:
    assert _chosen("text/csv", generation=Generation.SDMX_2_1) == "csv10"
    assert _chosen(None, "csv", generation=Generation.SDMX_3_0) == "csv20"
    assert _chosen(f"{CSV};version=2.1.0", generation=Generation.SDMX_2_1) == "csv21"


@pytest.mark.parametrize("word", ["labels", "label", "LABELS"])
def test_labels_are_asked_for_by_both_words_of_the_standard(word: str) -> None:
    """REST 1.5, 4.6: ``labels`` in the list of media types, ``label`` in the note below it."""
    accept = f"{CSV};version=1.0.0;{word}=both"
    choice = negotiate(data_formats(), accept=accept, default=GENERIC)
    assert choice.labels is Labels.BOTH
    assert choice.content_type == f"{CSV};version=1.0.0;labels=both"


def test_options_come_with_the_header_or_the_parameters() -> None:
    accept = f"{CSV};version=2.0.0;labels=both;timeFormat=normalized;keys=series"
    choice = negotiate(data_formats(), accept=accept, default=GENERIC)
    assert (choice.labels, choice.keys) == (Labels.BOTH, Keys.SERIES)
    assert choice.time_format is TimeFormat.NORMALIZED
    by_parameter = negotiate(
        data_formats(),
        accept=accept,
        default=GENERIC,
        labels="name",
        keys="none",
        time_format="original",
    )
    assert (by_parameter.labels, by_parameter.keys) == (Labels.NAME, Keys.NONE)
    assert by_parameter.time_format is TimeFormat.ORIGINAL


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("labels", "id, name or both"),
        ("keys", "none, obs, series or both"),
        ("time_format", "original or normalized"),
    ],
)
def test_an_option_without_meaning_is_refused_with_those_there_are(option: str, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        _chosen("text/csv", **{option: "many"})


@pytest.mark.parametrize(
    ("header", "asked", "tags"),
    [
        (None, None, ("en",)),
        ("fr", None, ("fr", "en")),
        ("en-GB;q=0.8, fr-FR", None, ("fr-FR", "fr", "en-GB", "en")),
        ("fr", "de", ("de", "en")),
        ("*, ;q=1, x;q=high", None, ("en",)),
    ],
)
def test_languages_come_in_the_order_wanted(
    header: str | None, asked: str | None, tags: tuple[str, ...]
) -> None:
    assert languages(header, asked) == tags


@pytest.mark.parametrize(
    ("header", "asked", "tags"),
    [
        (None, None, ("en",)),
        ("tlh", None, ("en",)),
        ("tlh, fr-CH;q=0.5", None, ("fr", "en")),
        ("fr", "AR", ("ar", "en")),
        ("fr", "en-MT", ("en",)),
        (None, "all", ("en", "fr", "ar")),
    ],
)
def test_only_languages_that_are_spoken_are_chosen(
    header: str | None, asked: str | None, tags: tuple[str, ...]
) -> None:
    assert languages(header, asked, ("en", "fr", "ar")) == tags


def test_a_language_that_is_not_spoken_is_refused_by_name() -> None:
    with pytest.raises(NotAcceptable, match="all or one of en, fr"):
        languages("fr", "tlh", ("en", "fr"))


def test_a_word_of_the_standard_means_the_newest_version_under_both_interfaces() -> None:
    """SDMX REST 2.2, doc/extend.md: without formatVersion "the latest available should be used"."""
    assert _chosen(None, "jsondata", generation=Generation.SDMX_2_1) == "json21"
    assert _chosen(None, "json", generation=Generation.SDMX_2_1) == "json10"


def test_no_two_formats_answer_to_one_name() -> None:
    for formats in (data_formats(), structure_formats()):
        names = [name for one in formats for name in (one.name, *one.short_names)]
        names += {name for one in formats for name in one.family}
        types = [one.content_type for one in formats]
        assert len(set(names)) == len(names)
        assert len(set(types)) == len(types)


@given(st.text(max_size=80) | st.text(alphabet="/;=,q*.+0123456789acv ", max_size=80))
def test_any_header_is_understood_or_refused(header: str) -> None:
    assert all(0 <= one.quality <= 1 for one in accepted(header))
    assert languages(header)[-1] == "en" or "en" in languages(header)
    try:
        name = _chosen(header)
    except NotAcceptable:
        return
    assert name in {one.name for one in data_formats()}


def test_every_trait_of_a_message_has_a_format_that_carries_it() -> None:
    assert set(Feature) == {trait for one in data_formats() for trait in one.carries}


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "generic"),  # Java
        (",,", "generic"),  # RFC 9110, 5.6.1.2: empty members are nothing
        (f"{CSV};q=.5, application/vnd.sdmx.data+json;q=.75", "json21"),
        ("application/vnd.sdmx.data+json;version=1.0.0-wd", "json10"),
    ],
)
def test_headers_that_old_clients_send_are_understood(accept: str, name: str) -> None:
    assert _chosen(accept) == name


def test_names_that_other_services_have_are_known() -> None:
    """What the pages of .Stat Suite and the Fusion Metadata Registry give to copy."""
    labelled = negotiate(data_formats(), accept=None, default=GENERIC, asked="csvfilewithlabels")
    assert labelled.format.media_type == CSV
    assert labelled.labels is Labels.BOTH
    assert _chosen(None, "sdmx-json-1.0") == "json10"
    assert _chosen(None, "sdmx-csv-2.0.0") == "csv20"
    with pytest.raises(NotAcceptable):
        _chosen(None, "sdmx-json-7.0")


def test_where_the_usual_format_has_no_place_its_nearest_relative_answers() -> None:
    others = [one for one in data_formats() if one.generation is not Generation.SDMX_2_1]
    tables = [one for one in data_formats() if "+" not in one.media_type]
    choice = negotiate(
        [*tables, *others], accept="*/*", default=GENERIC, generation=Generation.SDMX_2_1
    )
    assert choice.format.name == "xml31"
